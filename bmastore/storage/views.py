"""The views of a store: which there are, and what they are made with.

The files of ``sql/views/`` are for users to read and reuse. Where one holds a ``{field}``, a
rule that Python follows as well is written in: it is said once, and handed over when the views
are made.
"""

from collections.abc import Callable, Iterable, Mapping

from bmastore.storage.statements import Part, statements

# Views of the panel; then those of the ledger, which are published, in the order in which
# they refer to each other.
PANEL_VIEWS = ("oof",)
VIEWS = (
    "v_attempts",
    "v_runs",
    "v_universe",
    "v_latest",
    "v_status",
    "v_weights",
    "v_importances",
    "v_metrics",
    "v_predictions",
    "v_failures",
    "v_slowest",
    "v_backtests",
    "v_backtest",
    "v_backtest_days",
    "v_backtest_weights",
    "v_backtest_history",
    "v_newest_forecasts",
    "v_prices",
    "v_freshness",
    "v_entries",
    "v_weights_history",
    "v_member_days",
    "v_outcomes",
    "v_live_days",
    "v_live_stocks",
    "v_live_sectors",
    "v_quantile_returns",
    "v_turnover",
    "v_calibration",
    "v_pit",
    "v_feature_drift",
)

# All entries, where there is no archive.
LEDGER = Part("ledger")
# Views of entries that count no more, which the archive may hold.
HISTORY_VIEWS = frozenset({"v_attempts", "v_entries", "v_weights_history"})

# Of several attempts at a stock, the newest is the first in this order: a look back replaces none.
NEWEST_FIRST = Part("cutoff desc nulls last, attempt desc")

# Of several outcomes of a forecast, the one that is followed by no other revision holds.
REVISED = Part(
    "left join outcomes as revised on revised.revision > 0 "
    "and revised.revision = found.revision + 1 and revised.ticker = found.ticker "
    "and revised.target = found.target and revised.date = found.date"
)

# What an entry was made from: the cause that is given when it has changed, and the column of
# the ledger that tells. The first that applies is the cause.
INPUTS: Mapping[str, str] = {
    "data": "data_digest",
    "config": "config_hash",
    "code": "code_version",
}
# Where a change of an input makes nothing stale yet: rows were added to the history that a trained
# entry was made from, with fewer labels than there must be.
_MAY_PASS: Mapping[str, str] = {
    "data": "newest.status = 'trained' and newest.history_since = now.history_since "
    "and now.stale_after > 1 and now.n_rows - newest.n_rows between 0 and now.stale_after - 1",
}


def create_views(
    execute: Callable[[str], object],
    names: Iterable[str] = (*PANEL_VIEWS, *VIEWS),
    *,
    are_temporary: bool = False,
    history: Part = LEDGER,
) -> None:
    """Create or replace views of ``sql/views/``.

    Parameters
    ----------
    execute:
        Runs a statement.
    are_temporary:
        Make views of the connection, which come before those of a store, whoever made these.
    history:
        The relation of all entries; see :mod:`bmastore.storage.archive`.
    """
    for name in names:
        for statement in statements(f"views/{name}", history=history, **_rules()):
            if are_temporary:
                statement = statement.replace("create or replace view", "create temp view", 1)
            execute(statement)


def _rules() -> dict[str, Part]:
    changed = " ".join(
        f"when newest.{column} <> now.{column} and ({_MAY_PASS.get(cause, 'false')}) is not true "
        f"then '{cause}'"
        for cause, column in INPUTS.items()
    )
    return {
        "changed": Part(changed),
        "newest_first": NEWEST_FIRST,
        "revised": REVISED,
    }
