"""Time: the clock of the ledger, dates as people give them, cells of days, the same for all."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from bmastore.errors import ConfigError


def utc_now() -> datetime:
    """Now, as the naive UTC time that the ledger stores."""
    return datetime.now(UTC).replace(tzinfo=None)


def as_day(name: str, given: object) -> date | None:
    """A date that somebody gives as such, as a time of it, or as text; ``None`` stays as it is.

    Raises
    ------
    ConfigError
        If it is none of these; ``name`` is what it was given as.
    """
    if given is None or (isinstance(given, date) and not isinstance(given, datetime)):
        return given
    try:
        # By its text, for the NaT of pandas passes for a time, and for a date of it.
        return date.fromisoformat(str(given)[:10] if isinstance(given, datetime) else str(given))
    except ValueError:
        raise ConfigError(f"{name} must be a date, as 2016-12-30, not {given!r}") from None


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
