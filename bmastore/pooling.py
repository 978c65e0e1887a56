"""The universe's part of a pass: makes it where it is missing or out of date.

It is out of date when the calendar has entered another cell of
``splits.refresh_days`` days, when config or code are others, or when all
stocks are forced. It never makes a stock stale: a stock takes up the newest
universe when it is next trained.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import suppress
from datetime import date, timedelta
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from bmastore import digests
from bmastore.arrays import PanelArrays
from bmastore.config import FitConfig
from bmastore.cross_section import CrossSections
from bmastore.errors import WorkerDiedError
from bmastore.exchange import Shared, Work
from bmastore.executors import Pool
from bmastore.panel.labels import Labels, read_labels
from bmastore.panel.read import read_cross_sections, read_rows
from bmastore.panel.series import read_series
from bmastore.shared import NewUniverse, Prior, StoredUniverse, dump
from bmastore.storage.session import Writer
from bmastore.storage.statements import run
from bmastore.worker import fit_pooled_in_worker, on_the_clock, score_in_worker

# Stocks whose out-of-fold predictions say how good each member is in this universe.
_PILOT_STOCKS, _PILOT_CHUNK = 120, 4
# Name of the pooled model that forecasts, among those of the fold cells.
_NEWEST = "newest"


def anchor_of(writer: Writer, config: FitConfig, as_of: date | None) -> date | None:
    """First day of the newest refresh cell that has features; ``None`` without any."""
    newest = run(writer.duck, "universe/newest_date", cutoff=as_of).fetchall()[0][0]
    if newest is None:
        return None
    day = np.datetime64(newest, "D").astype(np.int64)
    first: date = np.datetime64(int(day - day % config.splits.refresh_days), "D").item()
    return first


def make_universe(
    writer: Writer,
    config: FitConfig,
    anchor: date,
    pool: Pool,
    meanwhile: Callable[[], None] = lambda: None,
) -> NewUniverse:
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
    sections = read_cross_sections(writer.duck, config.features, until=anchor - timedelta(days=1))
    days = _days(config, anchor)
    labels = read_labels(writer, config, anchor, days.values())
    make_job = partial(_make_job, labels, sections, config.seed)
    submitted = _submit_fits(pool, days, make_job)
    fits = dict(islice(submitted, pool.workers))
    pilot = list(_pilot(writer, config, anchor))
    import bmastore.bma  # noqa: F401  a tenth of a second that `compare` would wait for

    fits |= dict(submitted)
    # The members are compared on the fold cells; the newest model is fitted beside that.
    newest = fits.pop(_NEWEST, None)
    done = {name: _fitted(fit, partial(make_job, days[name]), pool) for name, fit in fits.items()}
    models = {name: text for name, (text, _) in done.items()}
    trial = Shared(dump(StoredUniverse(models, sections, labels.move, None)))
    work = [Work(rows, (None,) * len(rows.tickers), trial) for rows in pilot]
    scoring = [pool.submit(on_the_clock, partial(score_in_worker, one, config)) for one in work]
    meanwhile()
    compared = [
        scored
        for one, future in zip(work, scoring, strict=True)
        for scored in _scored(future, one, config, pool)
    ]
    if newest is not None:
        done[_NEWEST] = _fitted(newest, partial(make_job, days[_NEWEST]), pool)
    models = {name: text for name, (text, _) in done.items()}
    prior = compare([score for scores, _ in compared for score in scores], config)
    blob = dump(StoredUniverse(models, sections, labels.move, prior))
    fit_s = sum(cpu for _, cpu in (*done.values(), *compared))
    return NewUniverse(
        blob, digests.of_artifact(blob), anchor, labels.n_rows, labels.n_stocks, fit_s, prior
    )


def compare(scores: Sequence[NDArray[np.float64]], config: FitConfig) -> Prior:
    """What the out-of-fold log densities of some stocks, each of shape (n, k), say of the members.

    Without any scores, all members are alike.
    """
    from bmastore import bma

    k = len(config.members)
    if not scores:
        return Prior(config.members, np.full(k, 1 / k), np.zeros(k), np.zeros(k))
    # Of targets that overlap, a few of each horizon say nearly all.
    thinned = [one[:: max(1, config.horizon // 2)] for one in scores]
    weights = bma.likeliest_weights(np.concatenate(thinned))
    leader = int(np.argmax(weights))
    found = [bma.advantages(one, leader, config.horizon) for one in scores]
    means, noise = (np.array(numbers) for numbers in zip(*found, strict=True))
    spread = np.maximum(means.var(axis=0) - noise.mean(axis=0), 0.0)
    return Prior(config.members, weights, means.mean(axis=0), spread)


def _submit_fits(
    pool: Pool, days: dict[str, date], make_job: Callable[[date], Callable[[], bytes] | None]
) -> Iterator[tuple[str, Future[tuple[bytes, float]]]]:
    """Fits of the pooled models that have rows enough, by name, each when there is room for it."""
    fits: list[Future[tuple[bytes, float]]] = []
    for name, day in days.items():
        job = make_job(day)
        if job is None:
            continue
        # Rows of one fit more than there are workers are enough to have in memory.
        while len(running := [fit for fit in fits if not fit.done()]) >= pool.workers:
            wait(running, return_when=FIRST_COMPLETED)
        fits.append(pool.submit(on_the_clock, job))
        yield name, fits[-1]


def _fitted(
    fit: Future[tuple[bytes, float]],
    make_job: Callable[[], Callable[[], bytes] | None],
    pool: Pool,
) -> tuple[bytes, float]:
    """A pooled model, and the CPU seconds that it took; fitted again alone if a worker has died."""
    with suppress(BrokenExecutor):
        return fit.result()
    job = make_job()
    assert job is not None
    with pool.of_one() as single:
        try:
            return single.submit(on_the_clock, job).result()
        except BrokenExecutor as error:
            raise WorkerDiedError(
                f"a worker process died while the universe was fitted ({error}); "
                f"if memory is short, try fewer --workers"
            ) from None


def _scored(
    scoring: Future[tuple[list[NDArray[np.float64]], float]],
    work: Work,
    config: FitConfig,
    pool: Pool,
) -> Iterator[tuple[list[NDArray[np.float64]], float]]:
    """Scores of pilot stocks, and CPU seconds; one that kills its worker has none.

    Its own fit will tell what is wrong with it.
    """
    try:
        yield scoring.result()
    except BrokenExecutor:
        with pool.of_one() as single:
            for one in work.alone():
                again = single.submit(on_the_clock, partial(score_in_worker, one, config))
                if again.exception() is None:
                    yield again.result()


def _days(config: FitConfig, anchor: date) -> dict[str, date]:
    """The day before which each pooled model's labels were known: fold cells, and the newest.

    The largest cell first, so that no worker is left alone with it at the end.
    """
    size = config.splits.fold_days
    cell = int(np.datetime64(anchor, "D").astype(np.int64)) // size
    days = {
        str(number): np.datetime64(number * size, "D").item()
        for number in range(cell, cell - config.splits.n_folds - 1, -1)
    }
    return {**days, _NEWEST: anchor}


def _make_job(
    labels: Labels, sections: CrossSections, seed: int, day: date
) -> Callable[[], bytes] | None:
    """The fit of the labels known before a day; ``None`` where they are too few."""
    rows = labels.known_before(day)
    if rows is None:
        return None
    return partial(fit_pooled_in_worker, rows, sections.before(np.datetime64(day)), seed)


def _pilot(writer: Writer, config: FitConfig, anchor: date) -> Iterator[PanelArrays]:
    """Rows known before the anchor, of stocks spread evenly over the alphabet, a few at a time."""
    tickers = [one.ticker for one in read_series(writer.duck, config.target)]
    chosen = tickers[:: max(1, len(tickers) // _PILOT_STOCKS)][:_PILOT_STOCKS]
    rows = read_rows(writer.duck, chosen, config.target, config.features)
    before = np.datetime64(anchor, "D") - 1
    return PanelArrays.of([stock.as_of(before) for stock in rows]).parts(_PILOT_CHUNK)
