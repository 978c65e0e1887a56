"""What coordinator and workers exchange: work one way, outcomes the other.

The coordinator imports this room and not ``fit``, so that it need not wait for
LightGBM and XGBoost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from bmastore.arrays import Dates, PanelArrays, StockArrays
from bmastore.calendar import utc_now
from bmastore.cross_section import CrossSections
from bmastore.errors import TooFewRowsError

Result = TypeVar("Result")

# Levels of the stored quantiles, and their column names.
QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95)
QUANTILE_COLUMNS = tuple(f"q{round(level * 100):02d}" for level in QUANTILES)


@dataclass(frozen=True)
class Forecasts:
    """Predictive distributions of one stock's target, one row a date.

    ``mean`` and ``sd`` have shape (n,), ``quantiles`` shape (n, 5) at the
    levels of :data:`QUANTILES`; all in units of the target.
    """

    dates: Dates
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    quantiles: NDArray[np.float64]


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
        float32, shape (n, k): fold after fold, oldest row first, one column a member.
    artifact:
        The entry's artifact, which holds the newest fold's members.
    """

    records: tuple[FoldRecord, ...]
    predictions: NDArray[np.float32]
    artifact: bytes


@dataclass(frozen=True)
class Shared:
    """What all stocks share: the universe's artifact, and cross-sections of dates since its anchor.

    ``recent`` is ``None`` where no row is of such a date.
    """

    universe: bytes
    recent: CrossSections | None = None


@dataclass(frozen=True)
class Work:
    """Stocks for one task: their rows, what is remembered of each (or ``None``).

    ``shared`` is ``None`` where the config has no pooled member.
    """

    rows: PanelArrays
    remembered: tuple[Remembered | None, ...]
    shared: Shared | None = None

    def alone(self) -> "list[Work]":
        """Each stock as work of its own."""
        return [
            Work(self.rows.part(i, i + 1), self.remembered[i : i + 1], self.shared)
            for i in range(len(self.rows.tickers))
        ]


@dataclass(frozen=True)
class PooledRows:
    """n rows of all stocks for a pooled model to learn from.

    ``X`` are features as they are, shape (n, p), of rows at ``dates``; the others are
    as :func:`bmastore.members.pooled.fit_pooled` takes them.
    """

    dates: Dates
    X: NDArray[np.float32]
    moves: NDArray[np.float64]
    scales: NDArray[np.float64]
    days: NDArray[np.int64]


@dataclass(frozen=True)
class OutOfFold:
    """Out-of-fold predictions of one stock, fold after fold, oldest row first.

    Attributes
    ----------
    members:
        Names, length k.
    dates:
        ``datetime64[D]``, shape (n,).
    predictions:
        float32, shape (n, k), one column a member.
    y:
        float64, shape (n,): the targets.
    records:
        The folds, oldest first.
    kept:
        Numbers of the folds that are as they were remembered.
    """

    members: tuple[str, ...]
    dates: Dates
    predictions: NDArray[np.float32]
    y: NDArray[np.float64]
    records: tuple[FoldRecord, ...]
    kept: tuple[int, ...]


@dataclass(frozen=True)
class MemberScore:
    """A member's weight, and how well it forecast out of fold."""

    member: str
    weight: float
    oof_log_score: float
    oof_rmse: float
    scale: float


@dataclass(frozen=True)
class FitResult:
    """What training one stock gives."""

    scores: tuple[MemberScore, ...]
    metrics: tuple[tuple[str, float], ...]
    forecasts: Forecasts
    oof: OutOfFold
    artifact: bytes
    artifact_sha256: str
    universe_sha256: str | None


@dataclass(frozen=True)
class Scored:
    """Forecasts of rows that the fits had not seen, scored: n rows, f forecasters.

    Attributes
    ----------
    forecasters:
        Names, length f.
    dates:
        ``datetime64[D]``, shape (n,).
    y:
        float64, shape (n,): the targets that came.
    means, log_scores, crps:
        float32, shape (n, f): predictive means, log densities of the targets
        and continuous ranked probability scores, these in units of the target.
    pit:
        float32, shape (n, f): probability integral transforms of the targets.
    """

    forecasters: tuple[str, ...]
    dates: Dates
    y: NDArray[np.float64]
    means: NDArray[np.float32]
    log_scores: NDArray[np.float32]
    crps: NDArray[np.float32]
    pit: NDArray[np.float32]

    @classmethod
    def of(cls, parts: "Sequence[Scored]") -> "Scored":
        """Rows of several parts (at least one) with the same forecasters, one after another."""
        return cls(
            parts[0].forecasters,
            np.concatenate([part.dates for part in parts]),
            np.concatenate([part.y for part in parts]),
            np.concatenate([part.means for part in parts]),
            np.concatenate([part.log_scores for part in parts]),
            np.concatenate([part.crps for part in parts]),
            np.concatenate([part.pit for part in parts]),
        )

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Scored":
        """The rows picked by a mask or by indices."""
        return Scored(
            self.forecasters,
            self.dates[rows],
            self.y[rows],
            self.means[rows],
            self.log_scores[rows],
            self.crps[rows],
            self.pit[rows],
        )


@dataclass(frozen=True)
class Hindcast:
    """What a backtest learns from one stock and cutoff; ``weights``: shape (k,), by member."""

    scored: Scored
    weights: NDArray[np.float64]


@dataclass(frozen=True)
class FitOutcome(Generic[Result]):
    """One attempt at one stock: a result, or why there is none.

    ``fit_s`` is in CPU seconds, ``started_at`` and ``finished_at`` are naive UTC.
    """

    ticker: str
    status: str
    n_rows: int
    first_date: np.datetime64 | None
    last_date: np.datetime64 | None
    fit_s: float
    started_at: datetime
    finished_at: datetime
    error_type: str | None = None
    error_message: str | None = None
    result: Result | None = None

    @classmethod
    def of(
        cls,
        stock: StockArrays,
        started_at: datetime,
        fit_s: float,
        result: Result | None = None,
        error: BaseException | None = None,
    ) -> "FitOutcome[Result]":
        """The outcome of an attempt that just ended with a result or an error."""
        labelled = stock.dates[~np.isnan(stock.y)]
        return cls(
            stock.ticker,
            "trained"
            if result is not None
            else "skipped"
            if isinstance(error, TooFewRowsError)
            else "failed",
            len(labelled),
            labelled[0] if len(labelled) else None,
            labelled[-1] if len(labelled) else None,
            fit_s,
            started_at,
            utc_now(),
            None if error is None else type(error).__name__,
            None if error is None else str(error),
            result,
        )
