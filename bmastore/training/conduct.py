"""The conductor: carries out a stage of a plan, and decides nothing.

A pass is one stage, a backtest one per cutoff. Both are stopped, bounded in memory and fed in
the same way.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, partial
from itertools import chain, islice
from types import FrameType

from bmastore.errors import StoppedError
from bmastore.models.config import FitConfig
from bmastore.models.results import Remembered
from bmastore.panel.read import read_cross_sections
from bmastore.storage.session import Session
from bmastore.training.delivery import SENT, Delivery
from bmastore.training.feed import Recall, read_chunks
from bmastore.training.plan import UniversePlan
from bmastore.training.universe import MadeUniverse, make_universe
from bmastore.workers.chunks import Chunk, Outcome, Result
from bmastore.workers.dispatch import MemoryWatch, run_all
from bmastore.workers.pool import Pool

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Stage:
    """Stocks to be worked on with what was known at one time.

    Attributes
    ----------
    config:
        What the fits are told.
    tickers:
        The stocks, in the order in which they are worked on.
    universe:
        What they share; ``None`` where they share nothing.
    as_of:
        Only rows and labels known on this date are read; ``None`` means all.
    until:
        Only rows of dates up to this one are read; ``None`` means all.
    most:
        Stocks in a chunk at most.
    """

    config: FitConfig
    tickers: tuple[str, ...]
    universe: UniversePlan | None
    as_of: date | None = None
    until: date | None = None
    most: int = 16


class Stop(threading.Event):
    """A sign to stop: once it is set, what is in work is finished and no more is begun.

    ``is_urgent`` says not to wait for what is in work either.
    """

    is_urgent = False

    def check(self) -> None:
        """Asked wherever workers are waited for; a commit in the background is not cut short.

        Raises
        ------
        StoppedError
            If it is urgent.
        """
        if self.is_urgent:
            raise StoppedError(
                "stopped at once; what was committed is kept: run the same command again to go on"
            )


@dataclass(frozen=True)
class Crew:
    """Who carries out a stage: workers, a watch on their memory, and a sign to stop."""

    pool: Pool
    memory: MemoryWatch
    stop: Stop


@contextmanager
def crew(
    make_executor: Callable[[int], Executor],
    workers: int,
    memory: MemoryWatch,
    stop: Stop,
) -> Iterator[Crew]:
    """A crew for as long as it is needed; once ``stop`` is set it finishes what is in work."""
    with Pool(make_executor, workers, check=stop.check) as pool:
        yield Crew(pool, memory, stop)


@contextmanager
def interruptible() -> Iterator[Stop]:
    """A sign that SIGINT and SIGTERM set; in another thread than the main one, never.

    The second makes it urgent: whoever sends two does not wait for what is in work. It raises
    nothing by itself, for it may come in the middle of a commit.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def request_stop(number: int, frame: FrameType | None) -> None:
        stop.is_urgent = stop.is_set()
        stop.set()

    before = {number: signal.signal(number, request_stop) for number in _STOP_SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def carry_out(
    session: Session,
    stage: Stage,
    crew: Crew,
    job: Callable[[Chunk], list[Outcome[Result]]],
    *,
    recall: Recall = lambda tickers: {},
    delivery: Delivery = SENT,
    on_universe: Callable[[MadeUniverse], None] = lambda made: None,
) -> Iterator[list[Outcome[Result]]]:
    """Outcomes of a stage's stocks, in the order in which they are done.

    Parameters
    ----------
    job:
        What a worker does with a chunk; it must be picklable.
    recall:
        Gives what is remembered of some stocks.
    delivery:
        How workers come by what a universe is made from, where one has to be made.
    on_universe:
        Told of the universe where one had to be made, before any stock is worked on.
    """
    chunks = read_chunks(
        session,
        stage.config,
        stage.tickers,
        lambda: crew.pool.workers,
        as_of=stage.as_of,
        until=stage.until,
        most=stage.most,
        recall=recall,
    )
    if stage.universe is not None:
        chunks = _with_universe(session, stage, stage.universe, chunks, crew, delivery, on_universe)
    yield from run_all(chunks, job, crew.pool, crew.memory, crew.stop.is_set)


def _with_universe(
    session: Session,
    stage: Stage,
    plan: UniversePlan,
    chunks: Iterator[Chunk],
    crew: Crew,
    delivery: Delivery,
    on_universe: Callable[[MadeUniverse], None],
) -> Iterator[Chunk]:
    """Chunks with the universe, which is made if it is not there."""
    read_recent = cache(
        partial(
            read_cross_sections,
            session.duck,
            stage.config.features,
            since=plan.anchor,
            until=stage.until or stage.as_of,
        )
    )
    first: list[Chunk] = []

    def read_ahead() -> None:
        read_recent()
        first.extend(islice(chunks, 1))

    blob, fitted = plan.blob, dict[str, Remembered]()
    if not blob:
        made = make_universe(session, stage.config, plan.anchor, crew.pool, read_ahead, delivery)
        on_universe(made)
        blob, fitted = made.blob, dict(made.remembered)
    recent = read_recent()
    return (
        replace(one, universe=blob, recent=recent, remembered=tuple(_with_fitted(one, fitted)))
        for one in chain(first, chunks)
    )


def _with_fitted(chunk: Chunk, fitted: dict[str, Remembered]) -> Iterator[Remembered | None]:
    """What is remembered of a chunk's stocks: what is stored, or was fitted for the universe."""
    for ticker, stored in zip(chunk.rows.tickers, chunk.remembered, strict=True):
        yield fitted.pop(ticker, None) if stored is None else stored
