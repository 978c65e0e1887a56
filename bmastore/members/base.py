"""What every member is: a learner that turns rows into something that predicts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bmastore.config import Preset

# A mean that is nearer to zero is taken for zero. With one standard error, as James and Stein
# shrink, a third of all stocks without any drift would be given one.
_STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class TrainingRows:
    """Rows to learn from, oldest first.

    Attributes
    ----------
    X:
        float32, shape (n, p).
    y:
        float64, shape (n,).
    head, tail:
        Row indices for early stopping: learn on ``head``, stop by ``tail``.
    horizon:
        Trading days that a target looks ahead, so that neighbouring ones overlap.
    """

    X: NDArray[np.float32]
    y: NDArray[np.float64]
    head: NDArray[np.intp]
    tail: NDArray[np.intp]
    horizon: int

    def around_drift(self) -> NDArray[np.float64]:
        """Targets that trees learn: their mean is the drift, shape (n,).

        A tree starts from the mean of what it learns, and a stock's plain mean
        is a bet that the market goes on as it did.
        """
        return _moved_to(drift(self.y, self.horizon), self.y)

    def split_around_drift(self) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """The drift of the head, and the targets of head and tail around it.

        That the market rose in the tail says nothing of the number of rounds.
        """
        y_head = self.y[self.head]
        base = drift(y_head, self.horizon)
        return base, _moved_to(base, y_head), _moved_to(base, self.y[self.tail])


def drift(y: NDArray[np.float64], horizon: int) -> float:
    """The mean target, shrunk toward zero as far as it may be chance; 0 within two standard errors.

    The nonnegative garrote for one mean: Breiman, "Better subset regression using
    the nonnegative garrote", Technometrics 37 (1995). ``y``, shape (n,), overlaps: its
    mean is as uncertain as that of n / ``horizon`` independent rows.
    """
    mean = float(y.mean())
    chance = float(y.var()) * horizon / len(y)
    return mean * max(0.0, 1.0 - _STANDARD_ERRORS**2 * chance / mean**2) if mean else 0.0


def _moved_to(mean: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = y - y.mean() + mean
    return result


class FittedMember(Protocol):
    """A member after its fit."""

    @property
    def rounds(self) -> int:
        """Boosting rounds in use; 0 for members that do not boost."""

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predictions, shape (n,), for features of shape (n, p)."""

    def to_bytes(self) -> bytes:
        """The model in its library's own format; never a pickle."""


@dataclass(frozen=True)
class Learner:
    """A model family: how to fit it, and how to read it back.

    ``fit`` takes the rows, the preset, the seed and the number of boosting
    rounds; with rounds ``None`` a booster stops early on the rows' tail and
    keeps the model of its best round.
    """

    name: str
    boosts: bool
    fit: Callable[[TrainingRows, Preset, int, int | None], FittedMember]
    from_bytes: Callable[[bytes], FittedMember]


def best_round(advance: Callable[[int], float], most: int, patience: int, baseline: float) -> int:
    """Early stopping: how many rounds to keep, 0 if none beats doing without.

    Parameters
    ----------
    advance:
        Adds the i-th round to the model and returns the model's error on the tail.
    most:
        Rounds at most.
    patience:
        Rounds without gain after which to stop.
    baseline:
        Error on the tail of the model without rounds.
    """
    best, kept = baseline, 0
    for i in range(most):
        error = advance(i)
        if error < best:
            best, kept = error, i + 1
        elif i + 1 - kept >= patience:
            break
    return kept


@dataclass(frozen=True)
class Constant:
    """Predicts one number: the null members, and a booster whose first round does not help."""

    value: float
    rounds: int = 0

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """``value``, shape (n,)."""
        return np.full(len(X), self.value)

    def to_bytes(self) -> bytes:
        """``constant`` and the value, as text."""
        return f"constant {self.value!r}".encode()

    @staticmethod
    def from_bytes(blob: bytes) -> "Constant | None":
        """The constant that ``to_bytes`` wrote; ``None`` if it is another kind of model."""
        word, _, value = blob[:64].partition(b" ")
        return Constant(float(value)) if word == b"constant" else None
