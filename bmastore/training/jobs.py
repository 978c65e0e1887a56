"""The jobs of a pass: what a worker does with what the coordinator sends.

Whatever is sent names these functions, so a worker imports this room and what it names, and
neither store nor ledger: their libraries would take a fifth of a second and 40 MB of each
worker. The coordinator imports it too, so what computes is imported where it is used.
"""

import contextlib
import ctypes
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bmastore.arrays import PooledRows
from bmastore.cross_section import CrossSections
from bmastore.errors import MemberError
from bmastore.models.config import FitConfig
from bmastore.models.results import FitResult, Remembered
from bmastore.workers.chunks import Chunk, Outcome, Result, attempt

if TYPE_CHECKING:
    from bmastore.models.universe import PooledFit


def fit_chunk(chunk: Chunk, config: FitConfig) -> list[Outcome[FitResult]]:
    """Train several stocks, one after another; a stock that fails is an outcome of its own."""
    from bmastore.models.fit import fit_stock
    from bmastore.models.universe import open_universe

    universe = open_universe(chunk.universe).then(chunk.recent)
    return [
        attempt(stock, partial(fit_stock, stock, config, universe, remembered))
        for stock, remembered in zip(chunk.rows, chunk.remembered, strict=True)
    ]


@dataclass(frozen=True)
class Compared:
    """A stock on which the members were compared: n rows, k members.

    Attributes
    ----------
    evidence:
        Shape (n, k): log densities out of fold, by the scale of all rows.
    remembered:
        Its folds, which need not be fitted again for its own entry.
    """

    ticker: str
    evidence: NDArray[np.float64]
    remembered: Remembered


@dataclass(frozen=True)
class Comparison:
    """What stocks say of the members: ``failed`` names one that fails for each stock with one."""

    stocks: list[Compared]
    failed: list[str]


def compare_chunk(chunk: Chunk, config: FitConfig) -> Comparison:
    """The members compared on those stocks that have all of them."""
    from bmastore.models.ensemble import dump_fold
    from bmastore.models.fit import average, for_history
    from bmastore.models.universe import open_universe

    universe = open_universe(chunk.universe).then(chunk.recent)
    compared, failed = [], []
    for stock in chunk.rows:
        labelled = stock.labelled()
        if for_history(labelled, config) is config:
            try:
                found = average(labelled, config, universe)
            except MemberError as error:
                failed.append(error.member)
                continue
            except Exception:  # noqa: BLE001, S112  its own fit will say what is wrong with it
                continue
            remembered = Remembered(
                found.oof.records,
                found.oof.predictions,
                dump_fold(found.newest_fold),
                is_stored=False,
            )
            compared.append(Compared(stock.ticker, found.evidence, remembered))
    return Comparison(compared, failed)


def fit_pooled(rows: PooledRows, sections: CrossSections, config: FitConfig) -> "PooledFit":
    """What is learnt from rows of all stocks, whose dates have these cross-sections."""
    from bmastore.models.members import pooled
    from bmastore.models.members.base import shares_in
    from bmastore.models.universe import PooledFit
    from bmastore.models.width import fit_widths

    params = config.params_of(pooled.POOLED.name)
    relative = sections.relative(rows.dates, rows.X)
    model, gains = pooled.fit_pooled(
        relative, rows.moves, rows.scales, rows.days, params, config.seed
    )
    # With hundreds of features each of these arrays is as large as all that was sent.
    del relative
    _give_back_memory()
    dates, days = np.unique(rows.dates, return_inverse=True)
    widths = fit_widths(rows.X, sections.sizes(dates), days, rows.moves, rows.scales)
    return PooledFit(model, widths, shares_in(gains))


def _give_back_memory() -> None:
    """Give the system the memory that LightGBM has let go of, which glibc would keep.

    It copies the features in thousands of small pieces.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a system without glibc
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def on_the_clock(job: Callable[..., Result], *args: Any) -> tuple[Result, float]:
    """What a job gives, and the CPU seconds that it took."""
    cpu = time.process_time()
    result = job(*args)
    return result, time.process_time() - cpu
