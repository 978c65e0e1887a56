"""A year of nights: what an entry says is in one row, and what is asked each time is kept.

Members' weights and metrics become columns of the ledger; of several forecasts of a stock and date
the one by the newest entry is kept; and four tables tell what the ledger says of stocks, cutoffs
and dates, which `bmastore migrate` fills.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_OF_MEMBERS = ("weights", "oof_log_scores", "oof_rmses", "scales")
_OOF_SCORES = (
    "oof_rmse",
    "oof_mse_vs_zero",
    "oof_log_score",
    "oof_coverage_80",
    "oof_coverage_90",
)
_DAY_SCORES = (
    *("ic", "squared_error", "zero_squared_error", "crps", "zero_crps", "log_score"),
    *("coverage_50", "coverage_80", "coverage_90"),
    *("zero_coverage_50", "zero_coverage_80", "zero_coverage_90", "brier"),
)
_STOCK_SUMS = (
    *("error", "squares", "zero_squares", "crps", "zero_crps"),
    *("held_50", "held_80", "held_90", "brier"),
    *("squares_60", "zero_squares_60", "crps_60", "zero_crps_60", "held_80_60", "held_90_60"),
)
_TURNOVER = ("turnover_highest", "turnover_lowest", "rank_correlation")

_MEMBERS = """
update ledger
set
    members = found.members,
    weights = found.weights,
    oof_log_scores = found.oof_log_scores,
    oof_rmses = found.oof_rmses,
    scales = found.scales,
    rounds = found.rounds
from (
    select
        weights.entry_id,
        array_agg(weights.member order by weights.member) as members,
        array_agg(weights.weight order by weights.member) as weights,
        array_agg(weights.oof_log_score order by weights.member) as oof_log_scores,
        array_agg(weights.oof_rmse order by weights.member) as oof_rmses,
        array_agg(weights.scale order by weights.member) as scales,
        array_agg(metrics.value::integer order by weights.member) as rounds
    from weights
    left join metrics
        on metrics.entry_id = weights.entry_id and metrics.name = 'rounds_' || weights.member
    group by weights.entry_id
) as found
where found.entry_id = ledger.entry_id
"""
_METRICS = """
update ledger
set
    oof_rows = found.oof_rows,
    oof_rmse = found.oof_rmse,
    oof_mse_vs_zero = found.oof_mse_vs_zero,
    oof_log_score = found.oof_log_score,
    oof_coverage_80 = found.oof_coverage_80,
    oof_coverage_90 = found.oof_coverage_90
from (
    select
        entry_id,
        max(case when name = 'oof_rows' then value end)::integer as oof_rows,
        max(case when name = 'oof_rmse' then value end) as oof_rmse,
        max(case when name = 'oof_mse_vs_zero' then value end) as oof_mse_vs_zero,
        max(case when name = 'oof_log_score' then value end) as oof_log_score,
        max(case when name = 'oof_coverage_80' then value end) as oof_coverage_80,
        max(case when name = 'oof_coverage_90' then value end) as oof_coverage_90
    from metrics
    group by entry_id
) as found
where found.entry_id = ledger.entry_id
"""
_FORECASTS = """
delete from predictions
using (
    select
        predictions.entry_id, predictions.date,
        row_number() over (
            partition by predictions.ticker, predictions.target, predictions.date
            order by ledger.cutoff desc nulls last, ledger.attempt desc
        ) as place
    from predictions
    inner join ledger on ledger.entry_id = predictions.entry_id
) as made
where predictions.entry_id = made.entry_id and predictions.date = made.date and made.place > 1
"""


def _column(name: str, kind: sa.types.TypeEngine, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, kind, nullable=nullable)


def _doubles(*names: str, nullable: bool = False) -> list[sa.Column]:
    return [_column(name, sa.Double(), nullable=nullable) for name in names]


def upgrade() -> None:
    op.add_column("ledger", _column("members", sa.ARRAY(sa.String()), nullable=True))
    for name in _OF_MEMBERS:
        op.add_column("ledger", _column(name, sa.ARRAY(sa.Double()), nullable=True))
    op.add_column("ledger", _column("rounds", sa.ARRAY(sa.Integer()), nullable=True))
    op.add_column("ledger", _column("oof_rows", sa.Integer(), nullable=True))
    for column in _doubles(*_OOF_SCORES, nullable=True):
        op.add_column("ledger", column)
    for statement in (_MEMBERS, _METRICS, _FORECASTS):
        op.execute(statement)
    op.drop_table("weights")
    op.drop_table("metrics")
    op.drop_column("outcomes", "error")
    op.create_table(
        "standings",
        _column("ticker", sa.String()),
        _column("target", sa.String()),
        _column("newest_entry", sa.String()),
        _column("newest_at", sa.TIMESTAMP()),
        _column("current_entry", sa.String(), nullable=True),
        _column("current_at", sa.TIMESTAMP(), nullable=True),
        _column("attempts", sa.Integer()),
        _column("forecast_date", sa.Date(), nullable=True),
    )
    op.create_table(
        "member_days",
        _column("target", sa.String()),
        _column("cutoff", sa.Date()),
        _column("member", sa.String()),
        _column("stocks", sa.Integer()),
        *_doubles("weight", "share_led"),
        *_doubles("oof_log_score", "oof_rmse", nullable=True),
    )
    op.create_table(
        "outcome_days",
        _column("target", sa.String()),
        _column("date", sa.Date()),
        _column("stocks", sa.Integer()),
        *_doubles(*_DAY_SCORES, nullable=True),
        *(_column(name, sa.ARRAY(sa.Integer())) for name in ("pits", "zero_pits", "fifth_stocks")),
        *(_column(name, sa.ARRAY(sa.Double())) for name in ("fifth_forecasts", "fifth_actuals")),
        _column("stocks_before", sa.Integer()),
        *_doubles(*_TURNOVER, nullable=True),
    )
    op.create_table(
        "outcome_stocks",
        _column("ticker", sa.String()),
        _column("target", sa.String()),
        _column("outcomes", sa.Integer()),
        _column("outcomes_60", sa.Integer()),
        _column("outcomes_with_p_up", sa.Integer()),
        _column("first_date", sa.Date()),
        _column("last_date", sa.Date()),
        *_doubles(*_STOCK_SUMS, nullable=True),
    )
