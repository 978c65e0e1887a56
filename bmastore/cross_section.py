"""Where the stocks of the universe stood on each date, feature by feature.

What a feature says of a stock's coming return is told by how it compares with
the other stocks' on that date: a month's return of two percent is much in a
falling market and little in a rising one. The pooled member therefore learns
from features less their date's median, in units of the spread between its
quartiles; the robust form of the ranks by date of Gu, Kelly and Xiu,
"Empirical asset pricing via machine learning", RFS 33 (2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bmastore.arrays import Dates


@dataclass(frozen=True)
class CrossSections:
    """Medians and spreads of p features on m dates.

    Attributes
    ----------
    dates:
        ``datetime64[D]``, shape (m,), strictly increasing.
    medians, spreads:
        float32, shape (m, p): of each date's stocks, the median and the distance
        between lower and upper quartile; NaN where no stock has the feature.
    """

    dates: Dates
    medians: NDArray[np.float32]
    spreads: NDArray[np.float32]

    @classmethod
    def none(cls, p: int) -> "CrossSections":
        """Those of p features on no date."""
        nothing = np.empty((0, p), np.float32)
        return cls(np.empty(0, "datetime64[D]"), nothing, nothing)

    @classmethod
    def of(
        cls, days: Dates, dates: Dates, features: Sequence[NDArray[np.float32]]
    ) -> "CrossSections":
        """The cross-sections of some days.

        Parameters
        ----------
        days:
            Shape (m,), strictly increasing, at least one and at most 32,767.
        dates:
            Shape (n,): of rows of all stocks, in any order; those of other days do not count.
        features:
            p arrays of shape (n,).
        """
        place = np.searchsorted(days, dates)
        wanted = np.flatnonzero(days[np.minimum(place, len(days) - 1)] == dates)
        # Of small integers NumPy sorts by counting.
        place = place[wanted].astype(np.int16)
        in_order = wanted[np.argsort(place, kind="stable")]
        X = np.stack([feature[in_order] for feature in features])
        stops = np.cumsum(np.bincount(place, minlength=len(days)))
        found = [quartiles(X[:, start:stop]) for start, stop in pairwise([0, *stops])]
        lower, medians, upper = np.stack(found, axis=1).astype(np.float32)
        return cls(days, medians, upper - lower)

    def relative(self, dates: Dates, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features relative to the cross-section of their date, or of the newest one before it.

        Parameters
        ----------
        dates:
            Shape (n,).
        X:
            Shape (n, p).

        Returns
        -------
        Shape (n, p), float32. A feature in which the middle half of the stocks do not
        differ is only centred; one that no stock has is NaN.
        """
        if not len(self.dates):
            return np.full_like(X, np.nan)
        place = self._places(dates)
        spreads = np.where(self.spreads > 0, self.spreads, 1).astype(np.float32)
        result: NDArray[np.float32] = X - self.medians[place]
        result /= spreads[place]
        return result

    def sizes(self, dates: Dates) -> NDArray[np.float32]:
        """How large each feature is among the stocks of a date, or of the newest one before it.

        The absolute value of the median and half of the distance between the quartiles: of
        volatilities that is near their median, of returns near the median absolute one.

        ``dates`` has shape (n,).

        Returns
        -------
        Shape (n, p), float32; NaN where no stock has the feature.
        """
        if not len(self.dates):
            return np.full((len(dates), self.medians.shape[1]), np.nan, np.float32)
        sizes = np.abs(self.medians) + self.spreads / np.float32(2)
        result: NDArray[np.float32] = sizes[self._places(dates)]
        return result

    def _places(self, dates: Dates) -> NDArray[np.intp]:
        """Where the newest date at or before each of some dates is; 0 where there is none."""
        return np.maximum(np.searchsorted(self.dates, dates, "right") - 1, 0)

    def before(self, day: np.datetime64) -> "CrossSections":
        """The cross-sections of dates before ``day``."""
        m = int(np.searchsorted(self.dates, day))
        return CrossSections(self.dates[:m], self.medians[:m], self.spreads[:m])

    def then(self, later: "CrossSections") -> "CrossSections":
        """These, and those of ``later`` that are of newer dates."""
        if not len(self.dates):
            return later
        new = later.dates > self.dates[-1]
        return CrossSections(
            np.concatenate([self.dates, later.dates[new]]),
            np.concatenate([self.medians, later.medians[new]]),
            np.concatenate([self.spreads, later.spreads[new]]),
        )


def quartiles(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Lower quartile, median and upper quartile of p features, shape (3, p).

    Between two values by linear interpolation; of a feature that no stock has, NaN. NumPy's
    own ``nanquantile`` takes fifty times as long.

    Parameters
    ----------
    features:
        Shape (p, n); NaN where a stock lacks a feature.
    """
    p, n = features.shape
    if not n:
        return np.full((3, p), np.nan)
    in_order = np.sort(features, axis=1)  # NaN comes last
    last = np.maximum(n - np.isnan(features).sum(axis=1) - 1, 0)
    place = np.array([[0.25], [0.5], [0.75]]) * last
    below = place.astype(np.int64)
    low = in_order[range(p), below].astype(np.float64)
    high = in_order[range(p), np.minimum(below + 1, last)]
    result: NDArray[np.float64] = low + (high - low) * (place - below)
    return result
