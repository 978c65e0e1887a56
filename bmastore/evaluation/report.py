"""What a backtest gives: scores over slices of its rows, fifths and months, as tables."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bmastore.evaluation.alarms import mean_error
from bmastore.evaluation.cutoffs import CutoffHindcasts
from bmastore.evaluation.fifths import FIFTHS, Fifths, fifths
from bmastore.evaluation.scores import INTERVALS, Daily, Score, Scored, daily, score
from bmastore.storage.session import Session
from bmastore.storage.statements import run
from bmastore.table import Table, Tabular

if TYPE_CHECKING:
    from bmastore.reports.picture import Picture

_THIRDS = ("low", "middle", "high")
_COVERAGE = tuple(f"coverage_{share * 100:.0f}" for share in INTERVALS)


@dataclass(frozen=True)
class BacktestReport(Tabular):
    """How each forecaster did.

    Attributes
    ----------
    backtest_id:
        Its key in the store.
    cutoffs:
        The dates as of which stocks were trained.
    n_stocks:
        Stocks that were forecast.
    n_left_out:
        Others that were asked for and did not fail: at each cutoff their history was too short for
        all members, or no label came after.
    scores, days, weights:
        As the views ``v_backtest``, ``v_backtest_days`` and ``v_backtest_weights``.
    fifths:
        Row per day, forecaster and fifth of the day's stocks by forecast, 5 the highest: mean
        forecast, what came, and ``turnover``, the share of stocks that were in another before.
    spreads:
        Row per forecaster: means of the fifths over days, and the highest less the lowest with
        its standard error. Targets overlap; the errors allow for it.
    months:
        Row per month and forecaster: mean daily rank correlation, and its standard error.
    failures:
        Stocks that failed, and why; those with too short a history are not among them.
    wall_s:
        Seconds.
    """

    backtest_id: str
    cutoffs: tuple[date, ...]
    n_stocks: int
    n_left_out: int
    scores: Table
    days: Table
    weights: Table
    fifths: Table
    spreads: Table
    months: Table
    failures: dict[str, str]
    wall_s: float

    @property
    def table(self) -> Table:
        """The scores."""
        return self.scores

    def plot(self) -> "Picture":
        """Skill, calibration and weights as a figure of matplotlib."""
        from bmastore.evaluation.plot import draw_backtest

        return draw_backtest(self)


def make_report(
    session: Session,
    backtest_id: str,
    hindcasts: Sequence[CutoffHindcasts],
    n_asked: int,
    members: Sequence[str],
    horizon: int,
    wall_s: float,
) -> BacktestReport:
    """Score the hindcasts of ``n_asked`` stocks, at least one of which has rows."""
    found = [one for one in hindcasts if one.scored is not None]
    rows = Scored.of([one.scored for one in found if one.scored is not None])
    failures: dict[str, str] = {}
    for one in hindcasts:
        failures |= one.failures
    days = daily(rows)
    forecast = {ticker for one in found for ticker in one.tickers}
    in_fifths = fifths(rows, _numbered(np.concatenate([one.tickers for one in found])))
    return BacktestReport(
        backtest_id=backtest_id,
        cutoffs=tuple(one.cutoff for one in hindcasts),
        n_stocks=len(forecast),
        n_left_out=n_asked - len(forecast | failures.keys()),
        scores=_scores_table(_score_slices(session, found, rows, horizon)),
        days=_days_table(days, rows.forecasters),
        weights=_weights_table(found, members),
        fifths=_fifths_table(in_fifths, rows.forecasters),
        spreads=_spreads_table(in_fifths, rows.forecasters, horizon),
        months=_months_table(days, rows.forecasters, horizon),
        failures=failures,
        wall_s=round(wall_s, 3),
    )


def _score_slices(
    session: Session, hindcasts: Sequence[CutoffHindcasts], rows: Scored, horizon: int
) -> list[tuple[str, str, Score]]:
    """Scores over all rows, by year, by third of the stocks by liquidity, and by sector."""
    years = rows.dates.astype("datetime64[Y]").astype(str)
    liquidity = np.concatenate([_liquidity(session, one) for one in hindcasts])
    slices = [("all", "all", np.ones(len(rows.y), dtype=bool))]
    slices += [("year", year, years == year) for year in np.unique(years)]
    slices += [("liquidity", name, liquidity == name) for name in _THIRDS]
    sectors = _sectors(session, hindcasts)
    slices += [("sector", name, sectors == name) for name in sorted(set(sectors) - {""})]
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


def _sectors(session: Session, hindcasts: Sequence[CutoffHindcasts]) -> NDArray[np.object_]:
    """Sector of each row's stock; empty where none is known."""
    known = {row["ticker"]: row["sector"] or "" for row in session.ledger_rows("stocks")}
    tickers = np.concatenate([one.tickers for one in hindcasts])
    return np.array([known.get(ticker, "") for ticker in tickers], dtype=object)


