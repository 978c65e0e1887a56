"""A pass: plan, carry out, record."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from bmastore.ledger import runs
from bmastore.ledger.entries import Made
from bmastore.models.config import TrainConfig
from bmastore.models.results import Forecasts
from bmastore.panel.series import value_columns
from bmastore.storage.session import Session, Writer
from bmastore.table import Table, Tabular
from bmastore.training.background import in_background
from bmastore.training.budget import earlier_choice, spend_budget
from bmastore.training.conduct import Crew, Stage, Stop, carry_out, crew, interruptible
from bmastore.training.delivery import SENT, ModelsFolder, fit_and_deliver, through
from bmastore.training.feed import recall_folds
from bmastore.training.kept import forecast_kept
from bmastore.training.options import PassOptions
from bmastore.training.plan import Plan, make_plan, resolve, targets_of
from bmastore.training.recorder import Recorder
from bmastore.workers.dispatch import MemoryWatch, Progress
from bmastore.workers.local import local_executor

# A pass reads batch after batch: a larger buffer pool would only keep rows that are not
# read again. What needs more spills to disk, but for what a scan of all stocks pins, and what a
# sort pins of each column: with 500 features that is some hundred megabytes.
_DUCKDB_MB, _DUCKDB_KB_PER_STOCK, _DUCKDB_KB_PER_COLUMN = 256, 4, 750
# The cores are the workers'. A batch is too small to be shared out: threads that wait for each
# other's parts of it cost more CPU time than one needs for all, and more time by the clock.
_DUCKDB_THREADS = 1


# What a summary says in its table.
_TOLD = {
    "run_id": "VARCHAR",
    **dict.fromkeys(("selected", "trained", "failed", "skipped", "only_forecast"), "INTEGER"),
    **dict.fromkeys(("wall_s", "fit_cpu_s"), "DOUBLE"),
    "workers": "INTEGER",
    **dict.fromkeys(("peak_rss_mb", "stocks_per_s"), "DOUBLE"),
    "interrupted": "BOOLEAN",
}


@dataclass(frozen=True)
class RunSummary(Tabular):
    """What a pass did.

    ``only_forecast`` counts stocks whose ensembles in use forecast their new rows, and
    ``not_forecast`` says why some could not; ``member_failures`` counts, by member, the stocks
    on which it failed, so that they were averaged without it. ``wall_s`` is in seconds,
    ``fit_cpu_s`` the CPU seconds of all fits, pooled ones too, ``peak_rss_mb`` the resident memory
    of all processes together in MiB. Where several targets were trained, ``runs`` holds a summary
    of each, and ``run_id`` is the last one's.
    """

    run_id: str
    selected: int
    trained: int
    failed: int
    skipped: int
    only_forecast: int
    wall_s: float
    fit_cpu_s: float
    workers: int
    peak_rss_mb: float
    stocks_per_s: float
    interrupted: bool
    not_forecast: Mapping[str, str] = field(default_factory=dict)
    member_failures: Mapping[str, int] = field(default_factory=dict)
    runs: "tuple[RunSummary, ...]" = ()

    @property
    def table(self) -> Table:
        """A row per target, with what can be told in a word or a number."""
        rows = [tuple(getattr(one, name) for name in _TOLD) for one in self.runs or (self,)]
        return Table(tuple(_TOLD), tuple(_TOLD.values()), rows)


def plan_passes(session: Session, config: TrainConfig, options: PassOptions) -> tuple[Plan, ...]:
    """What passes over the config's targets would do now; reads, and changes nothing.

    With a time budget, a plan has the preset of the last run with the same one, or that of
    the config if there is none: a pass would measure.
    """
    return tuple(
        _plan_pass(session, replace(config, target=target), options)
        for target in targets_of(session, config)
    )


def _plan_pass(session: Session, config: TrainConfig, options: PassOptions) -> Plan:
    fit_config = resolve(session, config)
    if options.time_per_stock is not None:
        choice = earlier_choice(session, fit_config, options.time_per_stock)
        if choice is not None:
            fit_config = resolve(session, replace(config, preset=choice.preset))
    return make_plan(session, fit_config, options)


def run_passes(
    writer: Writer,
    config: TrainConfig,
    options: PassOptions,
    on_progress: Callable[[Progress], None] | None = None,
    make_executor: Callable[[int], Executor] = local_executor,
    say: Callable[[str], None] = lambda sentence: None,
) -> RunSummary:
    """Run a pass over each of the config's targets; see :func:`run_pass`."""
    targets, done = targets_of(writer, config), []
    for target in targets:
        if len(targets) > 1:
            say(f"target {target}")
        one = replace(config, target=target)
        done.append(run_pass(writer, one, options, on_progress, make_executor, say))
        if done[-1].interrupted:
            break
    return done[0] if len(targets) == 1 else _together(done)


