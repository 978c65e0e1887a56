"""Batches: parts of the input that have the same columns, each one relation in DuckDB."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from bmastore.panel.ingest.report import Count
from bmastore.storage.statements import quoted, run


@dataclass(frozen=True)
class File:
    """A file of the input.

    Attributes
    ----------
    path:
        Where its content lies: the file, or a copy of it that DuckDB can read.
    shown:
        How people are told of it.
    stem:
        Its name without its endings.
    keys:
        Hive partition keys: the folders like ``year=2023`` on its way.
    ticker:
        The ticker that its head names, where it does.
    """

    path: str
    shown: str
    stem: str
    keys: Mapping[str, str] = field(default_factory=dict)
    ticker: str | None = None


@dataclass(frozen=True)
class Batch:
    """A part of the input, as a relation of the temporary schema.

    Attributes
    ----------
    table:
        Its name. Column i of the input is its column ``c<i>``, so that no name of the
        input can clash with one of ours. With files, ``file_path`` says which one.
    names, types:
        The input's names of the columns, and their DuckDB types.
    zones:
        Time zones by column, where they are known.
    files:
        The files that it holds; none for a frame.
    is_table:
        Whether its rows lie in DuckDB, with ``rowid`` in the order of the input.
    lost:
        Lines that could not be read at all.
    """

    table: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    zones: Mapping[int, str] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    is_table: bool = True
    lost: tuple[Count, ...] = ()
    notes: tuple[Count, ...] = ()

    @property
    def shown(self) -> str:
        """The batch as people know it."""
        if not self.files:
            return "the input"
        more = len(self.files) - 1
        return self.files[0].shown + (f" (and {more} more files like it)" if more else "")

    def noting(self, what: str, n: int = 0, examples: Iterable[str] = ()) -> "Batch":
        """The batch with one more note."""
        return replace(self, notes=(*self.notes, Count(what, n, tuple(examples))))


def select(
    duck: duckdb.DuckDBPyConnection, query: str, columns: Sequence[str]
) -> list[tuple[object, ...]]:
    """Rows of a query made of expressions over one relation; none of them may be empty."""
    return duck.execute(f"select {', '.join(columns)} from {query}").fetchall()


def as_batch(
    duck: duckdb.DuckDBPyConnection,
    number: int,
    relation: str,
    *,
    zones: Mapping[str, str] | None = None,
    files: tuple[File, ...] = (),
    in_place: bool = False,
) -> Batch:
    """A batch out of a relation (SQL after FROM); its column ``file_path`` is not the input's.

    With ``in_place`` it stays a view, as for Parquet, of which DuckDB reads only the columns
    that a query needs; otherwise its rows are copied, once.
    """
    described = duck.execute(f"describe select * from {relation}").fetchall()
    columns = [(row[0], row[1]) for row in described if not (files and row[0] == "file_path")]
    parts = [f"{quoted(name)} as c{i}" for i, (name, _) in enumerate(columns)]
    if files:
        parts.append("file_path")
    kind = "view" if in_place else "table"
    table = f"batch_{number}"
    duck.execute(
        f"create or replace temp {kind} {table} as select {', '.join(parts)} from {relation}"
    )
    known = zones or {}
    return Batch(
        table,
        tuple(name for name, _ in columns),
        tuple(kind for _, kind in columns),
        {i: known[name] for i, (name, _) in enumerate(columns) if name in known},
        files,
        is_table=not in_place,
    )


def register_files(duck: duckdb.DuckDBPyConnection, files: Sequence[tuple[str, str, str]]) -> None:
    """The table ``files``: path, ticker and date (as text, or empty) of each file."""
    paths, tickers, dates = zip(*files, strict=True) if files else ((), (), ())
    run(duck, "ingest/files", paths=paths, tickers=tickers, dates=dates)
