"""How many digits the ledger keeps of a number.

Of a forecast as many decimals as its standard deviation is worth, far finer than it is known.
DuckDB stores numbers of few decimals as integers of few bits (ALP: Afroozeh, Kuffo and Boncz, "ALP:
Adaptive lossless floating-point compression", SIGMOD 2023).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Those powers of ten that a float is equal to.
_POWERS = np.array([float(f"1e{n}") for n in range(23)])


def by_size(values: Any, sizes: Any = 0.0, digits: int = 6) -> NDArray[np.float64]:
    """Some values to so many digits of their sizes, in the same units; the shapes broadcast.

    Where a size is zero or not finite, it is the value itself.
    """
    values, sizes = np.broadcast_arrays(np.asarray(values, float), np.asarray(sizes, float))
    sizes = np.where(np.isfinite(sizes) & (sizes > 0), sizes, np.abs(values))
    exponents = np.log10(sizes, out=np.zeros(sizes.shape), where=sizes > 0)
    return _to_decimals(values, digits - 1 - np.floor(exponents))


def to_decimals(values: Any, decimals: int = 4) -> NDArray[np.float64]:
    """Probabilities and logarithms, which have no unit, to so many decimals."""
    return _to_decimals(np.asarray(values, float), np.array(decimals))


def to_sum(shares: Any, decimals: int = 4) -> NDArray[np.float64]:
    """Shares that sum to 1, along the last axis, to so many decimals that still do.

    The largest gives way. Where all of them vanish, they are all zero.
    """
    told = _to_decimals(np.asarray(shares, float), np.array(decimals))
    largest = told.argmax(axis=-1)[..., None]
    rest = np.where(told.any(axis=-1), 1 - told.sum(axis=-1), 0.0)[..., None]
    np.put_along_axis(told, largest, np.take_along_axis(told, largest, -1) + rest, -1)
    return _to_decimals(told, np.array(decimals))


def lists_told(
    lists: Sequence[Sequence[float]], tell: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> list[list[Any]]:
    """Lists of some lengths, at least one, as ``tell`` tells the rows of a matrix; NaN is none.

    All at once, filled up with zeros, for each call costs.
    """
    lengths = [len(row) for row in lists]
    filled = np.zeros((len(lists), max(lengths)))
    for row, value, n in zip(filled, lists, lengths, strict=True):
        row[:n] = np.array(value, float)
    return [row[:n] for row, n in zip(or_none(tell(filled)), lengths, strict=True)]


def or_none(values: NDArray[np.float64]) -> list[Any]:
    """Numbers, or lists of them, for a column; NaN is none."""
    told = values.astype(object)
    told[np.isnan(values)] = None
    found: list[Any] = told.tolist()
    return found


def _to_decimals(
    values: NDArray[np.float64], decimals: NDArray[np.number[Any]]
) -> NDArray[np.float64]:
    """The floats closest to decimal numbers; values too small or too large for that stay.

    What is zero has no sign: ALP stores each -0.0 apart, in six bytes.
    """
    fits = (decimals < len(_POWERS)) & np.isfinite(values)
    power = _POWERS[np.where(fits, np.clip(decimals, 0, len(_POWERS) - 1), 0).astype(int)]
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.rint(values * power)
    found: NDArray[np.float64] = np.where(fits & (np.abs(scaled) < 2**53), scaled / power, values)
    return found + 0.0
