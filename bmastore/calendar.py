"""The clock of the ledger."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now, as the naive UTC time that the ledger stores."""
    return datetime.now(UTC).replace(tzinfo=None)
