"""Keeps what a pass gives: commits outcomes in batches, and publishes the results."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from functools import cached_property

from bmastore.calendar import utc_now
from bmastore.ledger import derived, drift, entries, outcomes, runs
from bmastore.ledger.ensembles import record_ensembles
from bmastore.ledger.entries import Made
from bmastore.ledger.folds import write_folds
from bmastore.ledger.universes import record_universe
from bmastore.models.results import FitResult
from bmastore.storage import artifacts
from bmastore.storage.publish import publish
from bmastore.storage.session import Writer
from bmastore.training.delivery import stored
from bmastore.training.plan import Plan
from bmastore.training.universe import MadeUniverse
from bmastore.workers.chunks import Outcome, Totals
from bmastore.workers.dispatch import MemoryWatch, Progress

# Publishing may take this share of the time, unless readers would wait for too long.
_PUBLISH_SHARE = 0.02
_PUBLISH_EVERY_S, _PUBLISH_AFTER_S = 1.0, 10.0
# Outcomes wait no longer than this, however large the batch: as much work is lost by a kill.
_COMMIT_EVERY_S = 10.0


class Recorder:
    """Records one run.

    Parameters
    ----------
    writer:
        The store.
    plan:
        What the run is to do.
    run_id:
        Its key in the ledger.
    memory:
        Watch on the memory of all processes.
    started:
        When the pass began, on the monotonic clock.
    on_progress:
        Told how far it has come, by whichever thread has it record.
    """

    def __init__(
        self,
        writer: Writer,
        plan: Plan,
        run_id: str,
        memory: MemoryWatch,
        started: float,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._writer = writer
        self._plan = plan
        self.run_id = run_id
        self._planned = {stock.ticker: stock for stock in plan.stocks}
        self._memory = memory
        self._started = started
        self._on_progress = on_progress
        self._waiting: list[Outcome[FitResult]] = []
        self._recorded = 0
        self._publish_after = 0.0
        self._commit_after = 0.0
        self.totals = Totals()
        self._workers = plan.workers
        self.only_forecast = 0
        # Stocks on which members of somebody's own have failed.
        self.member_failures: Counter[str] = Counter()

    def keep_universe(self, made: MadeUniverse) -> None:
        """Store a universe that was made for this run."""
        writer, record = self._writer, made.record
        artifacts.write(writer.models, made.blob, record.artifact_sha256)
        with writer.transaction():
            record_universe(writer, record, self.run_id, self._plan.config)
        self.totals = Totals(fit_cpu_s=record.fit_s)

    def take(self, outcomes: list[Outcome[FitResult]], workers: int) -> None:
        """Take note of outcomes; commit the first, and whenever a batch is full or overdue.

        Artifacts are stored at once: they lie ready before the commit, and do not wait for it in
        memory. ``workers`` is how many there are now.
        """
        self._workers = workers
        self._waiting += [stored(outcome, self._writer.models) for outcome in outcomes]
        self.totals = self.totals.plus(outcomes)
        results = [outcome.result for outcome in outcomes if outcome.result is not None]
        self.member_failures.update(
            score.member for one in results for score in one.scores if score.error is not None
        )
        is_full = len(self._waiting) >= self._plan.options.batch_size
        if is_full or time.monotonic() > self._commit_after:
            self._commit()
            self._commit_after = time.monotonic() + _COMMIT_EVERY_S
            self._publish_if_due()
        self._tell()

    def take_forecasts(self, made: Sequence[Made]) -> None:
        """Commit what ensembles in use have forecast."""
        target = self._plan.config.target
        rows = entries.forecast_rows(made, target, utc_now())
        with self._writer.transaction():
            entries.record_forecasts(self._writer, rows, target)
            outcomes.await_labels(self._writer, made, rows, self._known_until)
        self._writer.checkpoint_if_due()
        self.only_forecast += len(made)

    def publish(self) -> None:
        """Publish the results so far."""
        publish(self._writer, is_last=False)

    def finish(self, status: str) -> None:
        """Commit the rest, close the run, publish, and delete superseded artifacts."""
        self._commit(status)
        self._tell()
        publish(self._writer, packs=True)
        if self.totals.done:
            artifacts.sweep(self._writer.models, keep=entries.artifacts_in_use(self._writer))

    def _tell(self) -> None:
        done = self.totals.done
        if self._on_progress and done:
            committed = done - len(self._waiting)
            seconds = time.monotonic() - self._started
            self._on_progress(
                Progress(
                    len(self._planned),
                    committed,
                    self.totals,
                    self._memory.now,
                    seconds,
                    self._workers,
                )
            )

    def _commit(self, status: str = "running") -> None:
        """Commit what waits, in one transaction."""
        config = self._plan.config
        taken = [
            (entries.entry_id(self.run_id, number), self._planned[outcome.ticker], outcome)
            for number, outcome in enumerate(self._waiting, self._recorded)
        ]
        results = [
            (outcome.ticker, entry_id, outcome.result)
            for entry_id, _, outcome in taken
            if outcome.result is not None
        ]
        # Folds are those of the current ensembles, which a look back does not replace.
        looks_back = {entry_id for entry_id, planned, _ in taken if planned.is_look_back}
        with_folds = [one for one in results if one[1] not in looks_back]
        made = [Made(entry_id, ticker, result.forecasts) for ticker, entry_id, result in results]
        forecasts = entries.forecast_rows(made, config.target, utc_now())
        with self._writer.transaction():
            if taken:
                entries.record(self._writer, taken, forecasts, self.run_id, config)
            record_ensembles(self._writer, results, config)
            write_folds(self._writer.duck, with_folds, config)
            if made:
                outcomes.await_labels(self._writer, made, forecasts, self._known_until)
            if status != "running":
                derived.tell_member_days(self._writer, config.target, self.run_id)
                outcomes.settle(self._writer)
                drift.measure_new_days(self._writer)
            runs.update_run(
                self._writer,
                self.run_id,
                self.totals,
                only_forecast=self.only_forecast,
                wall_s=time.monotonic() - self._started,
                peak_rss_mb=self._memory.peak / 2**20,
                status=status,
            )
        self._writer.checkpoint_if_due()
        self._recorded += len(taken)
        self._waiting = []

    @cached_property
    def _known_until(self) -> date:
        """The newest date of which the panel knows anything, which a pass does not change."""
        newest = outcomes.known_until(self._writer.duck)
        assert newest is not None, "what is trained has rows"
        return newest

    def _publish_if_due(self) -> None:
        """Publish after the first commit, then as often as its cost allows."""
        before = time.monotonic()
        if before > self._publish_after:
            self.publish()
            cost = time.monotonic() - before
            pause = min(cost / _PUBLISH_SHARE, _PUBLISH_AFTER_S)
            self._publish_after = time.monotonic() + max(pause, _PUBLISH_EVERY_S)
