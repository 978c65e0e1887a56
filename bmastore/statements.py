"""SQL statements as the two databases like them: quoting, literals, bulk inserts."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection, CursorResult, Executable


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


def literal(text: str) -> str:
    """A string for SQL, in single quotes: for statements that take no parameters."""
    return "'" + text.replace("'", "''") + "'"


def _column(values: Sequence[Any]) -> "NDArray[Any]":
    import numpy as np

    kind = float if all(isinstance(value, float) for value in values) else object
    return np.array(values, dtype=kind)
