"""A backtest: walk forward over cutoffs, train as of each, score what came after it.

It reads the panel and writes its scores; entries, artifacts and forecasts of
the ledger stay as they are.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmastore import ledger
from bmastore.arrays import PanelArrays
from bmastore.calendar import utc_now
from bmastore.config import FitConfig, TrainConfig, code_version
from bmastore.dispatch import MemoryWatch, Progress, fit_all
from bmastore.errors import ConfigError, StoreError
from bmastore.evaluate import Daily, Score, daily, score
from bmastore.exchange import FitOutcome, Hindcast, Scored, Shared, Work
from bmastore.executors import Pool, local_executor, single_threaded
from bmastore.ledger import Totals
from bmastore.panel.read import read_cross_sections, read_rows
from bmastore.panel.series import choose_features, choose_series, choose_target
from bmastore.plan import PassOptions, worker_count
from bmastore.pooling import anchor_of, make_universe
from bmastore.storage.publish import publish
from bmastore.storage.session import Writer
from bmastore.storage.statements import run
from bmastore.table import Table
from bmastore.worker import hindcast_in_worker

_READ_BATCH, _CHUNK = 200, 8
_THIRDS = ("low", "middle", "high")


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


@dataclass(frozen=True)
class _Window:
    """Hindcasts of one cutoff, the stocks one after another."""

    cutoff: date
    scored: Scored
    tickers: NDArray[np.object_]
    weights: NDArray[np.float64]
    n_stocks: int


def run_backtest(
    writer: Writer,
    config: TrainConfig,
    *,
    cutoffs: int,
    every: int,
    as_of: date | None = None,
    tickers: Sequence[str] | None = None,
    workers: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    make_executor: Callable[[int], Executor] = local_executor,
) -> BacktestReport:
    """Train as of each cutoff and score the forecasts up to the next; see ``Store.backtest``.

    Raises
    ------
    ConfigError, StoreError
        If the store has no such target, features or tickers, or too little history.
    """
    started, started_at = time.monotonic(), utc_now()
    if cutoffs < 1 or every < 1:
        raise ConfigError(f"cutoffs and every must be at least 1, not {cutoffs} and {every}")
    target, horizon = choose_target(writer.duck, config.target)
    features = choose_features(writer.duck, config.features)
    fit_config = config.resolve(target, horizon, features)
    chosen = [one.ticker for one in choose_series(writer.duck, target, tickers)]
    spans = _spans(writer, target, cutoffs, every, as_of)
    selected = len(chosen) * len(spans)
    n_workers = worker_count(PassOptions(workers=workers), len(chosen))
    memory, totals = MemoryWatch(None), Totals()
    failures: dict[str, str] = {}
    windows: list[_Window] = []
    with single_threaded():
        for cutoff, until in spans:
            done: list[FitOutcome[Hindcast]] = []
            with Pool(make_executor, n_workers) as pool:
                shared = _shared(writer, fit_config, cutoff, until, pool)
                work = _read_work(writer, fit_config, chosen, until, as_of, shared)
                job = partial(hindcast_in_worker, config=fit_config, cutoff=np.datetime64(cutoff))
                for outcomes in fit_all(work, job, pool, memory, lambda: False):
                    done += outcomes
                    totals = totals.plus(outcomes)
                    failures |= _failures(outcomes)
                    if on_progress:
                        seconds = time.monotonic() - started
                        on_progress(Progress(selected, 0, totals, memory.now, seconds))
            windows += _window(cutoff, done)
    if not windows:
        raise StoreError(
            f"no stock could be forecast from {spans[0][0]} on: too short a history for all "
            f"members before, or no label after"
        )
    backtest_id = ledger.new_id()
    scores = _score_slices(writer, windows, horizon)
    days = daily(Scored.of([window.scored for window in windows]))
    names = windows[0].scored.forecasters
    report = BacktestReport(
        backtest_id=backtest_id,
        cutoffs=tuple(cutoff for cutoff, _ in spans),
        n_stocks=len({ticker for window in windows for ticker in window.tickers}),
        scores=_scores_table(scores),
        days=_days_table(days, names),
        weights=_weights_table(windows, fit_config.members),
        failures=failures,
        wall_s=round(time.monotonic() - started, 3),
    )
    _store(writer, report, fit_config, every, as_of, started_at)
    return report


def _shared(
    writer: Writer, config: FitConfig, cutoff: date, until: date, pool: Pool
) -> Shared | None:
    """What stocks share as of the cutoff, for rows up to ``until``; ``None`` without ``pooled``."""
    anchor = anchor_of(writer, config, cutoff) if "pooled" in config.members else None
    if anchor is None:
        return None
    universe = make_universe(writer, config, anchor, pool).blob
    recent = read_cross_sections(writer.duck, config.features, since=anchor, until=until)
    return Shared(universe, recent)


def _failures(outcomes: Sequence[FitOutcome[Hindcast]]) -> dict[str, str]:
    return {
        outcome.ticker: f"{outcome.error_type}: {outcome.error_message}"
        for outcome in outcomes
        if outcome.status == "failed"
    }


def _spans(
    writer: Writer, target: str, cutoffs: int, every: int, as_of: date | None
) -> list[tuple[date, date]]:
    """Each cutoff, and the last day that is forecast from it; the last span ends with the labels.

    Raises
    ------
    StoreError
        If there are too few days.
    """
    found = run(writer.duck, "backtest/labelled_days", target=target, as_of=as_of).fetchall()
    days = [day for (day,) in found]
    if len(days) <= cutoffs * every:
        raise StoreError(
            f"the store has {len(days)} labelled days; {cutoffs} cutoffs every {every} days need "
            f"more than {cutoffs * every}, and history before them; ask for fewer"
        )
    edges = [days[len(days) - 1 - every * i] for i in range(cutoffs, -1, -1)]
    return list(pairwise(edges))


def _read_work(
    writer: Writer,
    config: FitConfig,
    tickers: Sequence[str],
    until: date,
    as_of: date | None,
    shared: Shared | None,
) -> Iterator[Work]:
    """Rows up to ``until``, with the labels that are known by ``as_of``, a few stocks at a time."""
    last = np.datetime64(until)
    for start in range(0, len(tickers), _READ_BATCH):
        batch = tickers[start : start + _READ_BATCH]
        stocks = list(read_rows(writer.duck, batch, config.target, config.features))
        if as_of is not None:
            stocks = [stock.as_of(np.datetime64(as_of)) for stock in stocks]
        rows = PanelArrays.of([stock.take(stock.dates <= last) for stock in stocks])
        for part in rows.parts(_CHUNK):
            yield Work(part, (None,) * len(part.tickers), shared)


def _window(cutoff: date, outcomes: Sequence[FitOutcome[Hindcast]]) -> list[_Window]:
    """The window of one cutoff, stocks in the order of their tickers; none without any rows."""
    found = [
        (outcome.ticker, outcome.result)
        for outcome in sorted(outcomes, key=lambda one: one.ticker)
        if outcome.result is not None
    ]
    if not found:
        return []
    counts = [len(result.scored.y) for _, result in found]
    return [
        _Window(
            cutoff,
            Scored.of([result.scored for _, result in found]),
            np.repeat(np.array([ticker for ticker, _ in found], dtype=object), counts),
            np.mean([result.weights for _, result in found], axis=0),
            len(found),
        )
    ]


def _score_slices(
    writer: Writer, windows: Sequence[_Window], horizon: int
) -> list[tuple[str, str, Score]]:
    """Scores over all rows, by year, and by third of the stocks by liquidity."""
    rows = Scored.of([window.scored for window in windows])
    years = rows.dates.astype("datetime64[Y]").astype(str)
    liquidity = np.concatenate([_liquidity(writer, window) for window in windows])
    slices = [("all", "all", np.ones(len(rows.y), dtype=bool))]
    slices += [("year", year, years == year) for year in np.unique(years)]
    slices += [("liquidity", name, liquidity == name) for name in _THIRDS]
    return [
        (kind, str(part), one)
        for kind, part, mask in slices
        if mask.any()
        for one in score(rows.take(mask), horizon)
    ]


def _liquidity(writer: Writer, window: _Window) -> NDArray[np.object_]:
    """Name of the third of each row's stock, as of the cutoff; empty where it has no prices."""
    found = run(
        writer.duck,
        "backtest/liquidity",
        tickers=np.unique(window.tickers).tolist(),
        cutoff=window.cutoff,
    ).fetchall()
    thirds = {ticker: _THIRDS[third - 1] for ticker, third in found}
    return np.array([thirds.get(ticker, "") for ticker in window.tickers], dtype=object)


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
    numbers = np.stack([days.ic, days.squared_error, days.crps], axis=2).tolist()
    rows = [
        (day, name, n, *(None if value != value else value for value in numbers[i][j]))
        for i, (day, n) in enumerate(zip(days.dates.tolist(), days.n.tolist(), strict=True))
        for j, name in enumerate(forecasters)
    ]
    columns = ("date", "forecaster", "n_stocks", "ic", "squared_error", "crps")
    return Table(columns, ("DATE", "VARCHAR", "INTEGER", "DOUBLE", "DOUBLE", "DOUBLE"), rows)


