"""Sources: files, frames and databases, each read once, as batches whose columns are known."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from bmastore.errors import InputError
from bmastore.panel.ingest.batches import Batch, File, as_batch, register_files
from bmastore.panel.ingest.database import Query, read_query
from bmastore.panel.ingest.files import NotTakenError, as_paths, find
from bmastore.panel.ingest.frames import first_line, read_frame, zones_of
from bmastore.panel.ingest.layout import Layout, date_of_file, lay_out, ticker_of_file
from bmastore.panel.ingest.options import IngestOptions
from bmastore.panel.ingest.report import Count
from bmastore.panel.ingest.reshape import as_bars
from bmastore.panel.ingest.text import read_text
from bmastore.panel.ingest.zones import zones_of_parquet
from bmastore.storage.statements import literal

_NAMED_FILES = "no ticker column: each file's name, without its ending, is its ticker"


@dataclass(frozen=True)
class Sources:
    """All of an input, laid out.

    Attributes
    ----------
    layouts:
        The batches and what their columns are.
    notes:
        What the user should know about how the input is read.
    lost:
        Lines that could not be read at all.
    """

    layouts: tuple[Layout, ...]
    notes: tuple[Count, ...]
    lost: tuple[Count, ...]

    @property
    def names(self) -> list[str]:
        """All columns of the input that are neither keys nor bookkeeping, each once."""
        return list(
            dict.fromkeys(layout.batch.names[i] for layout in self.layouts for i in layout.others)
        )


@contextmanager
def open_sources(
    duck: duckdb.DuckDBPyConnection,
    data: Any,
    options: IngestOptions,
    *,
    panel: bool,
    fits: Callable[[Layout], None],
) -> Iterator[Sources]:
    """Read an input, and find out what its columns are.

    Parameters
    ----------
    fits:
        Raises :class:`NotTakenError` for a batch that is not of the kind that is asked for.

    Raises
    ------
    InputError
        If none of it can be taken.
    """
    with tempfile.TemporaryDirectory(prefix="bmastore-") as folder:
        batches, left_out = _read(duck, data, options, Path(folder))
        layouts: list[Layout] = []
        notes: list[Count] = []
        for batch in batches:
            try:
                layout = _laid_out(duck, batch, options, panel)
                fits(layout)
            except NotTakenError as error:
                if not batch.files:
                    said = str(error)
                    is_of_it = said.startswith(("is ", "has "))
                    raise InputError(f"the input {said}" if is_of_it else said) from None
                left_out += [(file.shown, str(error)) for file in batch.files]
                continue
            layouts.append(layout)
        _check_any(layouts, left_out)
        notes += _left_out_notes(left_out)
        for layout in layouts:
            notes += layout.batch.notes
            notes += [Count(text, 0) for text in layout.dates.notes]
        notes += _notes_on_columns(layouts)
        register_files(duck, _file_rows(layouts, options))
        lost = tuple(count for layout in layouts for count in layout.batch.lost)
        yield Sources(tuple(layouts), tuple(notes), lost)


def source_sql(
    layout: Layout, cells: Sequence[tuple[str, str]], *, moment: bool, written: bool
) -> str:
    """A SELECT of a batch: keys, named cells, the moment and what to show of a bad row if asked."""
    batch, dates = layout.batch, layout.dates
    first = f"c{layout.date_column}" if layout.date_column is not None else "c0"
    columns = [
        f"{layout.ticker} as ticker",
        f"{dates.day} as date",
        *(f"{value} as {name}" for name, value in cells),
    ]
    if moment:
        columns.append(f"{dates.moment or 'null'}::timestamp as moment")
    if written:
        columns.append(
            f"case when ({dates.day}) is null then "
            f"left(coalesce({first}::varchar, c0::varchar), 40) end as written"
        )
    joins = ""
    if layout.named_by != "column" or (layout.date_column is None):
        joins += " left join files on files.path = file_path"
    if dates.join is not None:
        table, text = dates.join
        joins += f" left join {table} as dates on dates.given = ({text})"
    if not joins:
        return f"select {', '.join(columns)} from {batch.table}"
    # A join may change the order of rows, of which the last one with a key is taken.
    place = "rowid" if batch.is_table else "row_number() over ()"
    return (
        f"select {', '.join(columns)} from (select *, {place} as place from {batch.table})"
        f"{joins} order by place"
    )


def _read(
    duck: duckdb.DuckDBPyConnection, data: Any, options: IngestOptions, scratch: Path
) -> tuple[list[Batch], list[tuple[str, str]]]:
    if isinstance(data, Query):
        return [read_query(duck, data)], []
    paths = as_paths(data)
    if paths is None:
        return [read_frame(duck, data)], []
    found = find(paths, scratch)
    left_out = list(found.left_out)
    batches, failed = _read_parquet(duck, found.parquet, 0)
    left_out += failed
    for file in found.arrow:
        try:
            batches.append(_read_arrow(duck, file, len(batches)))
        except NotTakenError as error:
            left_out.append((file.shown, str(error)))
    more, failed = read_text(duck, found.text, options, scratch, len(batches))
    return batches + more, left_out + failed


def _read_parquet(
    duck: duckdb.DuckDBPyConnection, files: Sequence[File], first_number: int
) -> tuple[list[Batch], list[tuple[str, str]]]:
    """A batch per schema, read where it lies."""
    groups: dict[tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]], list[File]]
    groups = defaultdict(list)
    left_out = []
    for file in files:
        try:
            described = duck.execute(
                f"describe select * from read_parquet({literal(_no_glob(file.path))}, "
                f"hive_partitioning = false)"
            ).fetchall()
            columns = tuple((row[0], row[1]) for row in described)
            zones = {}
            if any("WITH TIME ZONE" in kind for _, kind in columns):
                zoned = [name for name, kind in columns if "WITH TIME ZONE" in kind]
                zones = zones_of_parquet(duck, file.path, zoned)
            n = duck.execute(
                f"select sum(num_rows) from parquet_file_metadata({literal(_no_glob(file.path))})"
            ).fetchall()[0][0]
        except duckdb.Error as error:
            left_out.append((file.shown, f"cannot be read: {first_line(error)}"))
            continue
        if not n:
            left_out.append((file.shown, "has no rows"))
            continue
        groups[columns, tuple(sorted(zones.items()))].append(file)
    batches: list[Batch] = []
    for (_, named_zones), alike in groups.items():
        listed = "[" + ", ".join(literal(_no_glob(file.path)) for file in alike) + "]"
        relation = f"read_parquet({listed}, hive_partitioning = false, filename = 'file_path')"
        batches.append(
            as_batch(duck, first_number + len(batches), relation, zones=dict(named_zones),
                     files=tuple(alike), in_place=True)
        )  # fmt: skip
    return batches, left_out


def _read_arrow(duck: duckdb.DuckDBPyConnection, file: File, number: int) -> Batch:
    try:
        import pyarrow as pa
        from pyarrow import feather, ipc
    except ModuleNotFoundError:
        raise NotTakenError("needs pyarrow to be read: pip install pyarrow") from None
    try:
        try:
            table = feather.read_table(file.path, memory_map=True)
        except pa.ArrowInvalid:
            with pa.memory_map(file.path) as content:
                table = ipc.open_stream(content).read_all()
        zones = zones_of(table.schema)
        duck.register("frame", table)
        relation = f"(select *, {literal(file.path)} as file_path from frame)"
        return as_batch(duck, number, relation, zones=zones, files=(file,))
    except (pa.ArrowException, duckdb.Error, OSError, ValueError) as error:
        raise NotTakenError(f"cannot be read: {first_line(error)}") from None
    finally:
        duck.unregister("frame")


def _no_glob(path: str) -> str:
    """A path in which no sign means other files."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in path)