def _together(done: Sequence[RunSummary]) -> RunSummary:
    """The passes over several targets as one."""
    stocks = sum(one.trained + one.failed + one.skipped for one in done)
    wall_s = sum(one.wall_s for one in done)
    return RunSummary(
        run_id=done[-1].run_id,
        selected=sum(one.selected for one in done),
        trained=sum(one.trained for one in done),
        failed=sum(one.failed for one in done),
        skipped=sum(one.skipped for one in done),
        only_forecast=sum(one.only_forecast for one in done),
        wall_s=round(wall_s, 3),
        fit_cpu_s=round(sum(one.fit_cpu_s for one in done), 3),
        workers=max(one.workers for one in done),
        peak_rss_mb=max(one.peak_rss_mb for one in done),
        stocks_per_s=round(stocks / wall_s, 3),
        interrupted=done[-1].interrupted,
        not_forecast={
            ticker: reason for one in done for ticker, reason in one.not_forecast.items()
        },
        member_failures=dict(sum((Counter(one.member_failures) for one in done), Counter())),
        runs=tuple(done),
    )


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
    _bound_memory(writer)
    fit_config = resolve(writer, config)
    choice = None
    if options.time_per_stock is not None:
        budget = options.time_per_stock
        choice = spend_budget(writer, fit_config, options, budget, make_executor)
        fit_config = resolve(writer, replace(config, preset=choice.preset))
    plan = make_plan(writer, fit_config, options)
    if choice is not None:
        say(choice.sentence(len(plan.stocks), plan.workers))
    memory = MemoryWatch(options.max_memory)
    memory.sample()
    with interruptible() as stop, _closed_if_cut_short(writer):
        recorder = _begin(writer, plan, memory, started, on_progress)
        not_forecast = _forecast_kept(writer, plan, recorder, stop)
        if plan.stocks:
            with crew(make_executor, plan.workers, memory, stop) as hired:
                _train(writer, plan, recorder, hired)
        done = recorder.totals.done + recorder.only_forecast + len(not_forecast)
        is_cut_short = stop.is_set() and done < len(plan.stocks) + len(plan.kept)
        recorder.finish("interrupted" if is_cut_short else "finished")
    wall_s = time.monotonic() - started
    return _summary(plan, recorder, memory, wall_s, is_cut_short, not_forecast)


@contextmanager
def _closed_if_cut_short(writer: Writer) -> Iterator[None]:
    """Have the ledger say at once that a pass has ended where it was, and not by the next pass."""
    try:
        yield
    except Exception:
        # What ended it may be that nothing can be written; the next pass will say it then.
        with suppress(Exception), writer.transaction():
            runs.interrupt_dead_runs(writer)
        raise


def _bound_memory(writer: Writer) -> None:
    """Bound what DuckDB takes beside the workers."""
    duck = writer.duck
    ((stocks,),) = duck.execute("select count(distinct ticker) from series").fetchall()
    kilobytes = stocks * _DUCKDB_KB_PER_STOCK + len(value_columns(duck)) * _DUCKDB_KB_PER_COLUMN
    duck.execute(f"set threads = {_DUCKDB_THREADS}")
    duck.execute(f"set memory_limit = '{_DUCKDB_MB + kilobytes // 1000}MB'")


def _begin(
    writer: Writer,
    plan: Plan,
    memory: MemoryWatch,
    started: float,
    on_progress: Callable[[Progress], None] | None,
) -> Recorder:
    """Open the run in the ledger."""
    writer.make_models()
    with writer.transaction():
        runs.interrupt_dead_runs(writer)
        run_id = runs.start_run(
            writer,
            plan.config,
            as_of=plan.options.as_of,
            time_per_stock=plan.options.time_per_stock,
            max_age=plan.options.max_age,
            stale_after=plan.options.stale_after,
            workers=plan.workers,
            selected=len(plan.stocks),
        )
    return Recorder(writer, plan, run_id, memory, started, on_progress)


def _train(writer: Writer, plan: Plan, recorder: Recorder, hired: Crew) -> None:
    """Train the plan's stocks: one thread reads them and hands them out, another commits."""
    config, folder = plan.config, ModelsFolder(writer.models.resolve(), recorder.run_id)
    recorder.publish()
    folder.show()
    is_seen = hired.pool.everywhere(folder.is_seen)
    stage = Stage(
        config,
        tuple(stock.ticker for stock in plan.stocks),
        plan.universe,
        as_of=plan.options.as_of,
        most=plan.options.batch_size,
    )
    with writer.reading() as panel, in_background(recorder.take) as take:
        for outcomes in carry_out(
            panel,
            stage,
            hired,
            partial(fit_and_deliver, config=config, folder=folder),
            recall=recall_folds(panel, config, plan.stocks, by_hash=is_seen),
            delivery=through(folder) if is_seen else SENT,
            on_universe=recorder.keep_universe,
        ):
            take(outcomes, hired.pool.workers)


def _forecast_kept(writer: Writer, plan: Plan, recorder: Recorder, stop: Stop) -> dict[str, str]:
    """Have ensembles in use forecast the new rows of the stocks that are not trained.

    Returns why some could not be, by ticker.
    """
    if not plan.kept:
        return {}
    options, not_forecast = plan.options, dict[str, str]()
    config = plan.config
    forecast = forecast_kept(
        writer, config.target, plan.kept, options.as_of, (*config.trusted(), *options.trusted)
    )
    while not stop.is_set() and (batch := list(islice(forecast, options.batch_size))):
        made = [
            Made(kept.entry_id, kept.ticker, found)
            for kept, found in batch
            if isinstance(found, Forecasts)
        ]
        not_forecast |= {kept.ticker: found for kept, found in batch if isinstance(found, str)}
        if made:
            recorder.take_forecasts(made)
    return not_forecast


def _summary(
    plan: Plan,
    recorder: Recorder,
    memory: MemoryWatch,
    wall_s: float,
    is_cut_short: bool,
    not_forecast: Mapping[str, str],
) -> RunSummary:
    totals = recorder.totals
    return RunSummary(
        recorder.run_id,
        len(plan.stocks),
        totals.trained,
        totals.failed,
        totals.skipped,
        recorder.only_forecast,
        round(wall_s, 3),
        round(totals.fit_cpu_s, 3),
        plan.workers,
        round(memory.peak / 2**20, 1),
        round(totals.done / wall_s, 3),
        is_cut_short,
        not_forecast,
        dict(recorder.member_failures),
    )
