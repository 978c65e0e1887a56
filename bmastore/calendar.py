"""Time: the clock of the ledger, and cells of days that are the same for all stocks."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray


def utc_now() -> datetime:
    """Now, as the naive UTC time that the ledger stores."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Grid:
    """The calendar cut into cells of ``days`` days, the first of which begins on 1970-01-01."""

    days: int

    def cells(self, dates: NDArray[np.datetime64]) -> NDArray[np.int64]:
        """Number of each date's cell, shape (n,)."""
        return dates.astype("datetime64[D]").astype(np.int64) // self.days

    def cell(self, day: date) -> int:
        """Number of a day's cell."""
        return int(self.cells(np.array([day], "datetime64[D]"))[0])

    def first_day(self, cell: int) -> date:
        """The day on which a cell begins; the first that there is, where it would begin before."""
        first = np.datetime64(cell * self.days, "D").item()
        return first if isinstance(first, date) else date.min
