"""Hindcasts of all stocks from one cutoff: kept as they are until their backtest is done."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import date

import numpy as np
from numpy.typing import NDArray

from bmastore.evaluation.hindcast import Hindcast
from bmastore.evaluation.scores import Scored
from bmastore.models.archive import Format, array_bytes
from bmastore.workers.chunks import Outcome

# Raise it with what Format says: a cutoff of another number is worked on again.
_FORMAT = Format("hindcasts", 2, "bmastore backtest")
_ARRAYS = tuple(one.name for one in fields(Scored) if one.name != "forecasters")


@dataclass(frozen=True)
class CutoffHindcasts:
    """Hindcasts from one cutoff, the stocks one after another: n rows, k members.

    Attributes
    ----------
    cutoff:
        The date as of which stocks were trained.
    scored:
        The rows; ``None`` where no stock had any.
    tickers:
        Shape (n,): stock of each row.
    weights:
        Shape (k,): mean over the stocks.
    n_stocks:
        Stocks that were forecast.
    failures:
        Stocks that failed, and why.
    """

    cutoff: date
    scored: Scored | None
    tickers: NDArray[np.object_]
    weights: NDArray[np.float64]
    n_stocks: int
    failures: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, cutoff: date, outcomes: Sequence[Outcome[Hindcast]]) -> "CutoffHindcasts":
        """Those of all outcomes of a cutoff, in the order of their tickers."""
        in_order = sorted(outcomes, key=lambda one: one.ticker)
        failures = {
            outcome.ticker: f"{outcome.error_type}: {outcome.error_message}"
            for outcome in in_order
            if outcome.status == "failed"
        }
        found = [(one.ticker, one.result) for one in in_order if one.result is not None]
        if not found:
            return cls(cutoff, None, np.array([], object), np.array([]), 0, failures)
        counts = [len(result.scored.y) for _, result in found]
        return cls(
            cutoff,
            Scored.of([result.scored for _, result in found]),
            np.repeat(np.array([ticker for ticker, _ in found], dtype=object), counts),
            np.mean([result.weights for _, result in found], axis=0),
            len(found),
            failures,
        )

    def to_bytes(self) -> bytes:
        """The hindcasts as an archive."""
        tickers, counts = _runs(self.tickers)
        head = {
            "cutoff": self.cutoff.isoformat(),
            "tickers": tickers,
            "counts": counts,
            "weights": self.weights.tolist(),
            "n_stocks": self.n_stocks,
            "failures": self.failures,
            "forecasters": None if self.scored is None else list(self.scored.forecasters),
        }
        files = {}
        if self.scored is not None:
            files = {f"{name}.npy": array_bytes(getattr(self.scored, name)) for name in _ARRAYS}
        return _FORMAT.pack(head, files)

    @classmethod
    @_FORMAT.reader
    def from_bytes(cls, blob: bytes) -> "CutoffHindcasts":
        """What :meth:`to_bytes` wrote.

        Raises
        ------
        ArtifactError
            If another bmastore wrote it, or it is malformed.
        """
        archive = _FORMAT.open(blob)
        head, scored = archive.head, None
        if head["forecasters"] is not None:
            arrays = (archive.array(f"{name}.npy") for name in _ARRAYS)
            scored = Scored(tuple(head["forecasters"]), *arrays)
        return cls(
            date.fromisoformat(head["cutoff"]),
            scored,
            np.repeat(np.array(head["tickers"], dtype=object), head["counts"]),
            np.asarray(head["weights"]),
            head["n_stocks"],
            head["failures"],
        )


def _runs(values: NDArray[np.object_]) -> tuple[list[str], list[int]]:
    """Values that stand together as one each, and how many there are of it."""
    if not len(values):
        return [], []
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    return values[starts].tolist(), np.diff(np.append(starts, len(values))).tolist()
