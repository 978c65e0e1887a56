"""Makes the universe that a pass or a backtest needs.

A stored one is out of date when the calendar has entered another cell of
``splits.refresh_days`` days, when config or code are others, or when all stocks are forced:
that is the plan's to say. It never makes a stock stale: a stock takes up the newest universe
when it is next trained.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from bmastore import digests
from bmastore.arrays import Labels, PooledRows, evenly_spread
from bmastore.calendar import Grid
from bmastore.cross_section import CrossSections
from bmastore.errors import WorkerDiedError
from bmastore.ledger.universes import UniverseRecord
from bmastore.models.config import FitConfig
from bmastore.models.members.registry import shared_among
from bmastore.models.results import Remembered
from bmastore.models.universe import PooledFit, Universe
from bmastore.models.width import MIN_MOVES
from bmastore.panel.labels import read_labels
from bmastore.panel.read import read_cross_sections, read_rows
from bmastore.storage.session import Session
from bmastore.storage.statements import run
from bmastore.training.delivery import SENT, Compare, Delivery, FitFound
from bmastore.training.jobs import Compared, Comparison, fit_pooled, on_the_clock
from bmastore.workers.chunks import Chunk
from bmastore.workers.pool import Pool

# Stocks whose out-of-fold predictions say how good each member is in this universe. Over draws of
# 120, 240 and 480 of 3,640 stocks, the prior weight of the pooled member varies by .15, .08 and
# .07, the advantage of the others by .0018, .0009 and .0006. Their folds serve their own entries
# too, so that more of them cost nothing.
_PILOT_STOCKS, _PILOT_CHUNK = 480, 8
# So many are read at once: fewer would take a scan each, all would be a gigabyte in wide panels.
_PILOT_READ = 96
# Chunks of them per worker that are sent ahead; more, while they are small.
_AHEAD, _AHEAD_BYTES = 2, 32 * 2**20
# Key of the pooled model that forecasts, among those of the fold cells.
_NEWEST = None
_Fitting = Future[tuple[PooledFit | None, float]]


@dataclass(frozen=True)
class MadeUniverse:
    """A new universe: its bytes, what the ledger records of it, and folds that were fitted for it.

    ``remembered`` holds, by ticker, the folds of the stocks on which the members were compared.
    """

    blob: bytes
    record: UniverseRecord
    remembered: dict[str, Remembered]


def anchor_of(session: Session, config: FitConfig, as_of: date | None) -> date | None:
    """First day of the newest refresh cell that has features; ``None`` without any."""
    newest = run(session.duck, "universe/newest_date", cutoff=as_of).fetchall()[0][0]
    if newest is None:
        return None
    grid = Grid(config.splits.refresh_days)
    return grid.first_day(grid.cell(newest))


def make_universe(
    session: Session,
    config: FitConfig,
    anchor: date,
    pool: Pool,
    meanwhile: Callable[[], None] = lambda: None,
    delivery: Delivery = SENT,
) -> MadeUniverse:
    """Fit the pooled models of the fold cells and of the anchor, and compare the members.

    Nothing that became known on or after the anchor has a part in it.

    Parameters
    ----------
    meanwhile:
        Called while the workers compare the members.

    Raises
    ------
    WorkerDiedError
        If the fit of a pooled model kills its worker process, also in a pool of its own.
    """
    # What needs no fit is done while the workers are busy: at first they import libraries.
    sections = read_cross_sections(session.duck, config.features, until=anchor - timedelta(days=1))
    days = _days(config, anchor)
    told = config.target, config.horizon, config.features
    labels = read_labels(session.duck, *told, anchor, days.values(), MIN_MOVES)
    with delivery.leave(labels, sections) as fit_found:
        pooled = _Pooled(labels, sections, config, pool, fit_found)
        submitted = pooled.submit(days)
        fits = dict(islice(submitted, pool.workers))
        pilot = _pilot(session, config, anchor)
        import scipy.special  # noqa: F401  a tenth of a second that `compare` would wait for

        from bmastore.models.prior import compare as compare_members

        fits |= dict(submitted)
        # The members are compared on the fold cells; the newest model is fitted beside that.
        newest = fits.pop(_NEWEST, None)
        done = {
            cell: pooled.fitted(fit, days[cell]) for cell, fit in fits.items() if cell is not None
        }
        by_cell = {cell: fit for cell, (fit, _) in done.items()}
        trial = Universe(by_cell, None, sections, labels.move, None).to_bytes()
        chunks = partial(_chunks, session, config, anchor, pilot, trial)
        stocks, comparable, compare_s = _compare_members(
            pool, chunks, config, delivery.compare, meanwhile
        )
        last = None if newest is None else pooled.fitted(newest, anchor)
    prior = compare_members([one.evidence for one in stocks], comparable.members, config.horizon)
    prior = prior.with_unknown(config.members)
    fit = last and last[0]
    blob = Universe(by_cell, fit, sections, labels.move, prior).to_bytes()
    fit_s = compare_s + sum(cpu for _, cpu in (*done.values(), *([last] if last else [])))
    record = UniverseRecord(
        digests.of_artifact(blob),
        anchor,
        labels.n_rows,
        labels.n_stocks,
        fit_s,
        prior,
        config.features,
        _importances(config, fit),
    )
    # Folds of some of the members are not those of all.
    kept = stocks if comparable is config else []
    return MadeUniverse(blob, record, {one.ticker: one.remembered for one in kept})


def _importances(config: FitConfig, fit: PooledFit | None) -> dict[str, NDArray[np.float64]]:
    """What the splits of each shared member have gained, by feature."""
    if fit is None or fit.importances is None:
        return {}
    return dict.fromkeys(shared_among(config.members), fit.importances)


@dataclass(frozen=True)
class _Pooled:
    """Pooled fits of labels, in workers that find them themselves or are sent their rows."""

    labels: Labels
    sections: CrossSections
    config: FitConfig
    pool: Pool
    fit_found: FitFound | None

    def submit(self, days: dict[int | None, date]) -> Iterator[tuple[int | None, _Fitting]]:
        """Fits that have rows enough, by cell, each when there is room for it."""
        fits: list[_Fitting] = []
        for cell, day in days.items():
            # Rows of no more fits than there are workers are in memory at once: of a panel of
            # hundreds of features they are hundreds of megabytes each.
            while len(running := [fit for fit in fits if not fit.done()]) >= self.pool.workers:
                self.pool.wait(running)
            if self.labels.has_enough_before(day):
                fits.append(self._begin(day))
                yield cell, fits[-1]

    def fitted(self, fit: _Fitting, day: date) -> tuple[PooledFit, float]:
        """A fit, and the CPU seconds that it took.

        It is done again, alone and with rows that are sent, where a worker has died or has not
        found the labels.
        """
        with suppress(BrokenExecutor):
            found, cpu_s = self.pool.result(fit)
            if found is not None:
                return found, cpu_s
        with self.pool.of_one() as single:
            try:
                return single.result(single.submit(on_the_clock, fit_pooled, *self._rows(day)))
            except BrokenExecutor as error:
                raise WorkerDiedError(
                    f"a worker process died while the universe was fitted ({error}); "
                    f"if memory is short, try fewer --workers"
                ) from None

    def _begin(self, day: date) -> _Fitting:
        if self.fit_found is not None:
            return self.pool.submit(on_the_clock, self.fit_found, day, self.config)
        return self.pool.submit(on_the_clock, fit_pooled, *self._rows(day))

    def _rows(self, day: date) -> tuple[PooledRows, CrossSections, FitConfig]:
        known = self.sections.before(np.datetime64(day))
        return self.labels.known_before(day), known, self.config


def _compare_members(
    pool: Pool,
    chunks: Callable[[], Iterator[Chunk]],
    config: FitConfig,
    compare: Compare,
    meanwhile: Callable[[], None],
) -> tuple[list[Compared], FitConfig, float]:
    """Pilot stocks compared, the config of the members that were, and CPU seconds.

    A member of somebody's own that fails on more stocks than it does not leaves the comparison:
    else too few would speak for the others.
    """
    left = enumerate(chunks())
    in_flight: dict[Future[tuple[Comparison, float]], tuple[int, Chunk]] = {}
    found: dict[int, list[tuple[Comparison, float]]] = {}

    def submit() -> None:
        while (
            len(in_flight) < _AHEAD * pool.workers or _bytes_of(in_flight.values()) < _AHEAD_BYTES
        ):
            number, chunk = next(left, (None, None))
            if number is None or chunk is None:
                return
            in_flight[pool.submit(on_the_clock, compare, chunk, config)] = number, chunk

    submit()
    meanwhile()
    while in_flight:
        for done in pool.wait(in_flight):
            number, chunk = in_flight.pop(done)
            found[number] = list(_compared(done, chunk, config, compare, pool))
        submit()
    in_order = [one for number in sorted(found) for one in found[number]]
    stocks = [stock for comparison, _ in in_order for stock in comparison.stocks]
    failed = Counter(name for comparison, _ in in_order for name in comparison.failed)
    seconds = sum(cpu for _, cpu in in_order)
    hopeless = {name for name, n in failed.items() if n > len(stocks)}
    if not hopeless:
        return stocks, config, seconds
    fewer = tuple(name for name in config.members if name not in hopeless)
    again = _compare_members(pool, chunks, replace(config, members=fewer), compare, lambda: None)
    return again[0], again[1], again[2] + seconds


def _bytes_of(chunks: Iterable[tuple[int, Chunk]]) -> int:
    """What the features of numbered chunks take."""
    return sum(chunk.rows.X.nbytes for _, chunk in chunks)


def _compared(
    comparing: Future[tuple[Comparison, float]],
    chunk: Chunk,
    config: FitConfig,
    compare: Compare,
    pool: Pool,
) -> Iterator[tuple[Comparison, float]]:
    """Pilot stocks compared, and CPU seconds; one that kills its worker is none of them.

    Its own fit will tell what is wrong with it.
    """
    try:
        yield pool.result(comparing)
    except BrokenExecutor:
        with pool.of_one() as single:
            for one in chunk.alone():
                with suppress(BrokenExecutor):
                    yield single.result(single.submit(on_the_clock, compare, one, config))


def _days(config: FitConfig, anchor: date) -> dict[int | None, date]:
    """The day before which each pooled model's labels were known: fold cells, and the newest.

    The largest cell first, so that no worker is left alone with it at the end.
    """
    grid = Grid(config.splits.fold_days)
    cell = grid.cell(anchor)
    days: dict[int | None, date] = {
        number: grid.first_day(number)
        for number in range(cell, cell - config.splits.n_folds - 1, -1)
    }
    return {**days, _NEWEST: anchor}


def _pilot(session: Session, config: FitConfig, anchor: date) -> list[str]:
    """Stocks spread evenly over the alphabet.

    Of stocks that had history enough by the anchor: what lists later may not change who is asked.
    """
    found = run(
        session.duck,
        "universe/pilot_candidates",
        target=config.target,
        anchor=anchor,
        fewest=config.splits.min_train_rows + config.splits.min_oof_rows,
    ).fetchall()
    return evenly_spread([ticker for (ticker,) in found], _PILOT_STOCKS)


def _chunks(
    session: Session, config: FitConfig, anchor: date, tickers: Sequence[str], universe: bytes
) -> Iterator[Chunk]:
    """Rows known before the anchor of some stocks, a few stocks at a time, with a universe."""
    for start in range(0, len(tickers), _PILOT_READ):
        some = tickers[start : start + _PILOT_READ]
        rows = read_rows(session.duck, some, config.target, config.features)
        for part in rows.as_of(np.datetime64(anchor, "D") - 1).parts(_PILOT_CHUNK):
            yield Chunk(part, (None,) * len(part.tickers), universe)
