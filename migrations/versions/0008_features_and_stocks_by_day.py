"""How features stood day by day, what people know of stocks, and the views that show both."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "feature_days",
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("feature", sa.String, nullable=False),
        sa.Column("stocks", sa.Integer, nullable=False),
        sa.Column("median", sa.Double, nullable=True),
        sa.Column("quartile_distance", sa.Double, nullable=True),
        sa.Column("share_missing", sa.Double, nullable=False),
        sa.Column("stability", sa.Double, nullable=True),
        sa.Column("measured_at", sa.TIMESTAMP, nullable=False),
    )
    op.create_table(
        "stocks",
        sa.Column("ticker", sa.String, nullable=False),
        *(
            sa.Column(name, sa.String, nullable=True)
            for name in ("name", "sector", "industry", "country")
        ),
    )
