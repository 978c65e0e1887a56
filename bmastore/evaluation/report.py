"""What a backtest gives: scores over slices of its rows, as tables."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date

import numpy as np
from numpy.typing import NDArray

from bmastore.evaluation.cutoffs import CutoffHindcasts
from bmastore.evaluation.scores import INTERVALS, Daily, Score, Scored, daily, score
from bmastore.storage.session import Session
from bmastore.storage.statements import run
from bmastore.table import Table

_THIRDS = ("low", "middle", "high")
_COVERAGE = tuple(f"coverage_{share * 100:.0f}" for share in INTERVALS)


@dataclass(frozen=True)
class BacktestReport:
    """How each forecaster did.

    Attributes
    ----------
    backtest_id:
        Its key in the store.
    cutoffs:
        The dates as of which stocks were trained.
    n_stocks:
        Stocks that were forecast.
    scores, days, weights:
        As the views ``v_backtest``, ``v_backtest_days`` and ``v_backtest_weights``.
    failures:
        Stocks that failed, and why; those with too short a history are not among them.
    wall_s:
        Seconds.
    """

    backtest_id: str
    cutoffs: tuple[date, ...]
    n_stocks: int
    scores: Table
    days: Table
    weights: Table
    failures: dict[str, str]
    wall_s: float


def make_report(
    session: Session,
    backtest_id: str,
    hindcasts: Sequence[CutoffHindcasts],
    members: Sequence[str],
    horizon: int,
    wall_s: float,
) -> BacktestReport:
    """Score the hindcasts of all cutoffs, at least one of which has rows."""
    found = [one for one in hindcasts if one.scored is not None]
    rows = Scored.of([one.scored for one in found if one.scored is not None])
    failures: dict[str, str] = {}
    for one in hindcasts:
        failures |= one.failures
    return BacktestReport(
        backtest_id=backtest_id,
        cutoffs=tuple(one.cutoff for one in hindcasts),
        n_stocks=len({ticker for one in found for ticker in one.tickers}),
        scores=_scores_table(_score_slices(session, found, rows, horizon)),
        days=_days_table(daily(rows), rows.forecasters),
        weights=_weights_table(found, members),
        failures=failures,
        wall_s=round(wall_s, 3),
    )


def _score_slices(
    session: Session, hindcasts: Sequence[CutoffHindcasts], rows: Scored, horizon: int
) -> list[tuple[str, str, Score]]:
    """Scores over all rows, by year, and by third of the stocks by liquidity."""
    years = rows.dates.astype("datetime64[Y]").astype(str)
    liquidity = np.concatenate([_liquidity(session, one) for one in hindcasts])
    slices = [("all", "all", np.ones(len(rows.y), dtype=bool))]
    slices += [("year", year, years == year) for year in np.unique(years)]
    slices += [("liquidity", name, liquidity == name) for name in _THIRDS]
    return [
        (kind, str(part), one)
        for kind, part, mask in slices
        if mask.any()
        for one in score(rows.take(mask), horizon)
    ]


def _liquidity(session: Session, one: CutoffHindcasts) -> NDArray[np.object_]:
    """Name of the third of each row's stock, as of the cutoff; empty where it has no prices."""
    found = run(
        session.duck,
        "backtest/liquidity",
        tickers=np.unique(one.tickers).tolist(),
        cutoff=one.cutoff,
    ).fetchall()
    thirds = {ticker: _THIRDS[third - 1] for ticker, third in found}
    return np.array([thirds.get(ticker, "") for ticker in one.tickers], dtype=object)


def _scores_table(scores: Sequence[tuple[str, str, Score]]) -> Table:
    kinds = {"str": "VARCHAR", "int": "INTEGER"}
    names = [field.name for field in fields(Score)]
    types = [kinds.get(getattr(field.type, "__name__", ""), "DOUBLE") for field in fields(Score)]
    return Table(
        ("slice", "part", *names),
        ("VARCHAR", "VARCHAR", *types),
        [(kind, part, *astuple(one)) for kind, part, one in scores],
    )


def _days_table(days: Daily, forecasters: Sequence[str]) -> Table:
    means = np.stack([days.ic, days.squared_error, days.crps], axis=2)
    numbers = np.concatenate([means, days.coverage, days.brier[..., None]], axis=2).tolist()
    rows = [
        (day, name, n, *(None if value != value else value for value in numbers[i][j]))
        for i, (day, n) in enumerate(zip(days.dates.tolist(), days.n.tolist(), strict=True))
        for j, name in enumerate(forecasters)
    ]
    measured = ("ic", "squared_error", "crps", *_COVERAGE, "brier")
    columns = ("date", "forecaster", "n_stocks", *measured)
    return Table(columns, ("DATE", "VARCHAR", "INTEGER", *["DOUBLE"] * len(measured)), rows)


def _weights_table(hindcasts: Sequence[CutoffHindcasts], members: Sequence[str]) -> Table:
    rows = [
        (one.cutoff, member, weight, one.n_stocks)
        for one in hindcasts
        for member, weight in zip(members, one.weights.tolist(), strict=True)
    ]
    columns = ("cutoff", "member", "weight", "n_stocks")
    return Table(columns, ("DATE", "VARCHAR", "DOUBLE", "INTEGER"), rows)
