"""Where a store's ledger lies: in its own file, or on a server."""

from pathlib import Path

import duckdb

from bmastore.errors import StoreError
from bmastore.storage import postgres
from bmastore.storage.versions import has_table


def stored_place(duck: duckdb.DuckDBPyConnection) -> str | None:
    """The server on which the store's ledger lies; ``None`` if it lies in the store."""
    if not has_table(duck, "settings"):
        return None  # published results
    rows = duck.execute("select value from settings where name = 'ledger'").fetchall()
    return str(rows[0][0]) if rows else None


def check_place(duck: duckdb.DuckDBPyConnection, path: Path, ledger_url: str | None) -> None:
    """The ledger must be looked for where it is, or all stocks would seem new."""
    place = stored_place(duck)
    asked = postgres.place(ledger_url) if ledger_url else None
    if place != asked and place is not None:
        raise StoreError(
            f"the ledger of {path} lies in {place}; name it with --ledger or BMASTORE_LEDGER"
        )
    if place != asked:
        raise StoreError(
            f"the ledger of {path} lies in it, not in {asked}; leave out --ledger, or begin a "
            f"new store"
        )
