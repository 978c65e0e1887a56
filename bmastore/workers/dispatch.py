"""Feeds a pool: bounded work in flight, bounded memory, workers that may die."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass, field

import psutil

from bmastore.calendar import utc_now
from bmastore.errors import StoppedError, WorkerDiedError, WorkersError
from bmastore.workers.chunks import Chunk, Outcome, Result, Totals
from bmastore.workers.pool import Pool

# Chunks in flight for each worker: one that it works on, one that waits for it.
_CHUNKS_PER_WORKER = 2
_SAMPLE_S = 1.0
# Work in flight shrinks above the first share of the memory limit, and grows again
# below the second.
_HIGH_WATER, _LOW_WATER = 0.9, 0.75


@dataclass
class MemoryWatch:
    """Resident memory of this process and all its children, in bytes.

    ``limit`` is ``None`` where no limit was set.
    """

    limit: int | None
    now: int = 0
    peak: int = 0
    _sampled_at: float = field(default=-1.0, repr=False)

    def sample(self) -> None:
        """Look at the processes, at most once a second: it reads all of /proc."""
        if time.monotonic() - self._sampled_at < _SAMPLE_S:
            return
        me = psutil.Process()
        total = 0
        for process in (me, *me.children(recursive=True)):
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        self.now, self.peak = total, max(self.peak, total)
        self._sampled_at = time.monotonic()

    def window(self, current: int, most: int) -> int:
        """How many chunks may be in flight, given how many may be now."""
        if self.limit is None:
            return most
        if self.now > _HIGH_WATER * self.limit:
            return max(1, min(most, current) - 1)
        if self.now < _LOW_WATER * self.limit:
            return min(most, current + 1)
        return min(most, current)


@dataclass(frozen=True)
class Progress:
    """Where a pass stands: stocks done of those selected, memory in bytes, workers now.

    ``committed`` counts those that a kill would not lose; in a backtest, which is
    stored whole at its end, there are none.
    """

    selected: int
    committed: int
    totals: Totals
    memory: int
    seconds: float
    workers: int


def run_all(
    chunks: Iterator[Chunk],
    job: Callable[[Chunk], list[Outcome[Result]]],
    pool: Pool,
    memory: MemoryWatch,
    stop: Callable[[], bool],
) -> Iterator[list[Outcome[Result]]]:
    """Outcomes of all chunks, in the order in which they are done.

    When a worker dies, or a chunk fails as a whole, the stocks that were in flight are tried
    once more, each alone; one that kills its worker again, or fails so, has failed.

    Parameters
    ----------
    chunks:
        Stocks to train; taken only when there is room for them.
    job:
        What a worker does with a chunk; it must be picklable.
    stop:
        Asked between chunks; once true, what is in flight is finished and no
        more is begun.

    Raises
    ------
    WorkersError
        If there are no workers, or none that can do the job.
    """
    window = pool.workers * _CHUNKS_PER_WORKER
    in_flight: dict[Future[list[Outcome[Result]]], Chunk] = {}
    suspects: list[Chunk] = []
    try:
        while True:
            memory.sample()
            # A cluster may have grown, or shrunk.
            window = memory.window(window, pool.workers * _CHUNKS_PER_WORKER)
            while len(in_flight) < window and not suspects and not stop():
                chunk = next(chunks, None)
                if chunk is None:
                    break
                in_flight[pool.submit(job, chunk)] = chunk
            if not in_flight and not suspects:
                return
            for future in pool.wait(in_flight):
                chunk = in_flight.pop(future)
                try:
                    outcomes = pool.result(future)
                except (WorkersError, StoppedError):
                    raise
                except Exception:  # noqa: BLE001  what it was, its stocks will tell one by one
                    suspects.append(chunk)
                    continue
                yield outcomes
            if suspects and not in_flight:
                with pool.of_one() as single:
                    for chunk in suspects:
                        yield from _run_alone(chunk, job, single, stop)
                suspects = []
    finally:
        for future in in_flight:
            future.cancel()


def _run_alone(
    chunk: Chunk,
    job: Callable[[Chunk], list[Outcome[Result]]],
    single: Pool,
    stop: Callable[[], bool],
) -> Iterator[list[Outcome[Result]]]:
    """One stock at a time, so that the one that kills its worker is known."""
    for alone in chunk.alone():
        if stop():
            return
        started_at = utc_now()
        try:
            outcomes = single.result(single.submit(job, alone))
        except (WorkersError, StoppedError):
            raise
        except BrokenExecutor as error:
            died = WorkerDiedError(
                f"the worker process died twice while it trained this stock ({error})"
            )
            outcomes = [Outcome.of(alone.rows.stock(0), started_at, 0.0, error=died)]
        except Exception as error:  # noqa: BLE001  whatever it is, it is this stock's failure
            outcomes = [Outcome.of(alone.rows.stock(0), started_at, 0.0, error=error)]
        yield outcomes
