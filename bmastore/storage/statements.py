"""SQL statements: how a value enters one, how a part does, where one ends.

In a file of ``sql/``, ``$field`` stands for a value, which is written as a literal, and
``{field}`` for a :class:`Part`, which is SQL that this program has made. Neither can be
taken for the other. In comments and strings, signs mean nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from bmastore.errors import InputError
from bmastore.storage.resources import sql

if TYPE_CHECKING:
    import duckdb

# What SQL can be written with: a sequence of values is written as a list.
Value = str | bool | int | float | date | Sequence["Value"] | None

# What no database takes in a text: the sign that ends one, and half of a character.
UNWRITABLE = re.compile("[\0\ud800-\udfff]")

_TOKEN = re.compile(
    r"""
      --[^\n]*                      # a comment to the end of the line
    | /\*.*?\*/                     # a comment
    | '(?:[^']|'')*'                # a string
    | "(?:[^"]|"")*"                # an identifier
    | \$(?P<value>[a-z_]\w*)
    | \{(?P<part>[a-z_]\w*)\}
    | (?P<end>;)
    | [^-/'"${;]+ | .               # anything else
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Part:
    """A part of a statement: SQL made by this program, never text from outside."""

    text: str


def fill(text: str, fields: Mapping[str, Value | Part]) -> list[str]:
    """The statements of some SQL text, with its fields filled in.

    Raises
    ------
    KeyError
        If the text names a field that is not given.
    TypeError
        If a value is given for a part of SQL, or a part for a value.
    """
    statements: list[str] = []
    current: list[str] = []
    is_blank = True
    for token in _TOKEN.finditer(text):
        written = token[0]
        if token["end"]:
            statements.append("".join(current).strip())
            current, is_blank = [], True
            continue
        if token["value"]:
            written = literal(_as_value(token["value"], fields[token["value"]]))
        elif token["part"]:
            written = _as_part(token["part"], fields[token["part"]])
        is_blank = is_blank and (not written.strip() or written.startswith(("--", "/*")))
        current.append(written)
    return statements if is_blank else [*statements, "".join(current).strip()]


def statements(name: str, **fields: Value | Part) -> list[str]:
    """The statements of ``sql/<name>.sql``, with its fields filled in; see :func:`fill`."""
    return fill(sql(name), fields)


def among(column: str, values: Sequence[Value]) -> Part:
    """The condition that a column has one of some values, one at least."""
    return Part(f"{column} in ({', '.join(literal(value) for value in values)})")


def run(
    duck: "duckdb.DuckDBPyConnection", name: str, **fields: Value | Part
) -> "duckdb.DuckDBPyConnection":
    """Run ``sql/<name>.sql``; the last statement's rows wait in the connection.

    Values are written as literals: to bind a parameter DuckDB imports pandas, which
    takes longer than all of a pass that finds nothing to do.
    """
    for statement in statements(name, **fields):
        duck.execute(statement)
    return duck


def ask(
    duck: "duckdb.DuckDBPyConnection", text: str, **fields: Value | Part
) -> "duckdb.DuckDBPyConnection":
    """Run a line of SQL; see :func:`run`."""
    (statement,) = fill(text, fields)
    return duck.execute(statement)


def quoted(identifier: str) -> str:
    """An identifier for SQL, in double quotes; refused as by :func:`literal`."""
    return '"' + _writable(identifier).replace('"', '""') + '"'


def literal(value: Value) -> str:
    """A value as both databases write it.

    Raises
    ------
    InputError
        If a text has what no database takes.
    """
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            # A bare number would be a decimal in DuckDB.
            return f"'{value!r}'::double precision"
        case datetime():
            return f"timestamp '{value}'"
        case date():
            return f"date '{value}'"
        case str():
            return "'" + _writable(value).replace("'", "''") + "'"
        case _:
            return "[" + ", ".join(map(literal, value)) + "]"


def _writable(text: str) -> str:
    if found := UNWRITABLE.search(text):
        raise InputError(f"{text!r} has {found[0]!r}, which no text in a database can have")
    return text


def _as_value(name: str, given: Value | Part) -> Value:
    if isinstance(given, Part):
        raise TypeError(f"${name} takes a value, not a part of SQL")
    return given


def _as_part(name: str, given: Value | Part) -> str:
    if not isinstance(given, Part):
        raise TypeError(f"{{{name}}} takes a part of SQL, not a value")
    return given.text
