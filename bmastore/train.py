"""One pass over the store: plan, submit, collect, checkpoint."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, partial
from itertools import chain, islice
from types import FrameType

from bmastore import ledger
from bmastore.config import FitConfig, TrainConfig, code_version
from bmastore.dispatch import MemoryWatch, Progress, fit_all
from bmastore.errors import ArtifactError
from bmastore.exchange import FitOutcome, FitResult, Shared, Work
from bmastore.executors import Pool, local_executor, single_threaded
from bmastore.ledger import Pending, Totals
from bmastore.panel.read import read_cross_sections
from bmastore.panel.series import choose_features, choose_target
from bmastore.plan import PassOptions, plan, read_work, spend_budget, worker_count
from bmastore.pooling import anchor_of, make_universe
from bmastore.recall import write_folds
from bmastore.storage import artifacts
from bmastore.storage.publish import publish
from bmastore.storage.session import Writer
from bmastore.worker import fit_in_worker

# Publishing copies the whole ledger, so it may take this share of the time and no more.
_PUBLISH_SHARE = 0.005
_PUBLISH_EVERY_S = 1.0
# Outcomes wait no longer than this, however large the batch: as much work is lost by a kill.
_CHECKPOINT_EVERY_S = 10.0
# A pass reads batch after batch: a larger buffer pool would only keep rows that are not
# read again, and grow with the store. What needs more spills to disk.
_DUCKDB_MEMORY = "256MB"
# Each time its log has grown by so much, DuckDB works it into the store and writes the newest
# rows anew: twice its own 16 MB.
_DUCKDB_LOG = "32MB"


@dataclass(frozen=True)
class RunSummary:
    """What a pass did.

    ``wall_s`` is in seconds, ``fit_cpu_s`` the CPU seconds of all fits, pooled ones too,
    ``peak_rss_mb`` the resident memory of all processes together in MiB.
    """

    run_id: str
    selected: int
    trained: int
    failed: int
    skipped: int
    wall_s: float
    fit_cpu_s: float
    workers: int
    peak_rss_mb: float
    stocks_per_s: float
    interrupted: bool


def run_pass(
    writer: Writer,
    config: TrainConfig,
    options: PassOptions,
    on_progress: Callable[[Progress], None] | None = None,
    make_executor: Callable[[int], Executor] = local_executor,
    say: Callable[[str], None] = lambda sentence: None,
) -> RunSummary:
    """Train what is pending and record it, batch by batch.

    SIGINT and SIGTERM end the pass after the stocks that are in work. ``say``
    is told, in a sentence, which preset a time budget chose.

    Raises
    ------
    ConfigError, StoreError
        If the store has no such target, features or tickers.
    """
    started = time.monotonic()
    writer.duck.execute(f"set memory_limit = '{_DUCKDB_MEMORY}'")
    writer.duck.execute(f"set checkpoint_threshold = '{_DUCKDB_LOG}'")
    target, horizon = choose_target(writer.duck, config.target)
    features = choose_features(writer.duck, config.features)
    fit_config = config.resolve(target, horizon, features)
    if options.time_per_stock is not None:
        with single_threaded():
            choice = spend_budget(
                writer, fit_config, options, options.time_per_stock, make_executor
            )
        fit_config = replace(config, preset=choice.preset).resolve(target, horizon, features)
    with writer.transaction():
        ledger.interrupt_dead_runs(writer.ledger)
        pending = plan(writer, fit_config, options)
        workers = worker_count(options, len(pending))
        if options.time_per_stock is not None:
            say(choice.sentence(len(pending), workers))
        run_id = ledger.start_run(
            writer.ledger,
            fit_config,
            code_version(),
            as_of=options.as_of,
            time_per_stock=options.time_per_stock,
            workers=workers,
            selected=len(pending),
        )
    memory = MemoryWatch(options.max_memory)
    memory.sample()
    recorder = _Recorder(writer, fit_config, run_id, pending, memory, started, on_progress)
    with interruptible() as stop:
        if pending:
            with single_threaded(), Pool(make_executor, workers) as pool:
                recorder.publish()
                work = read_work(writer, fit_config, pending, options, workers)
                if "pooled" in fit_config.members:
                    work, fit_s = _with_universe(writer, fit_config, run_id, work, options, pool)
                    recorder.totals = Totals(fit_cpu_s=fit_s)
                job = partial(fit_in_worker, config=fit_config)
                for outcomes in fit_all(work, job, pool, memory, stop.is_set):
                    recorder.take(outcomes, options.batch_size)
        interrupted = stop.is_set() and recorder.done < len(pending)
        recorder.finish("interrupted" if interrupted else "finished")
    wall_s = time.monotonic() - started
    totals = recorder.totals
    return RunSummary(
        run_id,
        len(pending),
        totals.trained,
        totals.failed,
        totals.skipped,
        round(wall_s, 3),
        round(totals.fit_cpu_s, 3),
        workers,
        round(memory.peak / 2**20, 1),
        round(recorder.done / wall_s, 3),
        interrupted,
    )


def _with_universe(
    writer: Writer,
    config: FitConfig,
    run_id: str,
    work: Iterator[Work],
    options: PassOptions,
    pool: Pool,
) -> tuple[Iterator[Work], float]:
    """Work with what all stocks share, and the CPU seconds that making it took."""
    anchor = anchor_of(writer, config, options.as_of)
    if anchor is None:
        return work, 0.0
    read_recent = cache(
        partial(
            read_cross_sections,
            writer.duck,
            config.features,
            since=anchor,
            until=options.as_of,
        )
    )
    first: list[Work] = []

    def read_ahead() -> None:
        read_recent()
        first.extend(islice(work, 1))

    universe, fit_s = _find_universe(writer, config, run_id, anchor, options, pool, read_ahead)
    shared = Shared(universe, read_recent())
    return (replace(one, shared=shared) for one in chain(first, work)), fit_s


def _find_universe(
    writer: Writer,
    config: FitConfig,
    run_id: str,
    anchor: date,
    options: PassOptions,
    pool: Pool,
    meanwhile: Callable[[], None],
) -> tuple[bytes, float]:
    """The universe of an anchor, stored or new, and the CPU seconds that it took."""
    if not options.force or options.tickers is not None:
        with writer.transaction():
            sha256 = ledger.find_universe(writer.ledger, config, code_version(), anchor)
        if sha256 is not None:
            with suppress(ArtifactError):  # a damaged one is made anew
                return artifacts.read(writer.models, sha256), 0.0
    made = make_universe(writer, config, anchor, pool, meanwhile)
    artifacts.write(writer.models, made.blob, made.sha256)
    with writer.transaction():
        columns = ledger.universe_columns(made, run_id, config, code_version())
        writer.insert("universes", columns)
    return made.blob, made.fit_s


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; in another thread than the main one, never."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def request_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, request_stop) for number in _STOP_SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Recorder:
    """Commits outcomes in batches, and keeps the published results fresh."""

    def __init__(
        self,
        writer: Writer,
        config: FitConfig,
        run_id: str,
        pending: Sequence[Pending],
        memory: MemoryWatch,
        started: float,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._writer = writer
        self._config = config
        self._run_id = run_id
        self._pending = {one.ticker: one for one in pending}
        self._memory = memory
        self._started = started
        self._on_progress = on_progress
        self._waiting: list[FitOutcome[FitResult]] = []
        self._publish_after = 0.0
        self._checkpoint_after = 0.0
        self.totals = Totals()
        self.done = 0

    def take(self, outcomes: list[FitOutcome[FitResult]], batch_size: int) -> None:
        """Take note of outcomes; commit the first, and whenever a batch is full or overdue."""
        self._waiting += outcomes
        self.done += len(outcomes)
        self.totals = self.totals.plus(outcomes)
        if len(self._waiting) >= batch_size or time.monotonic() > self._checkpoint_after:
            self.checkpoint()
            self._checkpoint_after = time.monotonic() + _CHECKPOINT_EVERY_S
            self._publish_if_due()
        self._tell()

    def _tell(self) -> None:
        if self._on_progress and self.done:
            committed = self.done - len(self._waiting)
            seconds = time.monotonic() - self._started
            self._on_progress(
                Progress(len(self._pending), committed, self.totals, self._memory.now, seconds)
            )

    def checkpoint(self, status: str = "running") -> None:
        """Commit what waits, in one transaction; artifacts lie ready before it."""
        taken = [
            (ledger.new_id(), self._pending[outcome.ticker], outcome) for outcome in self._waiting
        ]
        results = [(o.ticker, entry_id, o.result) for entry_id, _, o in taken if o.result]
        models = self._writer.models
        for _, _, result in results:
            artifacts.write(models, result.artifact, result.artifact_sha256)
        with self._writer.transaction():
            for table, columns in ledger.entry_tables(taken, self._run_id, self._config).items():
                self._writer.insert(table, columns)
            write_folds(self._writer.duck, results, self._config, code_version())
            ledger.update_run(
                self._writer.ledger,
                self._run_id,
                self.totals,
                wall_s=time.monotonic() - self._started,
                peak_rss_mb=self._memory.peak / 2**20,
                status=status,
            )
        self._waiting = []

    def publish(self) -> None:
        """Publish the results."""
        publish(self._writer)

    def _publish_if_due(self) -> None:
        """Publish after the first checkpoint, then as often as its cost allows."""
        before = time.monotonic()
        if before > self._publish_after:
            self.publish()
            cost = time.monotonic() - before
            self._publish_after = time.monotonic() + max(_PUBLISH_EVERY_S, cost / _PUBLISH_SHARE)

    def finish(self, status: str) -> None:
        """Commit the rest, close the run, publish, and delete superseded artifacts."""
        self.checkpoint(status)
        self._tell()
        self.publish()
        if self.done:
            with self._writer.transaction():
                current = ledger.current_artifacts(self._writer.ledger)
            artifacts.sweep(self._writer.models, keep=current)
