"""Backtests: what was run, and how each forecaster did."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _column(name: str, kind: type[sa.types.TypeEngine], *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, kind, nullable=nullable)


def _maybe(*names: str) -> list[sa.Column]:
    return [_column(name, sa.Double, nullable=True) for name in names]


def upgrade() -> None:
    op.create_table(
        "backtests",
        _column("backtest_id", sa.String),
        _column("target", sa.String),
        _column("horizon", sa.Integer),
        _column("as_of", sa.Date, nullable=True),
        _column("cutoffs", sa.Integer),
        _column("every", sa.Integer),
        _column("n_stocks", sa.Integer),
        _column("preset", sa.String),
        _column("config_hash", sa.String),
        _column("config", sa.String),
        _column("code_version", sa.String),
        _column("started_at", sa.TIMESTAMP),
        _column("finished_at", sa.TIMESTAMP),
    )
    op.create_table(
        "backtest_scores",
        _column("backtest_id", sa.String),
        _column("slice", sa.String),
        _column("part", sa.String),
        _column("forecaster", sa.String),
        _column("n_rows", sa.Integer),
        _column("n_days", sa.Integer),
        *_maybe("mse_vs_zero", "ic", "icir", "ic_t", "crps_vs_zero"),
        _column("log_score", sa.Double),
        _column("coverage_50", sa.Double),
        _column("coverage_80", sa.Double),
        _column("coverage_90", sa.Double),
        _column("pit", sa.String),
        *_maybe("dm", "dm_p"),
    )
    op.create_table(
        "backtest_days",
        _column("backtest_id", sa.String),
        _column("date", sa.Date),
        _column("forecaster", sa.String),
        _column("n_stocks", sa.Integer),
        *_maybe("ic"),
        _column("squared_error", sa.Double),
        _column("crps", sa.Double),
    )
    op.create_table(
        "backtest_weights",
        _column("backtest_id", sa.String),
        _column("cutoff", sa.Date),
        _column("member", sa.String),
        _column("weight", sa.Double),
        _column("n_stocks", sa.Integer),
    )
