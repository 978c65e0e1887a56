"""Reads what can be read of a damaged store.

DuckDB checks the checksum of each block as it reads it, so a read either gives what was written or
fails; and it reads no rows but those that are asked for. So a table of which a block is damaged
gives all rows but those of that block.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bmastore.errors import StoreLockedError
from bmastore.storage.connect import explain
from bmastore.storage.guard import log_size, mend
from bmastore.storage.statements import literal, quoted, run

# Rows of a row group, and of the smallest part that DuckDB reads.
_GROUP, _VECTOR = 122_880, 2_048


@dataclass(frozen=True)
class Salvaged:
    """What was saved of a table.

    Attributes
    ----------
    kept, lost:
        Rows.
    tickers:
        Stocks that lost rows, as far as these rows still tell.
    """

    kept: int
    lost: int
    tickers: frozenset[str] = frozenset()


@contextmanager
def attached(
    duck: duckdb.DuckDBPyConnection, path: Path, name: str, scratch: Path
) -> Iterator[str | None]:
    """Attach a damaged database for reading; gives what is missing of it, ``None`` if nothing.

    Where its log cannot be read, it is attached without: as it was at its last checkpoint.

    Raises
    ------
    StoreLockedError
        If somebody writes it.
    duckdb.Error
        If it cannot be read at all.
    """
    missing = None
    try:
        mend(path)
        duck.execute(f"attach {literal(str(path))} as {name} (read_only, type duckdb)")
    except duckdb.Error as error:
        if isinstance(reason := explain(path, error), StoreLockedError):
            raise reason from None
        if not log_size(path):
            raise
        missing = f"its log of {log_size(path):,} bytes, which cannot be read"
        copied = Path(shutil.copy(path, scratch / f"{name}.duckdb"))
        duck.execute(f"attach {literal(str(copied))} as {name} (read_only, type duckdb)")
    try:
        yield missing
    finally:
        duck.execute(f"detach {name}")


def tables_of(duck: duckdb.DuckDBPyConnection, database: str) -> dict[str, tuple[str, ...]]:
    """The columns of each table of an attached database; views, which are code, are none."""
    return {
        table: tuple(columns)
        for table, columns in run(duck, "recover/tables", database=database).fetchall()
    }


def database_of(duck: duckdb.DuckDBPyConnection) -> str:
    """The name by which a connection knows its own database."""
    return str(duck.execute("select current_database()").fetchall()[0][0])


def fingerprint(
    duck: duckdb.DuckDBPyConnection, table: str, database: str | None = None
) -> tuple[int, int]:
    """Number of rows of a table and the sum of their hashes, for which every value is read.

    ``database`` is the name of an attached one; ``None`` means the connection's own.

    Raises
    ------
    duckdb.Error
        If a block of it is damaged.
    """
    return fingerprint_of(duck, f"{quoted(database or database_of(duck))}.main.{quoted(table)}")


def fingerprint_of(duck: duckdb.DuckDBPyConnection, relation: str) -> tuple[int, int]:
    """The fingerprint of a relation whose name is written as SQL; see :func:`fingerprint`."""
    found = duck.execute(
        f"select count(*), coalesce(sum(hash(t)::hugeint), 0) from {relation} as t"  # noqa: S608
    )
    count, total = found.fetchall()[0]
    return int(count), int(total)


def save_table(
    duck: duckdb.DuckDBPyConnection, database: str, table: str, columns: tuple[str, ...]
) -> Salvaged:
    """Copy those rows of a table that can be read into the table of the same name."""
    source = f"{database}.{quoted(table)}"
    insert = (
        f"insert into {quoted(table)} by name "  # noqa: S608
        f"select {', '.join(map(quoted, columns))} from {source}"
    )
    try:
        return Salvaged(_count(duck, insert), 0)
    except duckdb.Error:
        pass
    found = run(duck, "recover/rows_there", database=database, relation=table)
    n = int(found.fetchall()[0][0])
    kept, lost = 0, list[int]()
    for group in range(0, n, _GROUP):
        part = _try(duck, insert, group, _GROUP)
        if part is not None:
            kept += part
            continue
        for start in range(group, min(n, group + _GROUP), _VECTOR):
            part = _try(duck, insert, start, _VECTOR)
            kept, lost = (kept, [*lost, start]) if part is None else (kept + part, lost)
    tickers = {t for start in lost for t in _tickers_of(duck, source, columns, start)}
    return Salvaged(kept, min(n, len(lost) * _VECTOR), frozenset(tickers))


def _try(duck: duckdb.DuckDBPyConnection, insert: str, start: int, length: int) -> int | None:
    try:
        return _count(duck, f"{insert} where rowid between {start} and {start + length - 1}")
    except duckdb.Error:
        return None


def _count(duck: duckdb.DuckDBPyConnection, insert: str) -> int:
    return int(duck.execute(insert).fetchall()[0][0])


def _tickers_of(
    duck: duckdb.DuckDBPyConnection, source: str, columns: tuple[str, ...], start: int
) -> list[str]:
    if "ticker" not in columns:
        return []
    try:
        found = duck.execute(
            f"select distinct ticker from {source} "  # noqa: S608
            f"where rowid between {start} and {start + _VECTOR - 1}"
        ).fetchall()
    except duckdb.Error:  # the damaged block is that of the tickers
        return []
    return [ticker for (ticker,) in found]
