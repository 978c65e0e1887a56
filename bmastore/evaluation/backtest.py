"""A backtest: walk forward over cutoffs, train as of each, score what came after it.

It reads the panel and writes its scores; entries, artifacts and forecasts of the ledger stay
as they are. A cutoff that is done stays done: a backtest that was stopped or killed goes on
after it.
"""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np

from bmastore import digests
from bmastore.calendar import as_day, utc_now
from bmastore.errors import ArtifactError, ConfigError, StoppedError, StoreError
from bmastore.evaluation.cutoffs import CutoffHindcasts
from bmastore.evaluation.hindcast import Hindcast, hindcast_chunk
from bmastore.evaluation.report import BacktestReport, make_report
from bmastore.ledger import backtests
from bmastore.ledger.entries import new_id
from bmastore.models.config import FitConfig, TrainConfig
from bmastore.models.members.registry import shared_among
from bmastore.panel.series import choose_series, read_series
from bmastore.storage import artifacts
from bmastore.storage.publish import publish
from bmastore.storage.session import Session, Writer
from bmastore.storage.statements import run
from bmastore.training.conduct import Crew, Stage, carry_out, crew, interruptible
from bmastore.training.options import worker_count
from bmastore.training.plan import UniversePlan, resolve
from bmastore.training.universe import anchor_of
from bmastore.workers.chunks import Outcome, Totals
from bmastore.workers.dispatch import MemoryWatch, Progress
from bmastore.workers.local import local_executor


@dataclass(frozen=True)
class PlannedCutoff:
    """A date as of which stocks are trained, and what is known of it.

    Attributes
    ----------
    cutoff, until:
        That date, and the last one that is forecast from it.
    anchor:
        Of the universe; ``None`` where stocks share nothing.
    inputs_digest:
        Content hash of all that its hindcasts depend on.
    artifact:
        Hash of its hindcasts, if a backtest of the same inputs has finished it.
    """

    cutoff: date
    until: date
    anchor: date | None
    inputs_digest: str
    artifact: str | None


@dataclass(frozen=True)
class BacktestPlan:
    """What a backtest will do: made from reads alone.

    Attributes
    ----------
    config:
        What the fits are told.
    tickers:
        Stocks that are forecast.
    cutoffs:
        Oldest first.
    every:
        Trading days from one cutoff to the next.
    as_of:
        Only labels known on this date count; ``None`` means all.
    workers:
        How many.
    """

    config: FitConfig
    tickers: tuple[str, ...]
    cutoffs: tuple[PlannedCutoff, ...]
    every: int
    as_of: date | None
    workers: int


def plan_backtest(
    session: Session,
    config: TrainConfig,
    *,
    cutoffs: int,
    every: int,
    as_of: date | None = None,
    tickers: Sequence[str] | None = None,
    workers: int | None = None,
    max_memory: int | None = None,
) -> BacktestPlan:
    """What a backtest with these settings will do now.

    Raises
    ------
    ConfigError, StoreError
        If the store has no such target, features or tickers, or too little history.
    """
    for name, number in (("cutoffs", cutoffs), ("every", every)):
        if not isinstance(number, Integral) or number < 1:
            raise ConfigError(f"{name} must be a whole number, at least 1, not {number!r}")
    as_of = as_day("as_of", as_of)
    fit_config = resolve(session, config)
    chosen = tuple(one.ticker for one in choose_series(session.duck, fit_config.target, tickers))
    # What stocks share is learnt from all of them.
    data = [(one.ticker, one.digest) for one in read_series(session.duck, fit_config.target)]
    planned = []
    for cutoff, until in _spans(session, fit_config.target, cutoffs, every, as_of):
        is_shared = bool(shared_among(fit_config.members))
        anchor = anchor_of(session, fit_config, cutoff) if is_shared else None
        inputs = [
            fit_config.digest(), fit_config.code_version(), str(cutoff), str(until), str(as_of),
            chosen, data,
        ]  # fmt: skip
        digest = digests.of_text(json.dumps(inputs))
        artifact = backtests.finished_cutoff(session, digest)
        planned.append(PlannedCutoff(cutoff, until, anchor, digest, artifact))
    n_workers = worker_count(workers, max_memory, len(chosen))
    return BacktestPlan(fit_config, chosen, tuple(planned), every, as_of, n_workers)


def run_backtest(
    writer: Writer,
    plan: BacktestPlan,
    *,
    max_memory: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    make_executor: Callable[[int], Executor] = local_executor,
) -> BacktestReport:
    """Train as of each cutoff and score the forecasts up to the next; see ``Store.backtest``.

    Raises
    ------
    StoreError
        If no stock could be forecast.
    StoppedError
        If SIGINT or SIGTERM stopped it; cutoffs that are done stay done.
    """
    started, started_at = time.monotonic(), utc_now()
    writer.make_models()
    memory = MemoryWatch(max_memory)
    hindcasts = {one.cutoff: found for one in plan.cutoffs if (found := _recall(writer, one))}
    left = [one for one in plan.cutoffs if one.cutoff not in hindcasts]
    progress = _Progress(len(plan.tickers) * len(left), memory, started, on_progress)
    with interruptible() as stop:
        if left:
            with crew(make_executor, plan.workers, memory, stop) as hired:
                for one in left:
                    found = _hindcast(writer, plan, one, hired, progress)
                    if stop.is_set():
                        raise StoppedError(
                            f"stopped after {len(hindcasts)} of {len(plan.cutoffs)} cutoffs; "
                            f"run the same command again to go on"
                        )
                    _keep(writer, plan, one, found)
                    progress.commit()
                    hindcasts[one.cutoff] = found
        in_order = [hindcasts[one.cutoff] for one in plan.cutoffs]
        if all(one.scored is None for one in in_order):
            raise StoreError(
                f"no stock could be forecast from {plan.cutoffs[0].cutoff} on: too short a "
                f"history for all members before, or no label after"
            )
        report = make_report(
            writer,
            new_id(),
            in_order,
            len(plan.tickers),
            plan.config.members,
            plan.config.horizon,
            time.monotonic() - started,
        )
        _record(writer, plan, report, started_at)
        kept = (backtests.finished_cutoff(writer, one.inputs_digest) for one in plan.cutoffs)
        artifacts.delete(writer.models, (sha256 for sha256 in kept if sha256))
        publish(writer)
    return report


