"""A mirror: a store's results in a PostgreSQL database of their own, for readers of a server.

Nobody trains into it, and nobody else writes it. It is renewed in one transaction, so that readers
see what was published before or what is published now, and never half of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from bmastore.calendar import utc_now
from bmastore.errors import StoreError
from bmastore.storage import postgres
from bmastore.storage.columns import registered
from bmastore.storage.copying import copy_text
from bmastore.storage.identity import MIRROR
from bmastore.storage.renewal import LEDGER_TABLES
from bmastore.storage.shown import replace_changed
from bmastore.storage.statements import Part, literal, quoted, run
from bmastore.storage.versions import SCHEMA_VERSION, too_new
from bmastore.storage.views import NEWEST_FIRST

if TYPE_CHECKING:
    from bmastore.storage.postgres import Server

# What is only ever added to: what a mirror lacks are rows of entries or backtests that it does not
# know, or rows that are newer than its newest. All other tables are sent whole.
_OF_ENTRIES = ("ledger", "predictions")
_OF_BACKTESTS = ("backtests", "backtest_scores", "backtest_days", "backtest_weights")
_BY_TIME = {
    "outcomes": "settled_at",
    "feature_days": "measured_at",
    "decays": "marked_at",
    "universes": "finished_at",
    "backtest_cutoffs": "finished_at",
}


@dataclass(frozen=True)
class Sent:
    """What was published: to which ``place``, and how many rows were sent, by table or view."""

    place: str
    rows: Mapping[str, int]


def send(duck: duckdb.DuckDBPyConnection, store: Path, own_id: str, url: str) -> Sent:
    """Bring a mirror up to a store's results, or make it.

    Parameters
    ----------
    duck:
        A connection to the store, or to its published results.
    store, own_id:
        The store, and its id.
    url:
        The database.

    Raises
    ------
    StoreError
        If the database belongs to another store or holds anything else, or the server refuses.
    StoreLockedError
        If another process publishes to it.
    """
    with postgres.open_server(url) as server:
        found = _schema_of(server, store, own_id)
        with server.transaction():
            if found != SCHEMA_VERSION:
                readers = server.rows("server/readers")
                if found is not None:
                    server.drop_ledger()
                server.make_ledger(SCHEMA_VERSION, own_id, readers)
                server.mark(MIRROR, "true")
            rows = _send_new(duck, server)
            rows |= replace_changed(duck, server)
            server.mark("published_at", _published_at(duck))
    return Sent(server.place, rows)


def _schema_of(server: "Server", store: Path, own_id: str) -> str | None:
    """The schema of a mirror of this store; ``None`` in an empty database."""
    there = {row["name"] for row in server.rows("mirror/relations")}
    if not there:
        return None
    if not {"meta", "alembic_version", "ledger"} <= there:
        raise StoreError(
            f"{server.place} holds other tables, such as {min(there)}; publish to a database of "
            f"its own: CREATE DATABASE makes one"
        )
    marks, found = server.marks(), server.version() or ""
    if marks.get("store_id") != own_id:
        raise StoreError(
            f"{server.place} belongs to another store than {store}; publish to a database of its "
            f"own"
        )
    if MIRROR not in marks:
        raise StoreError(
            f"{server.place} is the ledger of {store} itself, and has all views already; publish "
            f"to another database, or to none"
        )
    if found > SCHEMA_VERSION:
        raise too_new(server.place, found)
    return found


def _send_new(duck: duckdb.DuckDBPyConnection, server: "Server") -> dict[str, int]:
    """Send the rows of the ledger that a mirror lacks; returns how many of each table."""
    entries = [row["id"] for row in server.rows("mirror/entries")]
    backtests = [row["id"] for row in server.rows("mirror/backtests")]
    with (
        # A list without text would be one of numbers.
        registered(duck, "known_entries", {"entry_id": entries or [""]}),
        registered(duck, "known_backtests", {"backtest_id": backtests or [""]}),
    ):
        return {table: _send_table(duck, server, table) for table in LEDGER_TABLES}


def _send_table(duck: duckdb.DuckDBPyConnection, server: "Server", table: str) -> int:
    """Send what is new of a table, or all of it if the number of rows is then another one."""
    from bmastore.storage.schema import ledger_metadata

    columns, relation = ledger_metadata.tables[table].columns.keys(), Part(quoted(table))
    new = _new_rows(server, table)
    if new is not None:
        n = server.copy(table, columns, copy_text(duck, new, columns))
        if table == "predictions" and n:
            _drop_superseded(duck, server, new)
        here = run(duck, "mirror/count", relation=relation).fetchall()[0][0]
        if here == server.rows("mirror/count", relation=relation)[0]["n"]:
            return n
    server.execute("mirror/empty", relation=relation)
    return server.copy(table, columns, copy_text(duck, quoted(table), columns))


def _drop_superseded(duck: duckdb.DuckDBPyConnection, server: "Server", new: str) -> None:
    """Take away forecasts of which there are newer ones now."""
    (since,) = duck.execute(f"select min(date) from {new}").fetchall()[0]  # noqa: S608
    server.execute(
        "ledger/drop_superseded_forecasts",
        since=since,
        which=Part("true"),
        newest_first=NEWEST_FIRST,
    )


def _new_rows(server: "Server", table: str) -> str | None:
    """A query of the rows that a mirror lacks; ``None`` if these cannot be told."""
    if table in _OF_ENTRIES:
        return f"(from {quoted(table)} anti join known_entries using (entry_id))"
    if table in _OF_BACKTESTS:
        return f"(from {quoted(table)} anti join known_backtests using (backtest_id))"
    if table not in _BY_TIME:
        return None
    column = _BY_TIME[table]
    found = server.rows("mirror/newest", relation=Part(quoted(table)), column=Part(column))
    return f"(from {quoted(table)} where {column} > {literal(found[0]['newest'])})"


def _published_at(duck: duckdb.DuckDBPyConnection) -> str:
    """As of when the results are: of published ones, when these were written."""
    found = duck.execute("select max(value) from meta where name = 'published_at'").fetchall()
    return str(found[0][0] or utc_now().isoformat(" ", "seconds"))
