"""Writes tables for people and programs: table, csv, json, parquet."""

import csv
import io
import json
import shutil
import sys
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from bmastore.errors import BmastoreError, ConfigError
from bmastore.storage.statements import literal, quoted
from bmastore.table import Table

FORMATS = ("table", "csv", "json", "parquet")


def to_json(value: Any, *, leave_out: tuple[str, ...] = ()) -> str:
    """A dataclass as one JSON object, without some of its fields."""
    content = {name: item for name, item in asdict(value).items() if name not in leave_out}
    return json.dumps(content, default=_plain)


def render(table: Table, fmt: str) -> str:
    """The table as text in a format other than parquet."""
    if fmt == "json":
        return json.dumps(table.records(), default=_plain, indent=2, allow_nan=False) + "\n"
    flat = flatten(table)
    if fmt == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(flat.columns)
        writer.writerows([["" if v is None else v for v in row] for row in flat.rows])
        return text.getvalue()
    return _draw(flat)


def write(table: Table, fmt: str, path: Path | None) -> str | None:
    """Write the table to a file; without a file, return its text.

    Raises
    ------
    ConfigError
        If parquet is asked for without a file.
    BmastoreError
        If the file cannot be written.
    """
    if fmt == "parquet" and path is None:
        raise ConfigError("parquet needs a file: add --output FILE")
    try:
        if fmt == "parquet":
            _write_parquet(flatten(table), str(path))
        elif path is None:
            return render(table, fmt)
        else:
            path.write_text(render(table, fmt), encoding="utf-8")
    except OSError as error:
        raise BmastoreError(f"cannot write {path}: {error.strerror or error}") from None
    return None


def flatten(table: Table) -> Table:
    """The table with a map column ``weights`` spread over ``weights_rf``, ``weights_xgb``, …"""
    maps = [i for i, kind in enumerate(table.types) if kind.startswith("MAP(")]
    if not maps:
        return table
    columns: list[str] = []
    types: list[str] = []
    pickers: list[tuple[int, str | None]] = []
    for i, name in enumerate(table.columns):
        keys = sorted({key for row in table.rows for key in row[i] or {}}) if i in maps else [None]
        for key in keys:
            columns.append(name if key is None else f"{name}_{key}")
            types.append(table.types[i] if key is None else "DOUBLE")
            pickers.append((i, key))
    rows = [
        tuple(row[i] if key is None else (row[i] or {}).get(key) for i, key in pickers)
        for row in table.rows
    ]
    return Table(tuple(columns), tuple(types), rows)


def _draw(table: Table) -> str:
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(show_edge=False, pad_edge=False)
    for name, kind in zip(table.columns, table.types, strict=True):
        right = kind in ("DOUBLE", "FLOAT", "INTEGER", "BIGINT", "HUGEINT")
        drawn.add_column(Text(name), justify="right" if right else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(_cell(value)) for value in row))
    console = Console(file=io.StringIO(), width=_width(), color_system=None)
    console.print(drawn)
    text = console.file
    assert isinstance(text, io.StringIO)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _width() -> int:
    # Into a file or a pipe, no row is broken in two.
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 1000


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def _write_parquet(table: Table, path: str) -> None:
    import duckdb
    import pandas as pd

    frame = pd.DataFrame(table.rows, columns=list(table.columns), dtype=object)
    casts = ", ".join(
        f"cast({quoted(name)} as {kind}) as {quoted(name)}"
        for name, kind in zip(table.columns, table.types, strict=True)
    )
    with duckdb.connect() as duck:
        duck.register("frame", frame)
        try:
            duck.execute(f"copy (select {casts} from frame) to {literal(path)} (format parquet)")
        except duckdb.IOException as error:
            raise OSError(str(error).splitlines()[0]) from None