def _numbered(tickers: NDArray[np.object_]) -> NDArray[np.intp]:
    """A number for each ticker, in the order of their names."""
    numbers = {ticker: i for i, ticker in enumerate(sorted(set(tickers)))}
    return np.fromiter((numbers[ticker] for ticker in tickers), np.intp, len(tickers))


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
        (day, name, n, *_nulls(numbers[i][j]))
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


def _fifths_table(found: Fifths, forecasters: Sequence[str]) -> Table:
    numbers = np.stack([found.forecasts, found.actuals, found.turnover], axis=3).tolist()
    n = found.n.tolist()
    rows = [
        (day, name, fifth + 1, n[i][fifth], *_nulls(numbers[i][j][fifth]))
        for i, day in enumerate(found.dates.tolist())
        for j, name in enumerate(forecasters)
        if np.isfinite(found.actuals[i, j, 0])
        for fifth in range(FIFTHS)
    ]
    columns = ("date", "forecaster", "fifth", "n_stocks", "forecast", "actual", "turnover")
    types = ("DATE", "VARCHAR", "INTEGER", "INTEGER", "DOUBLE", "DOUBLE", "DOUBLE")
    return Table(columns, types, rows)


def _spreads_table(found: Fifths, forecasters: Sequence[str], horizon: int) -> Table:
    rows = []
    for j, name in enumerate(forecasters):
        has = np.isfinite(found.actuals[:, j, 0])
        if not has.any():
            continue
        came = found.actuals[has, j]
        spread = came[:, -1] - came[:, 0]
        turnover = [_mean(found.turnover[:, j, fifth]) for fifth in (0, FIFTHS - 1)]
        means = (*came.mean(axis=0).tolist(), float(spread.mean()))
        rows.append((name, len(came), *means, mean_error(spread, horizon), *turnover))
    measured = (
        *(f"fifth_{fifth + 1}" for fifth in range(FIFTHS)),
        "highest_less_lowest", "error", "turnover_lowest", "turnover_highest",
    )  # fmt: skip
    columns = ("forecaster", "n_days", *measured)
    return Table(columns, ("VARCHAR", "INTEGER", *["DOUBLE"] * len(measured)), rows)


def _months_table(days: Daily, forecasters: Sequence[str], horizon: int) -> Table:
    months = days.dates.astype("datetime64[M]")
    rows = []
    for month in np.unique(months):
        for j, name in enumerate(forecasters):
            ic = days.ic[months == month, j]
            ic = ic[np.isfinite(ic)]
            if len(ic):
                first = month.astype("datetime64[D]").item()
                rows.append((first, name, len(ic), float(ic.mean()), mean_error(ic, horizon)))
    columns = ("month", "forecaster", "n_days", "ic", "error")
    return Table(columns, ("DATE", "VARCHAR", "INTEGER", "DOUBLE", "DOUBLE"), rows)


def _mean(values: NDArray[np.float64]) -> float | None:
    """Mean of what is known."""
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else None


def _nulls(values: Sequence[float]) -> list[float | None]:
    return [None if value != value else value for value in values]
