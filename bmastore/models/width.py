"""How wide a forecast is: what a stock's target may be expected to move, as known on its date.

Volatility comes in spells, and to all stocks at once: errors of calm months say little of wild
ones. The width of a row is the absolute target that is usual for such a stock on such a date,
from a log-linear regression over all stocks on the sizes of its features and of those of the
date's cross-section: volatilities, ranges and returns foretell it by their size, whatever they
are called. That is the idea of Corsi, "A simple approximate long-memory model of realized
volatility", Journal of Financial Econometrics 7 (2009): a regression on volatilities over several
spans; and of Herskovic, Kelly, Lustig and Van Nieuwerburgh, "The common factor in idiosyncratic
volatility", JFE 119 (2016): what all stocks do foretells what one will do.

A width is right up to a factor of each stock's own, which its errors out of fold tell.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmastore.models.inputs import Inputs

# A feature's size counts between a tenth and twenty times its usual one, so that one absurd value
# does not make an absurd width.
_SMALLEST, _LARGEST = 0.1, 20.0
# A target counts as at least so much of its stock's typical move: of one that is zero, the
# logarithm says nothing of widths.
_FLOOR = 0.05
# Of a stock that hardly moves, the typical move counts as at least so much of the universe's.
_CALMEST = 0.01
# Ridge penalties, as shares of the rows: sizes of features tell much the same.
_RIDGE, _RIDGE_INDEX = 1e-3, 1e-4
# Share of the largest value by which rounding may tell equal ones apart.
_ROUNDING = 1e-9
# Rows that the regression takes at most: it has some thirty coefficients.
_MOST_ROWS = 200_000
# Labels that a stock's typical move needs; with fewer, it is the universe's median one.
MIN_MOVES = 20


@dataclass(frozen=True)
class WidthModel:
    """Coefficients of the regression; the logarithm of a width is

    ``intercept + sizes_of(X) @ stock + sizes_of(market) @ market + move * log(typical move)``.

    Attributes
    ----------
    usual:
        Shape (p,): median absolute value of each feature; zero where it is mostly zero.
    stock, market:
        Shape (p,): of the sizes of the stock's features, and of those of its date's stocks.
    move, intercept:
        Of the logarithm of the stock's typical move, and of no size at all.
    """

    usual: NDArray[np.float64]
    stock: NDArray[np.float64]
    market: NDArray[np.float64]
    move: float
    intercept: float

    def widths(self, inputs: Inputs, move: float) -> NDArray[np.float64]:
        """Widths of n rows of a stock with such a typical move, shape (n,), in its units."""
        result: NDArray[np.float64] = np.exp(
            self.intercept
            + _sizes(inputs.X, self.usual) @ self.stock
            + _sizes(inputs.market, self.usual) @ self.market
            + self.move * np.log(move)
        )
        return result

    def to_head(self) -> dict[str, Any]:
        """What JSON can hold."""
        return {
            name: part.tolist() if isinstance(part, np.ndarray) else part
            for name, part in asdict(self).items()
        }

    @classmethod
    def from_head(cls, head: dict[str, Any]) -> "WidthModel":
        """The model that :meth:`to_head` gave."""
        usual, stock, market = (np.asarray(head[name]) for name in ("usual", "stock", "market"))
        return cls(usual, stock, market, head["move"], head["intercept"])


def fit_widths(
    X: NDArray[np.float32],
    market: NDArray[np.float32],
    days: NDArray[np.intp],
    moves: NDArray[np.float64],
    scales: NDArray[np.float64],
) -> WidthModel:
    """Fit the regression over rows of all stocks.

    First the logarithms of absolute targets on the sizes of the stock's own features: an index of
    how wild it is. Then on that index, the same index of what is usual among the stocks of its
    date, and its typical move. The market thus has one coefficient, not one per feature: there
    are many rows, but few dates.

    Parameters
    ----------
    X:
        float32, shape (n, p): features as they are.
    market:
        float32, shape (m, p): typical sizes of the features on each of m dates.
    days:
        Shape (n,): which of these is each row's.
    moves:
        Shape (n,): targets over their stock's typical move.
    scales:
        Shape (n,): that typical move, in units of the target, positive.
    """
    step = -(-len(moves) // _MOST_ROWS)
    X, days, moves, scales = X[::step], days[::step], moves[::step], scales[::step]
    usual = np.median(np.nan_to_num(np.abs(X)), axis=0).astype(np.float64)
    log_move = np.log(scales)
    log_target = np.log(np.maximum(np.abs(moves), _FLOOR)) + log_move
    # With hundreds of features the sizes of all rows are the largest arrays of a whole pass.
    sizes = _sizes(X, usual)
    own = _ridge(sizes, log_target, _RIDGE)
    of_stock = sizes @ own
    del sizes
    index = np.column_stack([of_stock, _sizes(market, usual)[days] @ own, log_move])
    in_stock, in_market, in_move = _ridge(index, log_target, _RIDGE_INDEX)
    log_width = index @ np.array([in_stock, in_market, in_move])
    # So that the width is the median of absolute targets, in the units of a typical move.
    intercept = float(np.median(np.log(np.maximum(np.abs(moves), _FLOOR)) + log_move - log_width))
    return WidthModel(usual, own * in_stock, own * in_market, float(in_move), intercept)


@dataclass(frozen=True)
class Moves:
    """How one stock moves: usually, and now.

    Attributes
    ----------
    model:
        What its universe says of widths; ``None`` where it says nothing.
    usual:
        Its typical move: the median absolute target of the rows that were learnt from.
    unit:
        What its widths are multiples of: the typical move, which is never taken for zero; 1 without
        a universe.
    level:
        Median of those rows' absolute targets over their widths: the stock's own factor.
    """

    model: WidthModel | None
    usual: float
    unit: float
    level: float

    @classmethod
    def of(
        cls, model: WidthModel | None, inputs: Inputs, y: NDArray[np.float64], lent: float
    ) -> "Moves":
        """Those of a stock that learns from rows with targets ``y``, shape (n,).

        ``lent`` is the typical move of its universe, zero without one.
        """
        if len(y) < MIN_MOVES:
            return cls(model, lent, lent or 1.0, 1.0)
        usual = float(np.median(np.abs(y)))
        unit = max(usual, _CALMEST * lent) if lent else 1.0
        widths = cls(model, usual, unit, 1.0).widths(inputs)
        return cls(model, usual, unit, float(np.median(np.abs(y) / widths)))

    def widths(self, inputs: Inputs) -> NDArray[np.float64]:
        """Widths of n rows, shape (n,), positive; all the same without a model."""
        if self.model is None:
            return np.full(len(inputs.X), self.unit)
        return self.model.widths(inputs, self.unit)

    def now(self, widths: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the stock moves now, shape (n,), in units of the target: never more than usually.

        A stock that a takeover has pinned moves no more, whatever it did before. ``widths`` are
        those of the rows, shape (n,).
        """
        if self.model is None:
            return np.full(len(widths), self.usual)
        return np.minimum(self.usual, self.level * widths)


def _sizes(values: NDArray[np.float32], usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms of absolute values over the usual ones, shape (n, p); 0 where one is missing."""
    known = np.isfinite(values) & (usual > 0)
    sizes = np.divide(np.abs(values), usual, out=np.ones(values.shape), where=known)
    np.clip(sizes, _SMALLEST, _LARGEST, out=sizes)
    return np.log(sizes, out=sizes)


def _ridge(Z: NDArray[np.float64], y: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
    """Ridge coefficients of columns that are first centred and scaled, shape (p,).

    Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal problems",
    Technometrics 12 (1970), equation 2.1; scikit-learn would take a worker a second to import.
    """
    spread = Z.std(axis=0)
    # What differs by rounding alone is the same: its slope would be that of noise.
    spread[spread <= _ROUNDING * np.abs(Z).max(axis=0)] = 1.0
    scaled = Z - Z.mean(axis=0)
    scaled /= spread
    squares = scaled.T @ scaled / len(y) + penalty * np.eye(Z.shape[1])
    slopes = np.linalg.solve(squares, scaled.T @ (y - y.mean()) / len(y))
    result: NDArray[np.float64] = slopes / spread
    return result
