"""How far a day's features are from those that models learnt from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Parts of equal share into which the values of the training window are cut.
_PARTS = 10
# Values that a window needs: fewer do not fill the parts.
_FEWEST = 200


@dataclass(frozen=True)
class FeatureDay:
    """How one feature stood on one day.

    Attributes
    ----------
    stocks:
        Rows of the day.
    median, quartile_distance:
        Over the stocks that have it; ``None`` without any.
    share_missing:
        Of the stocks.
    stability:
        Population stability index against the training window; ``None`` where that is too small.
    """

    stocks: int
    median: float | None
    quartile_distance: float | None
    share_missing: float
    stability: float | None


@dataclass(frozen=True)
class Reference:
    """How a feature's values lie in a training window: its tenths, of which some may be one.

    ``edges`` lie between the parts, shape (k - 1,); ``shares`` of the values in each, and of those
    that are missing, have shape (k + 1,).
    """

    edges: NDArray[np.float32]
    shares: NDArray[np.float64]

    @classmethod
    def of(cls, window: NDArray[np.float32]) -> "Reference | None":
        """That of a window, shape (m,), NaN where missing; ``None`` if it has too few values."""
        known = window[~np.isnan(window)]
        if len(known) < _FEWEST:
            return None
        edges = np.unique(np.quantile(known, np.arange(1, _PARTS) / _PARTS))
        # No part of a window is quite empty, or what comes into it would be infinitely far.
        counts = _counts(window, edges) + 0.5
        return cls(edges, counts / counts.sum())


def feature_day(today: NDArray[np.float32], reference: Reference | None) -> FeatureDay:
    """How a feature stood on a day, shape (n,), NaN where missing, and against the window."""
    known = today[~np.isnan(today)].astype(np.float64)
    low, middle, high = np.quantile(known, (0.25, 0.5, 0.75)) if len(known) else (None,) * 3
    return FeatureDay(
        len(today),
        None if middle is None else float(middle),
        None if low is None or high is None else float(high - low),
        1 - len(known) / len(today),
        None if reference is None else stability_index(today, reference),
    )


def stability_index(today: NDArray[np.float32], reference: Reference) -> float | None:
    """Population stability index of a day's values against those of a window.

    The sum over the parts of (share today - share then) log(share today / share then): the
    Kullback-Leibler divergence both ways (Siddiqi, "Credit Risk Scorecards", 2006, chapter 8).
    Parts are the tenths of the window, and what is missing. To the counts of the day half a row
    per part is added, shared out as the window's are: so an empty part is no infinity, and few
    stocks of which none misses anything are not far from a window in which that is so.
    ``None`` without any values of the day.
    """
    if not len(today):
        return None
    then = reference.shares
    counts = _counts(today, reference.edges) + len(then) / 2 * then
    now = counts / counts.sum()
    return float(np.sum((now - then) * np.log(now / then)))


def _counts(values: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.float64]:
    """Values in each part, and those that are missing."""
    missing = np.isnan(values)
    parts = np.searchsorted(edges, values[~missing], side="right")
    known = np.bincount(parts, minlength=len(edges) + 1)
    return np.append(known, np.count_nonzero(missing)).astype(np.float64)
