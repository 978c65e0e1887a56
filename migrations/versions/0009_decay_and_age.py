"""Stocks whose intervals no longer hold, and how old an entry may be: two causes more."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "decays",
        sa.Column("ticker", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("marked_at", sa.TIMESTAMP, nullable=False),
        sa.Column("outcomes", sa.Integer, nullable=False),
        sa.Column("last_date", sa.Date, nullable=False),
        sa.Column("coverage_80", sa.Double, nullable=False),
        sa.Column("p", sa.Double, nullable=False),
    )
    op.add_column("runs", sa.Column("max_age", sa.Double, nullable=True))