def _laid_out(
    duck: duckdb.DuckDBPyConnection, batch: Batch, options: IngestOptions, panel: bool
) -> Layout:
    names = [name.lower() for name in batch.names if name]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise NotTakenError(f"has two columns {twice!r}; rename one of them")
    if not panel:
        batch = as_bars(duck, batch, options.vendor, options.date_col)
    return lay_out(duck, batch, options)


def _check_any(layouts: Sequence[Layout], left_out: Sequence[tuple[str, str]]) -> None:
    if layouts:
        return
    if len(left_out) == 1:
        shown, reason = left_out[0]
        if reason.startswith("there is no"):
            raise InputError(f"{reason} in {shown}" if "columns:" not in reason else reason)
        if reason.startswith("has a header"):
            raise InputError(f"{shown}: the input has no rows")
        sentence = f"cannot read {shown}: it {reason}"
        if reason.startswith("cannot be read: "):
            sentence = f"cannot read {shown}: {reason.removeprefix('cannot be read: ')}"
        elif reason.startswith(("is ", "has ")):
            sentence = f"{shown} {reason}"
        raise InputError(sentence)
    some = "; ".join(f"{shown} {reason}" for shown, reason in left_out[:3])
    raise InputError(f"none of the {len(left_out)} files can be taken: {some}")


def _left_out_notes(left_out: Sequence[tuple[str, str]]) -> list[Count]:
    """The files left out, by reason."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for shown, reason in left_out:
        by_reason[reason].append(shown)
    return [
        Count(f"files left out, of which each {reason}", len(shown), tuple(shown))
        for reason, shown in by_reason.items()
    ]


def _notes_on_columns(layouts: Sequence[Layout]) -> list[Count]:
    notes = []
    if any(layout.named_by == "name" for layout in layouts):
        notes.append(Count(_NAMED_FILES, 0))
    left_out = dict.fromkeys(name for layout in layouts for name in layout.left_out)
    if left_out:
        notes.append(
            Count(
                "columns left out: row numbers, an index without a name, or where files lie",
                len(left_out),
                tuple(left_out),
            )
        )
    named = {layout.vendor.name for layout in layouts} - {"usual", "yahoo", "kaggle"}
    notes += [Count(f"taken in the layout of {name}", 0) for name in sorted(named)]
    return notes


def _file_rows(
    layouts: Sequence[Layout], options: IngestOptions
) -> list[tuple[str, str, str]]:  # fmt: skip
    return [
        (
            file.path,
            ticker_of_file(layout, i, options) if layout.named_by != "column" else "",
            date_of_file(layout, i) if layout.date_column is None else "",
        )
        for layout in layouts
        for i, file in enumerate(layout.batch.files)
    ]
