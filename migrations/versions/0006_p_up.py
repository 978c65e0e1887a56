"""The probability of a positive target, and how backtests score it, day by day too.

What was stored before has none: the members' forecasts, of which it would be made, are gone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ADDED = {
    "predictions": ("p_up",),
    "backtest_scores": ("brier_vs_half", "signs_right"),
    "backtest_days": ("coverage_50", "coverage_80", "coverage_90", "brier"),
}


def upgrade() -> None:
    for table, names in _ADDED.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Double, nullable=True))
