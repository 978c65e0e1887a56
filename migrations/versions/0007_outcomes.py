"""Outcomes: forecasts as they were first made, joined with the labels that came.

Of forecasts made before this revision the components are gone, by which they would be judged:
outcomes begin with the first pass after it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_FORECAST = ("mean", "sd", "q05", "q25", "q50", "q75", "q95", "p_up")


def _column(name: str, kind: sa.types.TypeEngine, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, kind, nullable=nullable)


def _doubles(*names: str, nullable: bool = False) -> list[sa.Column]:
    return [_column(name, sa.Double(), nullable=nullable) for name in names]


def _keys() -> list[sa.Column]:
    return [
        _column("ticker", sa.String()),
        _column("target", sa.String()),
        _column("date", sa.Date()),
    ]


def upgrade() -> None:
    # The panel's tables never lie on a server.
    if op.get_bind().dialect.name == "duckdb":
        op.create_table(
            "awaited",
            _column("entry_id", sa.String()),
            *_keys(),
            _column("made_at", sa.TIMESTAMP()),
            _column("known_until", sa.Date()),
            *_doubles(*_FORECAST),
            _column("components", sa.ARRAY(sa.REAL())),
        )
        op.create_table("relabelled", *_keys())
    op.create_table(
        "outcomes",
        _column("entry_id", sa.String()),
        *_keys(),
        _column("label_end", sa.Date()),
        _column("made_at", sa.TIMESTAMP()),
        _column("known_until", sa.Date()),
        _column("settled_at", sa.TIMESTAMP()),
        _column("revision", sa.Integer()),
        *_doubles(*_FORECAST, "actual", "error", "pit", "crps", "log_score"),
        *_doubles("zero_pit", "zero_crps", "zero_log_score", nullable=True),
        _column("components", sa.ARRAY(sa.REAL())),
    )