def _weights_table(windows: Sequence[_Window], members: Sequence[str]) -> Table:
    rows = [
        (window.cutoff, member, weight, window.n_stocks)
        for window in windows
        for member, weight in zip(members, window.weights.tolist(), strict=True)
    ]
    columns = ("cutoff", "member", "weight", "n_stocks")
    return Table(columns, ("DATE", "VARCHAR", "DOUBLE", "INTEGER"), rows)


def _store(
    writer: Writer,
    report: BacktestReport,
    config: FitConfig,
    every: int,
    as_of: date | None,
    started_at: datetime,
) -> None:
    head: dict[str, Any] = {
        "backtest_id": report.backtest_id,
        "target": config.target,
        "horizon": config.horizon,
        "as_of": as_of,
        "cutoffs": len(report.cutoffs),
        "every": every,
        "n_stocks": report.n_stocks,
        "preset": config.preset_name,
        "config_hash": config.digest(),
        "config": config.to_json(),
        "code_version": code_version(),
        "started_at": started_at,
        "finished_at": utc_now(),
    }
    with writer.transaction():
        writer.insert("backtests", {name: [value] for name, value in head.items()})
        for name, table in (
            ("backtest_scores", report.scores),
            ("backtest_days", report.days),
            ("backtest_weights", report.weights),
        ):
            columns = dict(zip(table.columns, zip(*table.rows, strict=True), strict=True))
            key = [report.backtest_id] * len(table.rows)
            writer.insert(name, {"backtest_id": key, **columns})
    publish(writer)
