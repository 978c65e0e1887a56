"""What conducts: a plan made from reads alone, then carried out.

``plan`` says which stocks, why and with what; ``conduct`` carries out a stage of it, for a
pass as for a backtest: ``universe`` makes what stocks share, ``feed`` reads their rows in
chunks, ``jobs`` are what a worker does. ``run`` is a pass, ``recorder`` keeps what it gives.
"""
