"""SQL statements as the two databases like them: quoting, literals, bulk inserts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from bmastore.resources import sql

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection, CursorResult, Executable

# What SQL can be written with: a list of values is written as a list.
Literal = str | int | date | Sequence["Literal"] | None


def execute(connection: "Connection", statement: "Executable") -> "CursorResult[Any]":
    """Run a SQLAlchemy statement with its values written into it as literals.

    DuckDB imports pandas to bind a parameter, which takes longer than all of
    a pass that finds nothing to do.
    """
    if connection.dialect.name != "duckdb":
        return connection.execute(statement)
    compiled = statement.compile(  # type: ignore[attr-defined]
        connection, compile_kwargs={"literal_binds": True}
    )
    return connection.exec_driver_sql(str(compiled))


def bulk_insert(
    duck: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, Sequence[Any]]
) -> None:
    """Insert rows, given as equally long columns, in one statement.

    Registered columns are a thousand times faster than ``executemany``.
    """
    duck.register("bulk_rows", {name: _column(values) for name, values in columns.items()})
    try:
        duck.execute(f"insert into {quoted(table)} by name select * from bulk_rows")  # noqa: S608
    finally:
        duck.unregister("bulk_rows")


def quoted(identifier: str) -> str:
    """An identifier for SQL, in double quotes."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(value: Literal) -> str:
    """A value as SQL writes it: for statements that take no parameters.

    To bind a parameter DuckDB imports pandas, which takes longer than many a statement.
    """
    match value:
        case None:
            return "null"
        case int():
            return str(value)
        case datetime():
            return f"timestamp '{value}'"
        case date():
            return f"date '{value}'"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            return "[" + ", ".join(map(literal, value)) + "]"


def run_file(duck: duckdb.DuckDBPyConnection, name: str, **values: Literal) -> None:
    """Run a file of several statements, with values in place of its fields."""
    written = {field: literal(value) for field, value in values.items()}
    for statement in sql(name).split(";"):
        if statement.strip():
            duck.execute(statement.format(**written))


def _column(values: Sequence[Any]) -> "NDArray[Any]":
    import numpy as np

    kind = float if all(isinstance(value, float) for value in values) else object
    return np.array(values, dtype=kind)
