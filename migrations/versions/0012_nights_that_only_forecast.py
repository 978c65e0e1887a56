"""Nights that only forecast, and importances of features.

Ensembles in use forecast new rows, and few stocks are trained.

A series says since when rows have only been added to its history, an entry of which history it was
made and which members have failed, and a forecast when it was made. What splits have gained by
feature is kept of the ensembles in use, and of universes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_COLUMNS = {
    "runs": {"only_forecast": sa.Integer, "stale_after": sa.Integer},
    "ledger": {"history_since": sa.TIMESTAMP, "member_errors": lambda: sa.ARRAY(sa.String())},
    "predictions": {"made_at": sa.TIMESTAMP},
    "standings": {"forecast_at": sa.TIMESTAMP},
    "universes": {
        "features": lambda: sa.ARRAY(sa.String()),
        "shares": lambda: sa.ARRAY(sa.Double()),
    },
    "series": {"labelled_digest": sa.String, "history_since": sa.TIMESTAMP},
}
_MADE_AT = """
update predictions
set made_at = ledger.finished_at
from ledger
where ledger.entry_id = predictions.entry_id
"""


def upgrade() -> None:
    for table, columns in _COLUMNS.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind(), nullable=True))
    op.execute(_MADE_AT)
    op.create_table(
        "importances",
        sa.Column("ticker", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("members", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("features", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("shares", sa.ARRAY(sa.Double()), nullable=False),
    )
