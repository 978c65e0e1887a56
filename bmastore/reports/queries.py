"""Reads a store for people: status, results, queries."""

import re
import threading
from dataclasses import dataclass
from typing import Any

import duckdb

from bmastore.errors import QueryError
from bmastore.storage.compact import free_bytes
from bmastore.storage.connect import damaged, is_damage, is_held
from bmastore.storage.paths import results_path
from bmastore.storage.readonly import check_query
from bmastore.storage.resources import sql, sql_names
from bmastore.storage.session import Reader
from bmastore.storage.statements import run
from bmastore.storage.versions import has_table
from bmastore.table import Table, Tabular, distinct

STATUSES = ("trained", "pending", "stale", "failed", "skipped")


@dataclass(frozen=True)
class Status(Tabular):
    """How many stocks have each status, and the newest run (``None`` before the first).

    ``size`` is that of the store's file, of which ``compact`` would save about ``free``; in bytes.
    """

    tickers: int
    trained: int
    pending: int
    stale: int
    failed: int
    skipped: int
    last_run: dict[str, Any] | None
    size: int
    free: int

    @property
    def running(self) -> str | None:
        """Id of the newest run, if it is said to be running."""
        run = self.last_run
        return str(run["run_id"]) if run is not None and run["status"] == "running" else None

    @property
    def table(self) -> Table:
        """The counts as a table."""
        counts = [(name, getattr(self, name)) for name in ("tickers", *STATUSES)]
        return Table(("status", "stocks"), ("VARCHAR", "INTEGER"), counts)


def query(
    reader: Reader,
    text: str,
    parameters: dict[str, Any] | None = None,
    *,
    timeout: float | None = None,
) -> Table:
    """Run one read-only query over the tables and views.

    The connection can neither write nor reach files or the network.

    Parameters
    ----------
    timeout:
        Seconds after which the query is ended; ``None`` means never.

    Raises
    ------
    QueryError
        If the query is not valid, tries to do more than read, or takes too long.
    """
    check_query(reader.duck, text)
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        reader.duck.interrupt()

    timer = threading.Timer(timeout, end) if timeout is not None else None
    try:
        if timer is not None:
            timer.start()
        return _table(reader.duck, text, parameters)
    except duckdb.Error as error:
        if is_late.is_set():
            raise QueryError(
                f"the query took longer than {timeout:g} s; ask for less, or give it more time "
                f"with --timeout"
            ) from None
        if is_damage(error):
            raise damaged(reader.path, error) from None
        raise QueryError(_explain(error)) from None
    except RuntimeError as error:
        raise QueryError(f"DuckDB cannot take the parameters: {error}") from None
    finally:
        if timer is not None:
            timer.cancel()


def _table(
    duck: duckdb.DuckDBPyConnection, text: str, parameters: dict[str, Any] | None = None
) -> Table:
    duck.execute(text, parameters)
    columns = distinct([column[0] for column in duck.description or ()])
    types = tuple(str(column[1]) for column in duck.description or ())
    return Table(columns, types, duck.fetchall())


def is_free(reader: Reader) -> bool:
    """Whether nobody holds the store; of a copy of its results alone that is not known."""
    is_store = has_table(reader.duck, "folds") or results_path(reader.path).exists()
    return is_store and not is_held(reader.path)


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
    # Published results say it of the store.
    said = reader.duck.execute("select value from meta where name = 'free_bytes'").fetchall()
    return Status(
        tickers=sum(counts.values()),
        last_run=runs[0] if runs else None,
        size=reader.path.stat().st_size,
        free=int(said[0][0]) if said else free_bytes(reader.duck),
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
