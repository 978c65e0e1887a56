"""What runs: any job over chunks of stocks, in processes here or on a cluster.

``chunks`` are what goes to a worker and comes back, ``pool`` are workers that heal, ``local``
makes them here, ``dispatch`` feeds them. It knows no store and no estimator; what feeds an
executor loads neither SQLAlchemy nor DuckDB.
"""
