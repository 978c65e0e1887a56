"""What every member is: a learner that turns rows into something that predicts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bmastore.config import Preset


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
