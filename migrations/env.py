"""Alembic environment: runs on the connection that bmastore.storage.session hands over."""

import duckdb_sqlalchemy.alembic_impl  # noqa: F401  teaches Alembic the dialect
from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