class _Progress:
    """Tells how far a backtest has come."""

    def __init__(
        self,
        selected: int,
        memory: MemoryWatch,
        started: float,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._selected = selected
        self._memory = memory
        self._started = started
        self._on_progress = on_progress
        self._totals, self._committed = Totals(), 0

    def take(self, outcomes: Sequence[Outcome[Hindcast]], workers: int) -> None:
        """Some stocks are done, by so many workers."""
        self._totals = self._totals.plus(outcomes)
        if self._on_progress:
            seconds = time.monotonic() - self._started
            done, memory = self._committed, self._memory.now
            self._on_progress(
                Progress(self._selected, done, self._totals, memory, seconds, workers)
            )

    def commit(self) -> None:
        """All stocks that are done are those of cutoffs that are kept."""
        self._committed = self._totals.done


def _spans(
    session: Session, target: str, cutoffs: int, every: int, as_of: date | None
) -> list[tuple[date, date]]:
    """Each cutoff, and the last day that is forecast from it; the last span ends with the labels.

    Raises
    ------
    StoreError
        If there are too few days.
    """
    found = run(session.duck, "backtest/labelled_days", target=target, as_of=as_of).fetchall()
    days = [day for (day,) in found]
    if len(days) <= cutoffs * every:
        raise StoreError(
            f"the store has {len(days)} labelled days; {cutoffs} cutoffs every {every} days need "
            f"more than {cutoffs * every}, and history before them; ask for fewer"
        )
    edges = [days[len(days) - 1 - every * i] for i in range(cutoffs, -1, -1)]
    return list(pairwise(edges))


def _recall(writer: Writer, planned: PlannedCutoff) -> CutoffHindcasts | None:
    """Hindcasts of a cutoff that is done."""
    if planned.artifact is None:
        return None
    try:
        return CutoffHindcasts.from_bytes(artifacts.read(writer.models, planned.artifact))
    except ArtifactError:  # of a backtest that is done, or damaged: it is worked on again
        return None


def _hindcast(
    writer: Writer,
    plan: BacktestPlan,
    planned: PlannedCutoff,
    hired: Crew,
    progress: _Progress,
) -> CutoffHindcasts:
    """Hindcasts of all stocks from a cutoff."""
    stage = Stage(
        plan.config,
        plan.tickers,
        None if planned.anchor is None else UniversePlan(planned.anchor),
        as_of=plan.as_of,
        until=planned.until,
    )
    job = partial(hindcast_chunk, config=plan.config, cutoff=np.datetime64(planned.cutoff))
    done: list[Outcome[Hindcast]] = []
    for outcomes in carry_out(writer, stage, hired, job):
        done += outcomes
        progress.take(outcomes, hired.pool.workers)
    return CutoffHindcasts.of(planned.cutoff, done)


def _keep(
    writer: Writer, plan: BacktestPlan, planned: PlannedCutoff, found: CutoffHindcasts
) -> None:
    """Keep a cutoff that is done, should the backtest not live to its end."""
    blob = found.to_bytes()
    sha256 = digests.of_artifact(blob)
    artifacts.write(writer.models, blob, sha256)
    backtests.record_cutoff(
        writer,
        inputs_digest=planned.inputs_digest,
        target=plan.config.target,
        cutoff=planned.cutoff,
        until=planned.until,
        n_stocks=found.n_stocks,
        artifact_sha256=sha256,
    )


def _record(
    writer: Writer, plan: BacktestPlan, report: BacktestReport, started_at: datetime
) -> None:
    head: dict[str, Any] = {
        "backtest_id": report.backtest_id,
        "target": plan.config.target,
        "horizon": plan.config.horizon,
        "as_of": plan.as_of,
        "cutoffs": len(plan.cutoffs),
        "every": plan.every,
        "n_stocks": report.n_stocks,
        "preset": plan.config.preset,
        "config_hash": plan.config.digest(),
        "config": plan.config.to_json(),
        "code_version": plan.config.code_version(),
        "started_at": started_at,
        "finished_at": utc_now(),
    }
    found = {
        "backtest_scores": report.scores,
        "backtest_days": report.days,
        "backtest_weights": report.weights,
    }
    tables = {}
    for name, table in found.items():
        columns = dict(zip(table.columns, zip(*table.rows, strict=True), strict=True))
        tables[name] = {"backtest_id": [report.backtest_id] * len(table.rows), **columns}
    backtests.record_backtest(writer, head, tables)
