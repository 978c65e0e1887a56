"""What an ingest says of itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Count:
    """How many rows or cells something happened to, with a few examples."""

    what: str
    n: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class IngestReport:
    """What an ingest took, changed and dropped, and why.

    ``rows_read`` is always the sum of ``rows_new``, ``rows_revised``, ``rows_unchanged``,
    ``rows_repeated`` and the counts in ``dropped``.

    Attributes
    ----------
    kind:
        ``"prices"`` or ``"panel"``.
    rows_read, rows_new, rows_revised, rows_unchanged:
        Rows of the input; those taken are new, revised or unchanged.
    tickers, tickers_changed:
        Stocks in the input, and those whose rows changed.
    dropped:
        Rows that were not taken, by reason.
    notes:
        What was blanked, guessed or left out, and rows that someone should look at.
    dry_run:
        True if nothing was stored.
    rows_repeated:
        Rows in whose place another row of the same stock and day was taken, or that were
        merged into it.
    """

    kind: str
    rows_read: int
    rows_new: int
    rows_revised: int
    rows_unchanged: int
    tickers: int
    tickers_changed: int
    dropped: tuple[Count, ...]
    notes: tuple[Count, ...]
    dry_run: bool = False
    rows_repeated: int = 0
