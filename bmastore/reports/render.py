"""Writes tables for people and programs: table, csv, json, parquet."""

import csv
import io
import json
import math
import re
import shutil
import sys
import unicodedata
from dataclasses import asdict, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from bmastore.errors import ConfigError
from bmastore.storage.outputs import written_whole
from bmastore.storage.statements import literal, quoted
from bmastore.table import Table

FORMATS = ("table", "csv", "json", "parquet")
# On a screen: the longest text of a cell, what is cut as an id, and what is set to the right.
_LONGEST = 60
_ID = re.compile("[0-9a-f]{32,}")
# What a spreadsheet takes for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBERS = ("DOUBLE", "FLOAT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "UINTEGER")


def to_json(value: Any, *, leave_out: tuple[str, ...] = ()) -> str:
    """A dataclass as one JSON object, without some of its fields."""
    content = {name: item for name, item in asdict(value).items() if name not in leave_out}
    return json.dumps(_finite(content), default=_plain)


def render(table: Table, fmt: str, width: int | None = None, *, is_raw: bool = False) -> str:
    """The table as text in a format other than parquet.

    Parameters
    ----------
    width:
        Columns of the screen that a table is drawn for; nothing is cut without it.
    is_raw:
        Whether text in a CSV file stays as it is where a spreadsheet would run it as a formula.
        Otherwise an apostrophe goes before it.
    """
    if fmt == "json":
        records = _finite(table.records())
        return json.dumps(records, default=_plain, indent=2, allow_nan=False) + "\n"
    flat = flatten(table)
    if fmt == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        field = _field if is_raw else _harmless
        writer.writerows([field(value) for value in row] for row in (flat.columns, *flat.rows))
        return text.getvalue()
    return _draw(flat, width)


def write(table: Table, fmt: str, path: Path | None, *, is_raw: bool = False) -> str | None:
    """Write the table to a file; without a file, return its text.

    Parameters
    ----------
    is_raw:
        As in :func:`render`.

    Raises
    ------
    ConfigError
        If parquet is asked for without a file, or something else is there already.
    BmastoreError
        If the file cannot be written.
    """
    if fmt == "parquet" and path is None:
        raise ConfigError("parquet needs a file: add --output FILE")
    if path is None:
        return render(table, fmt, _screen_width(), is_raw=is_raw)
    with written_whole(path, "parquet" if fmt == "parquet" else "text") as file:
        if fmt == "parquet":
            _write_parquet(flatten(table), str(file))
        else:
            file.write_text(render(table, fmt, is_raw=is_raw), encoding="utf-8")
    return None


def _screen_width() -> int | None:
    # Into a file or a pipe, nothing is cut.
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


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


def _draw(table: Table, width: int | None) -> str:
    """A table as text; no wider than ``width`` where that is given.

    On a screen ids and long text are cut. What is still too wide is shown one row after
    another, a line per column.
    """
    cells = [[_cell(value, is_cut=width is not None) for value in row] for row in table.rows]
    table = replace(table, columns=tuple(_cell(name, is_cut=False) for name in table.columns))
    widths = [
        max(len(line) for line in (name, *column))
        for name, *column in zip(table.columns, *cells, strict=True)
    ]
    if width is not None and sum(widths) + 3 * len(widths) - 3 > width:
        return _draw_records(table, cells, width)
    right = [kind in _NUMBERS for kind in table.types]
    lines = [
        " │ ".join(
            _pad(text, n, at_end) for text, n, at_end in zip(row, widths, right, strict=True)
        )
        for row in (table.columns, *cells)
    ]
    rule = "─┼─".join("─" * n for n in widths)
    return "\n".join(line.rstrip() for line in (lines[0], rule, *lines[1:])) + "\n"


def _draw_records(table: Table, cells: list[list[str]], width: int) -> str:
    label = max(len(name) for name in table.columns)
    lines = []
    for number, row in enumerate(cells, 1):
        lines.append(f"── {number} ".ljust(min(width, 40), "─"))
        lines += [
            f"{name:<{label}}  {text}"[:width].rstrip()
            for name, text in zip(table.columns, row, strict=True)
            if text
        ]
    return "\n".join(lines) + "\n"


def visible(text: str) -> str:
    """The text with an escape such as ``\\x1b`` in place of each character that steers a screen.

    These are control characters other than the end of a line, and those that change the
    direction of writing.
    """
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter == "\n" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs")
        else letter.encode("unicode_escape", "surrogatepass").decode("ascii")
        for letter in text
    )


def _field(value: Any) -> Any:
    return "" if value is None else value


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else _field(value)


def _pad(text: str, width: int, at_end: bool) -> str:
    return text.rjust(width) if at_end else text.ljust(width)


def _cell(value: Any, *, is_cut: bool) -> str:
    """A value as people read it: numbers to five digits and, if it is to be cut, short text."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    text = visible(str(value).replace("\n", " "))
    if is_cut and _ID.fullmatch(text):
        return f"{text[:8]}…"
    return f"{text[: _LONGEST - 1]}…" if is_cut and len(text) > _LONGEST else text


def _finite(value: Any) -> Any:
    """A value without NaN and infinity, of which JSON knows nothing: null, as what is missing."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
    return value


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
