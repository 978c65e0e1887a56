"""Databases: the rows of a query, through SQLAlchemy, streamed into DuckDB."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import duckdb

from bmastore.errors import ConfigError, InputError
from bmastore.panel.ingest.batches import Batch, as_batch
from bmastore.panel.ingest.frames import first_line
from bmastore.storage.statements import quoted
from bmastore.storage.urls import masked, parse_url

_AT_ONCE = 50_000


@dataclass(frozen=True)
class Query:
    """A query to a database; ``url`` is SQLAlchemy's, and never shown with its password."""

    url: str
    sql: str


def read_query(duck: duckdb.DuckDBPyConnection, query: Query, number: int = 0) -> Batch:
    """The rows of a query as a batch; no more than 50,000 are held at once.

    Raises
    ------
    InputError
        If the database cannot be reached, or refuses the query. The message has no password.
    """
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    try:
        url = parse_url(query.url)
        place = url.set(query={}).render_as_string(hide_password=True)
        engine = create_engine(url, poolclass=NullPool)
    except ConfigError as error:
        raise InputError(f"--from: {error}") from None
    except (ModuleNotFoundError, SQLAlchemyError) as error:
        missing = getattr(error, "name", None) or first_line(error)
        raise InputError(
            f"this database needs a driver that is not installed ({missing}); for PostgreSQL: "
            f"pip install 'bmastore[postgres]'"
        ) from None
    try:
        with engine.connect() as connection:
            streamed = connection.execution_options(stream_results=True, max_row_buffer=_AT_ONCE)
            rows = streamed.execute(text(query.sql.strip().rstrip(";").replace(":", r"\:")))
            if not rows.returns_rows:
                raise InputError("--query must be a SELECT: it returned no rows")
            _fill(duck, list(rows.keys()), rows)
    except SQLAlchemyError as error:
        reason = masked(first_line(getattr(error, "orig", None) or error), url)
        raise InputError(f"cannot read from {place}: {reason}") from None
    finally:
        engine.dispose()
    return as_batch(duck, number, "queried")


def _fill(duck: duckdb.DuckDBPyConnection, names: Sequence[str], rows: Any) -> None:
    """Make the table ``queried`` out of a result, batch by batch."""
    import pandas as pd

    twice = {name.lower() for name in names if [n.lower() for n in names].count(name.lower()) > 1}
    if twice:
        raise InputError(f"the query returns two columns {sorted(twice)[0]!r}; rename one")
    kinds: dict[str, str] = {}
    made = False
    while part := rows.fetchmany(_AT_ONCE):
        columns = dict(zip(names, zip(*part, strict=True), strict=True))
        for name, values in columns.items():
            kind = _kind(values)
            if kind and kinds.get(name, kind) != kind:
                kind = "VARCHAR"
            if kind and kinds.get(name) != kind:
                kinds[name] = kind
                if made:
                    duck.execute(f"alter table queried alter {quoted(name)} type {kind}")
        frame = pd.DataFrame(
            {
                name: pd.Series(
                    [_plain(value, kinds.get(name)) for value in values],
                    dtype="float64" if kinds.get(name) in (None, "DOUBLE") else object,
                )
                for name, values in columns.items()
            }
        )
        duck.register("part", frame)
        try:
            verb = "insert into queried" if made else "create or replace temp table queried as"
            casts = (
                f"{quoted(name)}::{kinds.get(name, 'VARCHAR')} as {quoted(name)}" for name in names
            )
            duck.execute(f"{verb} select {', '.join(casts)} from part")
        finally:
            duck.unregister("part")
        made = True
    if not made:
        raise InputError("the input has no rows: the query returned none")


def _kind(values: Sequence[Any]) -> str | None:
    found = {type(value) for value in values if value is not None}
    if not found:
        return None
    if all(issubclass(kind, int | float | Decimal) for kind in found):
        return "DOUBLE"
    return "VARCHAR"


def _plain(value: Any, kind: str | None) -> Any:
    if value is None:
        return None
    if kind in (None, "DOUBLE"):
        return float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return str(value)
