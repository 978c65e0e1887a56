"""Decays: stocks whose intervals were found to hold no longer, one row each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bmastore.calendar import utc_now
from bmastore.ledger.entries import Columns
from bmastore.storage.session import Writer


@dataclass(frozen=True)
class Decay:
    """A stock whose intervals no longer hold: over how many outcomes, and what they held.

    ``last_date`` is that of the newest of them, ``p`` the chance of it if intervals hold.
    """

    ticker: str
    outcomes: int
    last_date: date
    coverage_80: float
    p: float


def record_decays(writer: Writer, target: str, found: Sequence[Decay]) -> None:
    """Mark stocks as stale, inside a transaction."""
    if not found:
        return
    columns = Columns()
    for one in found:
        columns.add(target=target, marked_at=utc_now(), **vars(one))
    writer.insert("decays", columns.values)
