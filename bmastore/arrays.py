"""Rows of stocks as arrays: what the panel hands to the fits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Dates = NDArray[np.datetime64]
Item = TypeVar("Item")

# Rows that a pooled model learns from at least.
_FEWEST_ROWS = 500


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
class Labels:
    """Labels of all stocks that were known before an anchor, for pooled models of c days.

    Attributes
    ----------
    counts:
        Shape (stocks,): how many labels each stock has.
    cuts:
        ``datetime64[D]``, shape (c,), strictly increasing: those days, the last one the anchor.
    moves:
        Shape (c, stocks): the typical move of each stock as it was known before each of them;
        NaN where it had too few labels.
    dates, label_ends, X, y:
        n rows of a part of the dates, oldest first: as in :class:`StockArrays`.
    days, stocks:
        Shape (n,): number of each row's date, from 0, and of its stock.
    """

    counts: NDArray[np.int64]
    cuts: Dates
    moves: NDArray[np.float64]
    dates: Dates
    label_ends: Dates
    X: NDArray[np.float32]
    y: NDArray[np.float64]
    days: NDArray[np.int64]
    stocks: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """Labels of stocks that have enough of them."""
        return int(self.counts[self._are_enough].sum())

    @property
    def n_stocks(self) -> int:
        """Stocks that have enough labels."""
        return int(self._are_enough.sum())

    @property
    def move(self) -> float:
        """The median over those stocks of their typical move; zero without any."""
        return float(np.median(self.moves[-1][self._are_enough])) if self.n_stocks else 0.0

    @property
    def _are_enough(self) -> NDArray[np.bool_]:
        enough: NDArray[np.bool_] = ~np.isnan(self.moves[-1])
        return enough

    def has_enough_before(self, day: date) -> bool:
        """Whether so many rows were known before one of the ``cuts`` that a model can learn."""
        return len(self._known_before(day)) >= _FEWEST_ROWS

    def known_before(self, day: date) -> PooledRows:
        """Rows for a pooled model of one of the ``cuts``."""
        known = self._known_before(day)
        scales = self._scales(day)[known]
        return PooledRows(
            self.dates[known], self.X[known], self.y[known] / scales, scales, self.days[known]
        )

    def _known_before(self, day: date) -> NDArray[np.intp]:
        return np.flatnonzero((self.label_ends < np.datetime64(day)) & (self._scales(day) > 0))

    def _scales(self, day: date) -> NDArray[np.float64]:
        """By row, the typical move of its stock as it was known before a day."""
        scales: NDArray[np.float64] = self.moves[self.cuts == np.datetime64(day)][0][self.stocks]
        return scales


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
