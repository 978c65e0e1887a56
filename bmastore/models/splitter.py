"""The walk-forward folds as a scikit-learn splitter, for whoever only wants these."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator

from bmastore.errors import InputError
from bmastore.models.config import Splits
from bmastore.models.folds import Fold, walk_forward


class PurgedWalkForward(BaseCrossValidator):  # type: ignore[misc]
    """Walk-forward folds of a calendar, purged by when labels were known.

    Each of the newest ``n_folds`` cells is a test set, and its training set are the rows whose
    label had come before the cell's first day (López de Prado, *Advances in Financial Machine
    Learning*, 2018, 7.4.1). The rows may be of many stocks: what counts are their dates, which are
    given as ``groups``; they need not be in order. Cells do not move when rows are added.

    Parameters
    ----------
    n_folds:
        How many cells.
    fold_days:
        Calendar days of a cell; without dates, rows.
    horizon:
        Dates, of those that there are, until a row's label is known.
    min_train_rows:
        Cells with fewer rows to train on are left out.

    Raises
    ------
    InputError
        When it splits: if a number is out of range, dates are missing or no fold is left.
    """

    # The dates come along by themselves where metadata is routed.
    __metadata_request__split: ClassVar = {"groups": True}

    def __init__(
        self, n_folds: int = 3, fold_days: int = 126, horizon: int = 1, min_train_rows: int = 1
    ) -> None:
        self.n_folds = n_folds
        self.fold_days = fold_days
        self.horizon = horizon
        self.min_train_rows = min_train_rows

    def split(
        self, X: Any, y: Any = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Row numbers of the training and the test set of each fold, the oldest fold first.

        Parameters
        ----------
        X:
            Anything with n rows.
        groups:
            Dates, shape (n,); without any, row i is of day i, and the newest cell is full.
        """
        for fold in self._folds(X, groups):
            yield fold.train, fold.test

    def get_n_splits(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> int:
        """How many folds there are; without rows, how many there may be."""
        return self.n_folds if X is None else len(self._folds(X, groups))

    def _folds(self, X: Any, groups: ArrayLike | None) -> list[Fold]:
        for name in ("n_folds", "fold_days", "horizon", "min_train_rows"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, not {getattr(self, name)}")
        dates = _dates(X.shape[0] if hasattr(X, "shape") else len(X), groups)
        in_order = np.argsort(dates, kind="stable")
        days, place = np.unique(dates, return_inverse=True)
        # Labels of the newest dates are not known yet.
        ends = np.append(days[self.horizon :], np.full(len(days), np.datetime64("9999-12-31")))
        label_ends = ends[place]
        splits = Splits(self.n_folds, self.fold_days, self.min_train_rows)
        folds = walk_forward(dates[in_order], label_ends[in_order], splits)
        if not folds:
            raise InputError(
                f"{len(dates)} rows give no fold of {self.fold_days} days with "
                f"{self.min_train_rows} rows to train on"
            )
        return [
            Fold(fold.number, np.sort(in_order[fold.train]), np.sort(in_order[fold.test]))
            for fold in folds
        ]


def _dates(n: int, groups: ArrayLike | None) -> NDArray[np.datetime64]:
    if groups is None:
        return (np.arange(n) - n).astype("datetime64[D]")
    try:
        dates = np.asarray(groups).astype("datetime64[D]")
    except (TypeError, ValueError):
        raise InputError("groups must be the dates of the rows") from None
    if dates.shape != (n,) or np.isnat(dates).any():
        raise InputError(f"groups must be {n} dates, one per row, and none may be missing")
    return dates
