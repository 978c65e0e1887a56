"""A ledger on a PostgreSQL server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bmastore.errors import ConfigError, StoreError, StoreLockedError
from bmastore.storage.statements import Value, statements
from bmastore.storage.urls import masked, parse_url
from bmastore.storage.views import OF_SERIES, VIEWS, create_views

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, CursorResult

# Any number that no other program on the server is likely to lock.
_ADVISORY_LOCK = 0x626D61


def place(url: str) -> str:
    """The server and database that a URL names, without user or password."""
    parsed = _parse(url)
    port = f":{parsed.port}" if parsed.port else ""
    host = parsed.host or parsed.query.get("host", "localhost")
    return f"postgresql://{host}{port}/{parsed.database}"


@contextmanager
def open_ledger(url: str, schema_version: str) -> Iterator["Connection"]:
    """Hold the ledger on a server, whatever its schema; without tables, they are made.

    An advisory lock is the lease: one coordinator a database.

    Parameters
    ----------
    schema_version:
        Version of the tables that are made.

    Raises
    ------
    ConfigError
        If the URL is none, or the driver is not installed.
    StoreError
        If the server cannot be reached.
    StoreLockedError
        If another process holds the ledger.
    """
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    try:
        engine = create_engine(_parse(url), poolclass=NullPool)
        connection = engine.connect()
    except ModuleNotFoundError:
        raise ConfigError(
            "a ledger in PostgreSQL needs its driver; run: pip install 'bmastore[postgres]'"
        ) from None
    except DBAPIError as error:
        reason = masked(str(error.orig).strip().splitlines()[0], _parse(url))
        raise StoreError(f"cannot reach the ledger in {place(url)}: {reason}") from None
    try:
        with connection.begin():
            lease = text("select pg_try_advisory_lock(:key)")
            if not connection.execute(lease, {"key": _ADVISORY_LOCK}).scalar():
                raise StoreLockedError(
                    f"the ledger in {place(url)} is held by another process; wait until it is "
                    f"done, or stop it"
                )
            _create_if_empty(connection, schema_version)
        yield connection
    finally:
        connection.close()
        engine.dispose()


def execute(connection: "Connection", name: str, **fields: Value) -> "CursorResult[Any] | None":
    """Run ``sql/<name>.sql``; returns what the last statement gives."""
    # Values are written as literals: a percent sign in one is no placeholder.
    plain = connection.execution_options(no_parameters=True)
    found = None
    for statement in statements(name, **fields):
        found = plain.exec_driver_sql(statement)
    return found


def rows(connection: "Connection", name: str, **fields: Value) -> list[dict[str, Any]]:
    """Rows that ``sql/<name>.sql`` gives, by column."""
    found = execute(connection, name, **fields)
    assert found is not None
    return [dict(row) for row in found.mappings()]


def create_ledger_views(connection: "Connection") -> None:
    """Make the views of the ledger anew; those of the panel's series stay in the store."""
    drop_ledger_views(connection)
    names = [name for name in VIEWS if name not in OF_SERIES]
    create_views(connection.exec_driver_sql, names, has_series=False)


def drop_ledger_views(connection: "Connection") -> None:
    """Drop the views of the ledger: PostgreSQL alters no table that a view uses."""
    for name in reversed(VIEWS):
        connection.exec_driver_sql(f"drop view if exists {name}")


def ledger_version(connection: "Connection") -> str:
    """Schema version of the ledger on a server."""
    from sqlalchemy import text

    with connection.begin():
        found = connection.execute(text("select version_num from alembic_version")).scalar()
    return str(found)


def _create_if_empty(connection: "Connection", schema_version: str) -> None:
    from sqlalchemy import inspect, text

    from bmastore.storage.schema import ledger_metadata

    if not inspect(connection).has_table("alembic_version"):
        ledger_metadata.create_all(connection)
        connection.execute(
            text("create table alembic_version (version_num varchar(32) not null primary key)")
        )
        connection.execute(
            text("insert into alembic_version values (:version)"), {"version": schema_version}
        )
        create_ledger_views(connection)


def _parse(url: str) -> "URL":
    parsed = parse_url(url)
    if parsed.get_backend_name() != "postgresql" or not parsed.database:
        raise ConfigError(
            "a ledger lies in PostgreSQL, at a URL like postgresql://user@host/database"
        )
    return parsed
