"""Brings published tables up to those of the ledger, at the cost of what has changed.

History is only ever added to, and of forecasts those of the newest dates are replaced: what is new
is told by time. The numbers of rows are compared in the end, and a table in which they differ, for
rows were taken away or came late, is copied whole. So are all tables that do not grow with each
night's stocks.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import duckdb

from bmastore.storage.salvage import fingerprint_of
from bmastore.storage.statements import Part, quoted, run

if TYPE_CHECKING:
    from bmastore.storage.postgres import Server

# The tables of the ledger, those that grow first.
_GROWING = ("ledger", "predictions", "outcomes")
LEDGER_TABLES = (
    *_GROWING,
    "runs",
    "standings",
    "member_days",
    "outcome_days",
    "outcome_stocks",
    "feature_days",
    "decays",
    "stocks",
    "universes",
    "ensembles",
    "backtests",
    "backtest_cutoffs",
    "backtest_scores",
    "backtest_days",
    "backtest_weights",
)
# Entries are committed in about the order in which they end: a batch waits for seconds.
_LATE = timedelta(hours=1)


class Source(Protocol):
    """Where the tables of the ledger are."""

    def relation(self, table: str, since: datetime | None = None) -> str:
        """The table, or at least what ended, was made or was settled since."""

    def count(self, table: str) -> int:
        """How many rows it has."""


class Here:
    """The tables of a store's own file."""

    def __init__(self, duck: duckdb.DuckDBPyConnection, home: str) -> None:
        self._duck, self._home = duck, home

    def relation(self, table: str, since: datetime | None = None) -> str:
        """The table itself."""
        return f"{self._home}.main.{quoted(table)}"

    def count(self, table: str) -> int:
        """How many rows it has."""
        return _count(self._duck, self.relation(table))


class There:
    """The tables of a ledger on a server, of which rows are fetched."""

    def __init__(self, duck: duckdb.DuckDBPyConnection, home: str, server: "Server") -> None:
        self._duck, self._home, self._server = duck, home, server

    def relation(self, table: str, since: datetime | None = None) -> str:
        """A temporary table with the rows."""
        found = self._server.table(table) if since is None else self._since(table, since)
        name = f"temp.main.{quoted(f'fetched_{table}')}"
        self._duck.execute(
            f"create or replace temp table {quoted(f'fetched_{table}')} as "
            f"from {self._home}.main.{quoted(table)} limit 0"
        )
        if found:
            from bmastore.storage.columns import bulk_insert

            bulk_insert(self._duck, f"fetched_{table}", found)
        return name

    def _since(self, table: str, since: datetime) -> dict[str, Sequence[Any]]:
        rows = self._server.rows(f"publish/fetch_{table}", since=since)
        return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}

    def count(self, table: str) -> int:
        """How many rows the server has."""
        return int(self._server.rows("mirror/count", relation=Part(quoted(table)))[0]["n"])


def renew_tables(duck: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Bring all tables of the ledger up to date."""
    entries, forecasts, outcomes = run(duck, "publish/newest").fetchall()[0]
    is_begun = entries.year > 1 and forecasts.year > 1
    if is_begun:
        ended, made = entries - _LATE, forecasts - _LATE
        run(
            duck,
            "publish/append_entries",
            ended=ended,
            made=made,
            ledger=Part(source.relation("ledger", ended)),
            predictions=Part(source.relation("predictions", made)),
        )
        new = Part(source.relation("outcomes", outcomes))
        run(duck, "publish/append_outcomes", since=outcomes, outcomes=new)
    for table in LEDGER_TABLES:
        if table not in _GROWING:
            renew_table(duck, table, source.relation(table))
        elif not is_begun or _count(duck, f"published.{table}") != source.count(table):
            copy_table(duck, table, source.relation(table))


def renew_table(duck: duckdb.DuckDBPyConnection, table: str, rows: str) -> None:
    """Copy a table whole, unless it is the same: a copy leaves the room of the one before free."""
    if fingerprint_of(duck, f"published.main.{quoted(table)}") != fingerprint_of(duck, rows):
        copy_table(duck, table, rows)


def copy_table(duck: duckdb.DuckDBPyConnection, table: str, rows: str) -> None:
    """Copy a table whole."""
    duck.execute(f"delete from published.main.{quoted(table)}")  # noqa: S608
    duck.execute(f"insert into published.main.{quoted(table)} by name from {rows}")


def _count(duck: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(duck.execute(f"select count(*) from {relation}").fetchall()[0][0])  # noqa: S608
