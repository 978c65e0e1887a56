"""What coordinator and workers hand each other: chunks of stocks one way, outcomes the other."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import numpy as np

from bmastore.arrays import PanelArrays, StockArrays
from bmastore.calendar import utc_now
from bmastore.cross_section import CrossSections
from bmastore.errors import TooFewRowsError
from bmastore.models.results import Remembered

Result = TypeVar("Result")


@dataclass(frozen=True)
class Chunk:
    """Stocks for one job.

    Attributes
    ----------
    rows:
        Their rows.
    remembered:
        What is remembered of each, or ``None``.
    universe:
        Bytes of the universe; empty where stocks share nothing.
    recent:
        Cross-sections of dates since the universe's anchor, if there are any.
    """

    rows: PanelArrays
    remembered: tuple[Remembered | None, ...]
    universe: bytes = b""
    recent: CrossSections | None = None

    def alone(self) -> "list[Chunk]":
        """Each stock as a chunk of its own."""
        return [
            Chunk(self.rows.part(i, i + 1), self.remembered[i : i + 1], self.universe, self.recent)
            for i in range(len(self.rows.tickers))
        ]


@dataclass(frozen=True)
class Outcome(Generic[Result]):
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
    ) -> "Outcome[Result]":
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


@dataclass(frozen=True)
class Totals:
    """What a pass has done so far: stocks by status, and CPU seconds of their fits."""

    trained: int = 0
    failed: int = 0
    skipped: int = 0
    fit_cpu_s: float = 0.0

    @property
    def done(self) -> int:
        """Stocks that have been attempted."""
        return self.trained + self.failed + self.skipped

    def plus(self, outcomes: Iterable[Outcome[Any]]) -> "Totals":
        """These totals and some more outcomes."""
        total = self
        for outcome in outcomes:
            total = Totals(
                total.trained + (outcome.status == "trained"),
                total.failed + (outcome.status == "failed"),
                total.skipped + (outcome.status == "skipped"),
                total.fit_cpu_s + outcome.fit_s,
            )
        return total


def attempt(stock: StockArrays, fit: Callable[[], Result]) -> Outcome[Result]:
    """What became of a stock's fit: a result, or the error that it raised."""
    started_at, cpu = utc_now(), time.process_time()
    result, failure = None, None
    try:
        result = fit()
    except Exception as error:  # noqa: BLE001  whatever a library raises is this stock's failure
        failure = error
    return Outcome.of(stock, started_at, time.process_time() - cpu, result, failure)
