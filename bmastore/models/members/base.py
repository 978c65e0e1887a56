"""What every member is: a learner that turns rows into something that predicts.

A file of a member imports its library inside its functions: the coordinator asks the
registry what members need, and need not wait for LightGBM.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bmastore.models.members.parameters import Parameter
from bmastore.models.presets import Params
from bmastore.models.width import WidthModel

# A mean that is nearer to zero is taken for zero. With one standard error, as James and Stein
# shrink, a third of all stocks without any drift would be given one.
_STANDARD_ERRORS = 2.0


class Needs(Enum):
    """What a member predicts from."""

    FEATURES = "features"
    RELATIVE = "features relative to their date's cross-section"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Lent:
    """What a stock borrows from its universe.

    Attributes
    ----------
    model:
        A model fitted over all stocks, in its library's own format; ``None`` without one.
    scale:
        Typical move of a stock of the universe, in units of the target; zero without one.
    widths:
        What the universe says of widths; ``None`` where it says nothing.
    """

    model: bytes | None = None
    scale: float = 0.0
    widths: WidthModel | None = None


NOTHING_LENT = Lent()


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
    lent:
        What the stock borrows from its universe.
    weights:
        Shape (n,): inverse squares of the rows' widths, with mean 1; ``None`` where nobody asked.
    """

    X: NDArray[np.float32]
    y: NDArray[np.float64]
    head: NDArray[np.intp]
    tail: NDArray[np.intp]
    horizon: int
    lent: Lent = NOTHING_LENT
    weights: NDArray[np.float64] | None = None

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

    def contributions(self, X: NDArray[np.float32]) -> NDArray[np.float64] | None:
        """What each feature adds to the predictions, and the base last: shape (n, p + 1).

        Rows sum to the predictions. ``None`` of a member whose features cannot be told apart.
        """

    def gains(self) -> NDArray[np.float64] | None:
        """What splits on each feature have gained, shape (p,); ``None`` of one without trees."""

    def to_bytes(self) -> bytes:
        """The model in its library's own format; never a pickle."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a member needs, and what can be set of it.

    Attributes
    ----------
    needs:
        What it predicts from.
    boosts:
        Whether it has boosting rounds.
    needs_history:
        Whether a stock must have rows enough to learn from; those that need none serve
        young stocks.
    is_shared:
        Whether one model is fitted over all stocks, and lent to each. It predicts in units of
        what a stock moves now.
    library:
        The library that it imports when it is first used, and that workers load at once.
    packages:
        Of a member that does not come with every config, the distributions whose versions are part
        of what its entries were made from.
    parameters:
        Its numbers of trees, depths and the like, by name; where they are its library's, by the
        library's own names.
    """

    needs: Needs = Needs.FEATURES
    boosts: bool = False
    needs_history: bool = True
    is_shared: bool = False
    library: str | None = None
    packages: tuple[str, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True)
class Learner(Kind):
    """A model family of bmastore's: its kind, how to fit it, and how to read it back.

    Attributes
    ----------
    name:
        The member's name.
    fit:
        Takes the rows, its parameters, the seed and the number of boosting rounds; with
        rounds ``None`` a booster stops early on the rows' tail and keeps the model of its
        best round.
    from_bytes:
        Reads what :meth:`FittedMember.to_bytes` wrote, given what the universe lends.
    """

    name: str
    fit: Callable[[TrainingRows, Params, int, int | None], FittedMember]
    from_bytes: Callable[[bytes, Lent], FittedMember]


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


def shares_in(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares in some gains, shape (p,); all zero of trees without a split."""
    total = gains.sum()
    return gains / total if total > 0 else np.zeros(len(gains))


def only_base(X: NDArray[np.float32], base: float) -> NDArray[np.float64]:
    """Contributions of what predicts the same for all rows, shape (n, p + 1)."""
    found = np.zeros((len(X), X.shape[1] + 1))
    found[:, -1] = base
    return found


@dataclass(frozen=True)
class Constant:
    """Predicts one number: the null members, and a booster whose first round does not help."""

    value: float
    rounds: int = 0

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """``value``, shape (n,)."""
        return np.full(len(X), self.value)

    def contributions(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """A base, and nothing of any feature."""
        return only_base(X, self.value)

    def gains(self) -> None:
        """It has no trees."""

    def to_bytes(self) -> bytes:
        """``constant`` and the value, as text."""
        return f"constant {self.value!r}".encode()

    @staticmethod
    def from_bytes(blob: bytes) -> "Constant | None":
        """The constant that ``to_bytes`` wrote; ``None`` if it is another kind of model."""
        word, _, value = blob[:64].partition(b" ")
        return Constant(float(value)) if word == b"constant" else None
