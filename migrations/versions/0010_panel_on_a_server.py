"""What the views show of the panel lies on a server too: `series`, and the newest prices.

They are empty until the store sends them, which `bmastore migrate` has it do at once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_PRICES = ("open", "high", "low", "close", "volume", "adj_close")


def upgrade() -> None:
    if op.get_bind().dialect.name == "duckdb":
        return  # there they are the panel's own
    op.create_table(
        "series",
        sa.Column("ticker", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("n_rows", sa.Integer, nullable=False),
        sa.Column("first_date", sa.Date, nullable=True),
        sa.Column("last_date", sa.Date, nullable=True),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP, nullable=False),
    )
    op.create_table(
        "prices",
        sa.Column("ticker", sa.String, nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        *(sa.Column(name, sa.Double, nullable=name != "close") for name in _PRICES),
    )
