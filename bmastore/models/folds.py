"""Walk-forward folds on a fixed calendar grid, purged by label end."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bmastore.arrays import Dates
from bmastore.calendar import Grid
from bmastore.models.config import Splits


@dataclass(frozen=True)
class Fold:
    """One test cell of the grid and the rows that its members may learn from.

    Attributes
    ----------
    number:
        Index of the cell on the grid, the same for every stock.
    train, test:
        Row indices, increasing. Every training row's label ended before the
        first day of the test cell.
    """

    number: int
    train: NDArray[np.intp]
    test: NDArray[np.intp]


def walk_forward(dates: Dates, label_ends: Dates, splits: Splits) -> list[Fold]:
    """Folds of a stock's labelled rows, oldest first; empty where history is too short.

    The purge is that of López de Prado, *Advances in Financial Machine
    Learning* (2018), 7.4.1: a training row whose label is not yet known when
    the test cell begins is dropped.

    Parameters
    ----------
    dates, label_ends:
        ``datetime64[D]``, shape (n,), of the labelled rows, oldest first.
    splits:
        Sizes; see :class:`bmastore.models.config.Splits`.
    """
    if not len(dates):
        return []
    grid = Grid(splits.fold_days)
    cells = grid.cells(dates)
    newest = int(cells[-1])
    folds = []
    for number in range(newest - splits.n_folds + 1, newest + 1):
        first_day = np.datetime64(grid.first_day(number), "D")
        train = np.flatnonzero(label_ends < first_day)
        test = np.flatnonzero(cells == number)
        if len(train) >= splits.min_train_rows and len(test):
            folds.append(Fold(number, train, test))
    return folds


def tail_split(
    dates: Dates, label_ends: Dates, share: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Training rows cut into (head, tail) for early stopping, purged like a fold.

    Parameters
    ----------
    dates, label_ends:
        ``datetime64[D]``, shape (n,), of the training rows, oldest first.
    share:
        Share of the rows that the tail takes, 0 < share < 1; at least one row.
    """
    start = max(0, len(dates) - max(1, int(len(dates) * share)))
    if start == 0:
        return np.arange(0), np.arange(len(dates))
    head = np.flatnonzero(label_ends[:start] < dates[start])
    return head, np.arange(start, len(dates))
