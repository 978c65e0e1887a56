"""Rows of stocks as arrays: what the panel hands to the fits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Dates = NDArray[np.datetime64]
Item = TypeVar("Item")


def evenly_spread(items: Sequence[Item], n: int) -> list[Item]:
    """At most ``n`` of some items in their order, as far apart as they can be."""
    return list(items[:: max(1, len(items) // n)][:n])


@dataclass(frozen=True)
class StockArrays:
    """All rows of one stock, oldest first.

    Attributes
    ----------
    ticker:
        The stock.
    dates:
        ``datetime64[D]``, shape (n,), strictly increasing.
    label_ends:
        ``datetime64[D]``, shape (n,): the date on which the row's target became
        known; NaT where it is not known yet.
    X:
        float32, shape (n, p); NaN where a feature is missing.
    y:
        float64, shape (n,): the target; NaN where it is not known yet.
    """

    ticker: str
    dates: Dates
    label_ends: Dates
    X: NDArray[np.float32]
    y: NDArray[np.float64]

    def labelled(self) -> "StockArrays":
        """The rows whose target is known."""
        return self.take(~np.isnan(self.y))

    def to_forecast(self) -> "StockArrays":
        """The rows that a fit forecasts: those whose target is not known yet, and the newest."""
        asked = np.isnan(self.y)
        asked[-1:] = True
        return self.take(asked)

    def as_of(self, cutoff: np.datetime64) -> "StockArrays":
        """What was known on ``cutoff``: no later row, and no label that ended later."""
        seen = self.take(self.dates <= cutoff)
        known = seen.label_ends <= cutoff
        return StockArrays(
            seen.ticker,
            seen.dates,
            np.where(known, seen.label_ends, np.datetime64("NaT")),
            seen.X,
            np.where(known, seen.y, np.nan),
        )

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> "StockArrays":
        """The rows picked by a mask, indices or a slice."""
        return StockArrays(
            self.ticker, self.dates[rows], self.label_ends[rows], self.X[rows], self.y[rows]
        )


@dataclass(frozen=True)
class PooledRows:
    """n rows of all stocks for a pooled model to learn from.

    Attributes
    ----------
    dates:
        ``datetime64[D]``, shape (n,).
    X:
        float32, shape (n, p): features as they are.
    moves:
        Shape (n,): targets over their stock's typical move.
    scales:
        Shape (n,): that typical move, in units of the target.
    days:
        Shape (n,): number of each row's date, from 0.
    """

    dates: Dates
    X: NDArray[np.float32]
    moves: NDArray[np.float64]
    scales: NDArray[np.float64]
    days: NDArray[np.int64]


@dataclass(frozen=True)
class PanelArrays:
    """Rows of many stocks in one set of arrays; stock i is ``offsets[i]:offsets[i + 1]``."""

    tickers: tuple[str, ...]
    offsets: NDArray[np.int64]
    dates: Dates
    label_ends: Dates
    X: NDArray[np.float32]
    y: NDArray[np.float64]

    @classmethod
    def of(cls, stocks: Sequence[StockArrays]) -> "PanelArrays":
        """Some stocks (at least one), laid one after another."""
        return cls(
            tuple(stock.ticker for stock in stocks),
            np.cumsum([0, *(len(stock.dates) for stock in stocks)]),
            np.concatenate([stock.dates for stock in stocks]),
            np.concatenate([stock.label_ends for stock in stocks]),
            np.concatenate([stock.X for stock in stocks]),
            np.concatenate([stock.y for stock in stocks]),
        )

    def as_of(self, cutoff: np.datetime64) -> "PanelArrays":
        """What was known on ``cutoff`` of each stock; see :meth:`StockArrays.as_of`."""
        return PanelArrays.of([stock.as_of(cutoff) for stock in self])

    def up_to(self, day: np.datetime64) -> "PanelArrays":
        """The rows of dates up to ``day``, with their labels."""
        return PanelArrays.of([stock.take(stock.dates <= day) for stock in self])

    def stock(self, i: int) -> StockArrays:
        """Rows of the i-th stock, as views."""
        rows = slice(self.offsets[i], self.offsets[i + 1])
        return StockArrays(
            self.tickers[i], self.dates[rows], self.label_ends[rows], self.X[rows], self.y[rows]
        )

    def part(self, start: int, stop: int) -> "PanelArrays":
        """Stocks ``start`` to ``stop - 1``, as views."""
        rows = slice(self.offsets[start], self.offsets[stop])
        return PanelArrays(
            self.tickers[start:stop],
            self.offsets[start : stop + 1] - self.offsets[start],
            self.dates[rows],
            self.label_ends[rows],
            self.X[rows],
            self.y[rows],
        )

    def parts(self, size: int) -> "Iterator[PanelArrays]":
        """All stocks in order, ``size`` at a time, as views."""
        n = len(self.tickers)
        return (self.part(start, min(start + size, n)) for start in range(0, n, size))

    def __iter__(self) -> Iterator[StockArrays]:
        return (self.stock(i) for i in range(len(self.tickers)))
