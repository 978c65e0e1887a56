"""What a pass is to do: which stocks, why, by which preset, with how many workers."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from bmastore import ledger
from bmastore.arrays import PanelArrays
from bmastore.budget import Choice, choose_preset
from bmastore.config import FitConfig, code_version
from bmastore.errors import ArtifactError, ConfigError
from bmastore.exchange import Work
from bmastore.ledger import Pending
from bmastore.panel.read import iterate_rows, read_rows
from bmastore.panel.series import Series, choose_series, describe, feature_columns, read_series
from bmastore.recall import read_remembered
from bmastore.storage import artifacts
from bmastore.storage.session import Writer

# Stocks read from the panel in one scan.
_READ_BATCH = 200
# Stocks sent to a worker at once. Each time costs 3 ms, so this keeps it below one percent of
# the fits; less toward the end, so that no worker is left alone with many.
_CHUNK = 16
# Stocks on which a time budget's pilot measures the presets.
_PILOT_STOCKS = 8
# Resident memory of the coordinator with a batch of rows, and of one worker.
_COORDINATOR_BYTES, _WORKER_BYTES = 350 * 2**20, 250 * 2**20


@dataclass(frozen=True)
class PassOptions:
    """How a pass goes about its work; nothing of this changes a result.

    Attributes
    ----------
    force:
        Train all stocks, not only the pending ones.
    retry_failed:
        Train also stocks whose last attempt failed on the same inputs.
    tickers:
        Consider only these stocks.
    limit:
        Train at most so many.
    as_of:
        Use only rows and labels known on this date.
    workers:
        Worker processes; ``None`` means one a core.
    max_memory:
        Bytes that all processes together may hold; ``None`` means no limit.
    batch_size:
        Stocks whose results are committed together; after ten seconds fewer are.
    time_per_stock:
        Core-seconds: take the richest preset that costs no more, whatever
        the config says. A pilot on a few stocks measures it; later runs
        with the same budget stay with its choice, for another preset would
        make all stocks stale.
    """

    force: bool = False
    retry_failed: bool = False
    tickers: tuple[str, ...] | None = None
    limit: int | None = None
    as_of: date | None = None
    workers: int | None = None
    max_memory: int | None = None
    batch_size: int = 400
    time_per_stock: float | None = None

    def __post_init__(self) -> None:
        for name in ("limit", "workers", "batch_size", "max_memory"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, not {value}")
        if self.time_per_stock is not None and self.time_per_stock <= 0:
            raise ConfigError(f"time_per_stock must be positive, not {self.time_per_stock}")


def plan(writer: Writer, config: FitConfig, options: PassOptions) -> list[Pending]:
    """What a pass would train, longest history first, and why.

    Raises
    ------
    UnknownTickerError
        If a named ticker is not in the store.
    """
    series = choose_series(writer.duck, config.target, options.tickers)
    if options.as_of is not None:
        series = _series_as_of(writer, series, config.target, options.as_of)
    newest = ledger.newest_entries(writer.ledger, config.target)
    config_hash, code = config.digest(), code_version()
    pending = []
    for one in series:
        last = newest.get(one.ticker)
        inputs = ledger.Inputs(one.digest, config_hash, code)
        cause = ledger.select_cause(
            last, inputs, force=options.force, retry_failed=options.retry_failed
        )
        if cause is not None:
            pending.append(
                Pending(
                    one.ticker,
                    cause,
                    last.attempt + 1 if last else 1,
                    inputs,
                    one.n_rows,
                    options.as_of or one.last_date,
                    last.trained_artifact if last else None,
                )
            )
    pending = pending[: options.limit]
    return sorted(pending, key=lambda one: (-one.n_rows, one.ticker))


def read_work(
    writer: Writer,
    config: FitConfig,
    pending: Sequence[Pending],
    options: PassOptions,
    workers: int,
) -> Iterator[Work]:
    """Rows of the pending stocks and what is remembered of them, read only when asked for."""
    cutoff = None if options.as_of is None else np.datetime64(options.as_of, "D")
    most = min(_CHUNK, options.batch_size)
    for start in range(0, len(pending), _READ_BATCH):
        batch = pending[start : start + _READ_BATCH]
        tickers = [one.ticker for one in batch]
        rows = read_rows(writer.duck, tickers, config.target, config.features)
        if cutoff is not None:
            rows = PanelArrays.of([stock.as_of(cutoff) for stock in rows])
        models = _read_artifacts(writer, batch)
        known = read_remembered(writer.duck, config, code_version(), models)
        remembered = tuple(known.get(ticker) for ticker in tickers)
        first = 0
        while first < len(tickers):
            left = len(pending) - start - first
            size = max(1, min(most, left // (4 * workers)))
            last = min(first + size, len(tickers))
            yield Work(rows.part(first, last), remembered[first:last])
            first = last


def _read_artifacts(writer: Writer, batch: Sequence[Pending]) -> dict[str, bytes]:
    """Artifacts of the stocks whose rows alone have changed; a damaged one is not needed."""
    found = {}
    for one in batch:
        if one.superseded_artifact and one.cause == "data":
            try:
                found[one.ticker] = artifacts.read(writer.models, one.superseded_artifact)
            except ArtifactError:
                continue
    return found


def spend_budget(
    writer: Writer,
    config: FitConfig,
    options: PassOptions,
    budget: float,
    make_executor: Callable[[int], Executor],
) -> Choice:
    """The preset for a budget: that of the last run with the same budget, or by a pilot."""
    with writer.transaction():
        earlier = ledger.preset_for_budget(writer.ledger, config.target, budget)
    if earlier is not None:
        return Choice(earlier, None, budget)
    series = sorted(read_series(writer.duck, config.target), key=lambda one: one.n_rows)
    long = series[len(series) // 2 :]
    tickers = [one.ticker for one in long[:: max(1, len(long) // _PILOT_STOCKS)][:_PILOT_STOCKS]]
    rows = read_rows(writer.duck, tickers, config.target, config.features)
    if options.as_of is not None:
        cutoff = np.datetime64(options.as_of, "D")
        rows = PanelArrays.of([stock.as_of(cutoff) for stock in rows])
    pilot = Work(rows, (None,) * len(tickers))
    # What stocks share is made once, whatever the preset.
    own = replace(config, members=tuple(name for name in config.members if name != "pooled"))
    return choose_preset(pilot.alone(), own, budget, make_executor)


def _series_as_of(
    writer: Writer, series: Sequence[Series], target: str, as_of: date
) -> list[Series]:
    """Digests and sizes of stocks as they were on a date."""
    features = feature_columns(writer.duck)
    cutoff = np.datetime64(as_of, "D")
    tickers = [one.ticker for one in series]
    return [
        describe(stock.as_of(cutoff), features)
        for stock in iterate_rows(writer.duck, tickers, target, features)
    ]


def worker_count(options: PassOptions, selected: int) -> int:
    """Processes to start: one a core, fewer where memory or stocks are few."""
    wanted = options.workers or _available_cores()
    if options.max_memory is not None:
        fitting = (options.max_memory - _COORDINATOR_BYTES) // _WORKER_BYTES
        wanted = min(wanted, max(1, fitting))
    return max(1, min(wanted, selected))


def _available_cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
