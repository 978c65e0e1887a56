"""Reads a store for people: status, results, queries."""

import re
from dataclasses import dataclass
from typing import Any

import duckdb

from bmastore.errors import QueryError
from bmastore.storage.resources import sql, sql_names
from bmastore.storage.session import Reader
from bmastore.storage.statements import run
from bmastore.table import Table

STATUSES = ("trained", "pending", "stale", "failed", "skipped")


@dataclass(frozen=True)
class Status:
    """How many stocks have each status, and the newest run (``None`` before the first)."""

    tickers: int
    trained: int
    pending: int
    stale: int
    failed: int
    skipped: int
    last_run: dict[str, Any] | None

    def table(self) -> Table:
        """The counts as a table."""
        counts = [(name, getattr(self, name)) for name in ("tickers", *STATUSES)]
        return Table(("status", "stocks"), ("VARCHAR", "INTEGER"), counts)


def query(reader: Reader, text: str, parameters: dict[str, Any] | None = None) -> Table:
    """Run one read-only query over the tables and views.

    The connection can neither write nor reach files or the network.

    Raises
    ------
    QueryError
        If the query is not valid, or tries to do more than read.
    """
    duck = reader.duck
    try:
        duck.execute(text, parameters)
        if duck.description is None:
            raise QueryError("this statement gives no rows; sql only reads")
        columns = tuple(column[0] for column in duck.description)
        types = tuple(str(column[1]) for column in duck.description)
        return Table(columns, types, duck.fetchall())
    except duckdb.Error as error:
        raise QueryError(_explain(error)) from None


def named_query(name: str) -> str:
    """Text of a query of ``sql/queries/``.

    Raises
    ------
    QueryError
        If there is none of this name.
    """
    known = sql_names("queries")
    if name not in known:
        raise QueryError(f"there is no query {name!r}; there are {', '.join(known)}")
    return sql(f"queries/{name}")


def status(reader: Reader) -> Status:
    """Counts by status, and the newest run."""
    counts = dict(run(reader.duck, "report/status_counts").fetchall())
    runs = query(reader, sql("report/last_run")).records()
    return Status(
        tickers=sum(counts.values()),
        last_run=runs[0] if runs else None,
        **{name: counts.get(name, 0) for name in STATUSES},
    )


def results(reader: Reader) -> Table:
    """One row per stock: status, weights, metrics, newest forecast."""
    return query(reader, sql("report/results"))


def _explain(error: duckdb.Error) -> str:
    text = str(error).strip()
    if "read-only mode" in text:
        return "this statement writes; the store is open for reading only"
    if "external" in text.lower() or "disabled by configuration" in text:
        return "files and the network are out of reach of this query; it can only read the store"
    return re.sub(r"\n\s*\n.*", "", text, flags=re.DOTALL)
