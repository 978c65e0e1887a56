"""What came by fifth of the forecasts, and how many stocks change fifths: pure functions of arrays.

The questions are those of alphalens, asked of every forecaster; the fifths are those of
`v_quantile_returns` and `v_turnover`, which tell them live.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bmastore.arrays import Dates
from bmastore.evaluation.scores import Scored
from bmastore.models.mixture import Matrix

FIFTHS = 5
# The fifth of a stock that is not forecast, or by a forecaster that tells no stock from another.
_NONE = -1
_Placed = NDArray[np.int8]


@dataclass(frozen=True)
class Fifths:
    """Fifths of each day's stocks by their forecasts, the lowest first: t days, f forecasters.

    Attributes
    ----------
    dates:
        ``datetime64[D]``, shape (t,).
    n:
        Shape (t, 5): stocks of each fifth.
    forecasts, actuals:
        Shape (t, f, 5): mean forecast of each fifth, and mean of the targets that came; NaN where
        a forecaster tells no stock from another, or a day has fewer than five stocks.
    turnover:
        Shape (t, f, 5): share of a fifth's stocks, of those that were in any on the day before,
        that were in another; NaN where there are none.
    """

    dates: Dates
    n: NDArray[np.intp]
    forecasts: Matrix
    actuals: Matrix
    turnover: Matrix


def fifths(rows: Scored, stocks: NDArray[np.intp]) -> Fifths:
    """Fifths of each day, oldest first.

    Parameters
    ----------
    rows:
        At least one.
    stocks:
        Shape (n,): number of each row's stock. Equal forecasts are told apart by it.
    """
    order = np.lexsort((stocks, rows.dates))
    dates, counts = np.unique(rows.dates, return_counts=True)
    shape = (len(dates), len(rows.forecasters), FIFTHS)
    forecasts, actuals, turnover = (np.empty(shape) for _ in range(3))
    before = np.full((int(stocks.max()) + 1, len(rows.forecasters)), _NONE, np.int8)
    for i, (start, stop) in enumerate(pairwise([0, *np.cumsum(counts)])):
        of_day = order[start:stop]
        means = rows.means[of_day]
        placed = _placed(means)
        turnover[i] = _turnover(placed, before[stocks[of_day]])
        forecasts[i] = _means(means, placed)
        actuals[i] = _means(np.broadcast_to(rows.y[of_day, None], means.shape), placed)
        before[:] = _NONE
        before[stocks[of_day]] = placed
    sizes = np.array([_sizes(n) for n in counts])
    return Fifths(dates, sizes, forecasts, actuals, turnover)


def _sizes(n: int) -> NDArray[np.intp]:
    """Stocks of each fifth of n; those that are over go to the lowest, as SQL's ``ntile`` does."""
    sizes: NDArray[np.intp] = n // FIFTHS + (np.arange(FIFTHS) < n % FIFTHS)
    return sizes


def _placed(means: NDArray[np.float32]) -> _Placed:
    """Fifth of each stock of a day by each forecaster, 0 the lowest, shape (n, f)."""
    placed = np.full(means.shape, _NONE, np.int8)
    if len(means) < FIFTHS:
        return placed
    in_order = np.repeat(np.arange(FIFTHS, dtype=np.int8), _sizes(len(means)))
    np.put_along_axis(placed, means.argsort(axis=0, kind="stable"), in_order[:, None], axis=0)
    placed[:, np.ptp(means, axis=0) == 0] = _NONE
    return placed


def _means(values: NDArray[np.floating], placed: _Placed) -> Matrix:
    """Means of values, shape (n, f), over the stocks of each fifth, shape (f, 5)."""
    is_in = [placed == fifth for fifth in range(FIFTHS)]
    sums = [np.sum(values, axis=0, where=mask, dtype=np.float64) for mask in is_in]
    return _shares(np.stack(sums, axis=1), np.stack([mask.sum(axis=0) for mask in is_in], axis=1))


def _turnover(placed: _Placed, before: _Placed) -> Matrix:
    """Share of the stocks of each fifth that were in another before, shape (f, 5)."""
    was_there = before != _NONE
    is_in = [(placed == fifth) & was_there for fifth in range(FIFTHS)]
    moved = [(mask & (before != placed)).sum(axis=0) for mask in is_in]
    return _shares(np.stack(moved, axis=1), np.stack([mask.sum(axis=0) for mask in is_in], axis=1))


def _shares(parts: NDArray[np.generic], of: NDArray[np.intp]) -> Matrix:
    result: Matrix = np.full(of.shape, np.nan)
    np.divide(parts, of, out=result, where=of > 0)
    return result
