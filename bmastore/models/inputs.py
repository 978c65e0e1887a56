"""What forecasts of a stock's rows are made from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bmastore.arrays import Dates
from bmastore.cross_section import CrossSections


@dataclass(frozen=True)
class Inputs:
    """Features of n rows, and where the other stocks stood on their dates.

    Attributes
    ----------
    X:
        float32, shape (n, p): features as they are.
    relative:
        float32, shape (n, p): relative to their date's cross-section.
    market:
        float32, shape (n, p): typical sizes of the features among the stocks of the date.

    The last two are NaN where nothing is known of other stocks.
    """

    X: NDArray[np.float32]
    relative: NDArray[np.float32]
    market: NDArray[np.float32]

    @classmethod
    def among(cls, sections: CrossSections, dates: Dates, X: NDArray[np.float32]) -> "Inputs":
        """Those of rows at ``dates``, shape (n,), with features ``X``, shape (n, p)."""
        return cls(X, sections.relative(dates, X), sections.sizes(dates))

    @classmethod
    def alone(cls, X: NDArray[np.float32]) -> "Inputs":
        """Those of rows of which no other stock is known, with features ``X``, shape (n, p)."""
        unknown = np.full_like(X, np.nan)
        return cls(X, unknown, unknown)

    def columns(self, places: Sequence[int]) -> "Inputs":
        """The same with some of the features, in an order."""
        X, relative, market = (
            np.ascontiguousarray(part[:, places]) for part in (self.X, self.relative, self.market)
        )
        return Inputs(X, relative, market)
