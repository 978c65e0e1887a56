"""What a worker process does with what the coordinator sends.

Whatever is sent names these functions, so a worker imports this room and what it names, and
neither store nor ledger: their libraries would take a fifth of a second and 40 MB of each
worker. The coordinator imports it too, so the libraries that fit are imported where they
are used.
"""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bmastore.config import FitConfig
from bmastore.cross_section import CrossSections
from bmastore.exchange import FitOutcome, FitResult, Hindcast, PooledRows, Result, Work


def fit_in_worker(work: Work, config: FitConfig) -> list[FitOutcome[FitResult]]:
    """Train a chunk of stocks."""
    from bmastore.fit import fit_chunk

    return fit_chunk(work, config)


def hindcast_in_worker(
    work: Work, config: FitConfig, cutoff: np.datetime64
) -> list[FitOutcome[Hindcast]]:
    """Train a chunk of stocks as of a cutoff, and score what they forecast after it."""
    from bmastore.hindcast import hindcast_chunk

    return hindcast_chunk(work, config, cutoff)


def score_in_worker(work: Work, config: FitConfig) -> list[NDArray[np.float64]]:
    """Out-of-fold log densities of the stocks of a chunk that have all members."""
    from bmastore.fit import score_chunk

    return score_chunk(work, config)


def fit_pooled_in_worker(rows: PooledRows, sections: CrossSections, seed: int) -> bytes:
    """A pooled model of rows, whose dates have these cross-sections."""
    from bmastore.members.pooled import fit_pooled

    relative = sections.relative(rows.dates, rows.X)
    return fit_pooled(relative, rows.moves, rows.scales, rows.days, seed)


def on_the_clock(job: Callable[[], Result]) -> tuple[Result, float]:
    """What a job gives, and the CPU seconds that it took."""
    cpu = time.process_time()
    result = job()
    return result, time.process_time() - cpu
