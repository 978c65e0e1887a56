"""How a pass goes about its work; nothing of this changes a result."""

import math
import os
from dataclasses import dataclass
from datetime import date
from numbers import Integral, Real

from bmastore.calendar import as_day
from bmastore.errors import ConfigError

# Resident memory of the coordinator with a batch of rows, and of one worker.
_COORDINATOR_BYTES, _WORKER_BYTES = 350 * 2**20, 250 * 2**20
# Days of a century: no entry is older.
_OLDEST = 36_525


@dataclass(frozen=True)
class PassOptions:
    """Which stocks a pass trains, and how it goes about it.

    Attributes
    ----------
    force:
        Train all stocks, not only the pending ones.
    retry_failed:
        Train also stocks whose last attempt failed on the same inputs.
    tickers:
        Consider only these stocks.
    limit:
        Train at most so many.
    as_of:
        Use only rows and labels known on this date.
    max_age:
        Train also stocks whose newest entry was made more than so many days ago.
    stale_after:
        Train a trained stock again once so many new labels have come, or when a row has changed;
        until then its ensemble forecasts its new rows.
    workers:
        Worker processes; ``None`` means one per core.
    max_memory:
        Bytes that all processes together may hold; ``None`` means no limit.
    batch_size:
        Stocks whose results are committed together; after ten seconds fewer are.
    trusted:
        Types that stored members of somebody's own may be of, beside those of the config's.
    time_per_stock:
        Core-seconds: take the richest preset that costs no more, whatever
        the config says. A pilot on a few stocks measures it; later runs
        with the same budget stay with its choice, for another preset would
        make all stocks stale.
    """

    force: bool = False
    retry_failed: bool = False
    tickers: tuple[str, ...] | None = None
    limit: int | None = None
    as_of: date | None = None
    max_age: float | None = None
    stale_after: int = 1
    workers: int | None = None
    max_memory: int | None = None
    batch_size: int = 400
    trusted: tuple[str, ...] = ()
    time_per_stock: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.tickers, str):
            object.__setattr__(self, "tickers", (self.tickers,))
        object.__setattr__(self, "as_of", as_day("as_of", self.as_of))
        for name in ("limit", "stale_after", "workers", "batch_size", "max_memory"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, Integral):
                raise ConfigError(f"{name} must be a whole number, not {value!r}")
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, not {value}")
        for name in ("max_age", "time_per_stock"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, Real) and 0 < float(value) < math.inf):
                raise ConfigError(f"{name} must be a positive number, not {value!r}")
        if self.max_age is not None and self.max_age > _OLDEST:
            raise ConfigError(f"max_age must be at most {_OLDEST:,} days, not {self.max_age:,}")


def worker_count(workers: int | None, max_memory: int | None, selected: int) -> int:
    """Processes to start: one per core unless asked otherwise, fewer where memory or stocks are.

    Parameters
    ----------
    workers:
        As asked for; ``None`` means one per core.
    max_memory:
        Bytes that all processes may hold; ``None`` means no limit.
    selected:
        Stocks that there are to work on.

    Raises
    ------
    ConfigError
        If that is too little for one worker.
    """
    wanted = workers or _available_cores()
    least = _COORDINATOR_BYTES + _WORKER_BYTES
    if max_memory is not None:
        if max_memory < least:
            raise ConfigError(
                f"{max_memory // 2**20} MB are too little memory: with one worker, a pass takes "
                f"{least // 2**20} MB"
            )
        wanted = min(wanted, max(1, (max_memory - _COORDINATOR_BYTES) // _WORKER_BYTES))
    return max(1, min(wanted, selected))


def _available_cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
