"""Cutoffs of backtests that are done, and views by which a look back replaces nothing.

The plain forecaster of three models is called the baseline: `recipe` is the number of what
changes results.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "backtest_cutoffs",
        sa.Column("inputs_digest", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("cutoff", sa.Date, nullable=False),
        sa.Column("until", sa.Date, nullable=False),
        sa.Column("n_stocks", sa.Integer, nullable=False),
        sa.Column("finished_at", sa.TIMESTAMP, nullable=False),
        sa.Column("artifact_sha256", sa.String, nullable=False),
    )
    op.execute("update backtest_scores set forecaster = 'baseline' where forecaster = 'recipe'")
    op.execute("update backtest_days set forecaster = 'baseline' where forecaster = 'recipe'")
