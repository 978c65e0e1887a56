"""Rows of DuckDB as the text that PostgreSQL's COPY reads: no Python object per value.

A tab parts values, a line rows; ``\\N`` is NULL, and a backslash goes before what would mean one of
these. Numbers are written so that the same number is read. The character 0, which PostgreSQL does
not store, is left out of text.
"""

from collections.abc import Iterator, Sequence

import duckdb

from bmastore.storage.statements import literal, quoted

_ROWS = 10_000
# An element of an array: in quotes, but for NULL.
_ELEMENT = (
    """coalesce('"' || replace(replace(one::varchar, '\\', '\\\\'), '"', '\\"') || '"', 'NULL')"""
)
_ESCAPED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def copy_text(duck: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[str]) -> Iterator[str]:
    """Blocks of text.

    Parameters
    ----------
    rows:
        A relation, or a query in parentheses.
    columns:
        Names of its columns to be written, in this order.
    """
    types = dict(
        row[:2]
        for row in duck.execute(f"describe select * from {rows} as found").fetchall()  # noqa: S608
    )
    cells = " || chr(9) || ".join(_cell(name, types[name]) for name in columns)
    found = duck.execute(f"select {cells} from {rows} as found")  # noqa: S608
    while lines := found.fetchmany(_ROWS):
        yield "\n".join(line for (line,) in lines) + "\n"


def _cell(name: str, kind: str) -> str:
    """A column as text."""
    text = quoted(name)
    if kind.endswith("[]"):
        text = (
            f"'{{' || array_to_string(list_transform({text}, lambda one: {_ELEMENT}), ',') || '}}'"
        )
    text = f"{text}::varchar"
    if kind.startswith("VARCHAR"):
        text = f"replace({text}, chr(0), '')"
        for sign, escaped in _ESCAPED.items():
            text = f"replace({text}, {literal(sign)}, {literal(escaped)})"
    return rf"coalesce({text}, '\N')"
