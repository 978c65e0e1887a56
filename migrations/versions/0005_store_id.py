"""The id of a store, by which it knows its models, its results and its ledger on a server."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    meta = op.create_table(
        "meta",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("value", sa.String, nullable=False),
    )
    # A ledger on a server is given the id of its store when that is next opened.
    if op.get_bind().dialect.name == "duckdb":
        op.bulk_insert(meta, [{"name": "store_id", "value": uuid.uuid4().hex}])
