"""What fits give, and what is remembered of them: plain arrays and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from bmastore.arrays import Dates


@dataclass(frozen=True)
class Forecasts:
    """Predictive distributions of one stock's target, one row per date.

    ``mean`` and ``sd`` have shape (n,), ``quantiles`` shape (n, 5) at the
    levels of :data:`bmastore.models.mixture.QUANTILES`; all in units of the target.
    ``p_up``, shape (n,), is the probability that the target is positive. ``components``,
    shape (n, k, 3), are the mixtures written out; see :mod:`bmastore.models.components`.
    """

    dates: Dates
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    p_up: NDArray[np.float64]
    components: NDArray[np.float32]


@dataclass(frozen=True)
class Contributions:
    """The means of n forecasts as sums: of what k members add, and p features through each of them.

    Attributes
    ----------
    dates:
        ``datetime64[D]``, shape (n,).
    members, features:
        Names, length k and p.
    values:
        float32, shape (n, p): the features as they are. A pooled member sees each of them relative
        to its date, and what it adds is told under the same name.
    weights:
        Shape (k,).
    centres:
        Shape (n, k): what each member forecasts. Times the weights, they sum to the mean.
    parts:
        Shape (n, k, p + 1): what each feature adds through each member, and the base last; they sum
        to the member's weight times its forecast. NaN where features cannot be told apart.
    """

    dates: Dates
    members: tuple[str, ...]
    features: tuple[str, ...]
    values: NDArray[np.float32]
    weights: NDArray[np.float64]
    centres: NDArray[np.float64]
    parts: NDArray[np.float64]


@dataclass(frozen=True)
class FoldRecord:
    """What a fold's predictions were made from, so that they can be used again.

    Attributes
    ----------
    number:
        The fold's cell on the calendar grid.
    n_train, n_test:
        Rows that its members learnt from, and rows that they predicted.
    train_digest, test_digest:
        Content hashes of the training rows, and of the dates and features of the
        predicted rows.
    rounds:
        Rounds of each boosting member, in the order of the config's members.
    """

    number: int
    n_train: int
    n_test: int
    train_digest: str
    test_digest: str
    rounds: tuple[int, ...]


@dataclass(frozen=True)
class Remembered:
    """A stock's out-of-fold predictions from its last trained entry, by the same config and code.

    Attributes
    ----------
    records:
        Its folds, oldest first.
    predictions:
        float32, shape (n, k): fold after fold, oldest row first, one column per member.
    artifact:
        The entry's artifact, or one that :func:`bmastore.models.ensemble.dump_fold` wrote: it
        holds the newest fold's members. Without it all folds are fitted again.
    is_stored:
        Whether the store holds these folds. Those of a stock by which the members were compared
        are known before its own entry is made.
    artifact_sha256:
        Its hash, where ``artifact`` is empty because the worker is to read it itself.
    """

    records: tuple[FoldRecord, ...]
    predictions: NDArray[np.float32]
    artifact: bytes
    is_stored: bool = True
    artifact_sha256: str | None = None


@dataclass(frozen=True)
class FoldPredictions:
    """Out-of-fold predictions of one stock, fold after fold, oldest row first.

    Attributes
    ----------
    members:
        Names, length k.
    dates:
        ``datetime64[D]``, shape (n,).
    predictions:
        float32, shape (n, k), one column per member.
    records:
        The folds, oldest first.
    kept:
        Numbers of the folds that are as they are stored.
    """

    members: tuple[str, ...]
    dates: Dates
    predictions: NDArray[np.float32]
    records: tuple[FoldRecord, ...]
    kept: tuple[int, ...]


@dataclass(frozen=True)
class OutOfFold(FoldPredictions):
    """Those of all folds, with ``y``, float64, shape (n,): the targets."""

    y: NDArray[np.float64]

    def to_store(self) -> FoldPredictions:
        """Those of the folds that the store does not hold as they are."""
        is_new = [record.number not in self.kept for record in self.records]
        rows = np.repeat(is_new, [record.n_test for record in self.records])
        return FoldPredictions(
            self.members,
            self.dates[rows],
            self.predictions[rows],
            tuple(compress(self.records, is_new)),
            self.kept,
        )


@dataclass(frozen=True)
class MemberScore:
    """A member's weight, and how well it forecast out of fold.

    ``rounds`` are the trees of a member that boosts; ``None`` for the others. ``error`` says why a
    member has failed on this stock: it then has no weight, and no scores.
    """

    member: str
    weight: float
    oof_log_score: float | None
    oof_rmse: float | None
    scale: float | None
    rounds: int | None
    error: str | None = None


@dataclass(frozen=True)
class OofScores:
    """How an ensemble did on its out-of-fold rows, which also set the weights."""

    oof_rows: int
    oof_rmse: float
    oof_mse_vs_zero: float
    oof_log_score: float
    oof_coverage_80: float
    oof_coverage_90: float


@dataclass(frozen=True)
class FitResult:
    """What training one stock gives.

    ``folds`` are predictions of those folds that are to be stored.
    ``importances`` are, by member, the shares of each feature in what the splits of its trees have
    gained, shape (p,), in the order of the config's features; of those members of the ensemble that
    have trees of their own. Of somebody's own, where they were asked for, they are the shares in
    what shuffling each feature costs. ``artifact`` is empty where a worker has stored it.
    """

    scores: tuple[MemberScore, ...]
    oof_scores: OofScores
    forecasts: Forecasts
    folds: FoldPredictions
    artifact: bytes
    artifact_sha256: str
    universe_sha256: str | None
    importances: Mapping[str, NDArray[np.float64]]
