"""A ledger on a PostgreSQL server."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from bmastore.errors import ConfigError, StoreError, StoreLockedError
from bmastore.storage.comments import describe
from bmastore.storage.statements import Part, Value, quoted, statements
from bmastore.storage.urls import masked, parse_url
from bmastore.storage.views import VIEWS, create_views

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, CursorResult, Engine

# Any number that no other program on the server is likely to lock.
_ADVISORY_LOCK = 0x626D61
# How long a server may take to answer, and to come back when it was started anew.
_CONNECT_S, _PATIENCE_S, _LOOK_AGAIN_S = 10, 30.0, 0.5


def place(url: str) -> str:
    """The server and database that a URL names, without user or password."""
    parsed = _parse(url)
    port = f":{parsed.port}" if parsed.port else ""
    host = parsed.host or parsed.query.get("host", "localhost")
    return f"postgresql://{host}{port}/{parsed.database}"


class Server:
    """A database on a PostgreSQL server, held by this process alone where it is to be changed.

    An advisory lock is the lease: one coordinator a database. A connection that the server has
    closed between two transactions, for it was idle or the server was started anew, is made again.

    Parameters
    ----------
    engine:
        Makes connections.
    place:
        What to call it, without user or password.
    is_alone:
        Whether to hold the lease.
    """

    def __init__(self, engine: "Engine", place: str, *, is_alone: bool) -> None:
        self.place = place
        self._engine = engine
        self._is_alone = is_alone
        self.connection: Connection = self._connect()

    def close(self) -> None:
        """Let go of it."""
        self.connection.close()
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator["Connection"]:
        """Everything inside is committed together, or not at all."""
        self._reconnect_if_lost()
        with self.connection.begin():
            yield self.connection

    def execute(self, name: str, **fields: Value | Part) -> "CursorResult[Any] | None":
        """Run ``sql/<name>.sql``, inside a transaction; returns what its last statement gives."""
        # Values are written as literals: a percent sign in one is no placeholder.
        plain = self.connection.execution_options(no_parameters=True)
        found = None
        for statement in statements(name, **fields):
            found = plain.exec_driver_sql(statement)
        return found

    def rows(self, name: str, **fields: Value | Part) -> list[dict[str, Any]]:
        """Rows that ``sql/<name>.sql`` gives, by column."""
        with nullcontext() if self.connection.in_transaction() else self.transaction():
            found = self.execute(name, **fields)
            assert found is not None
            return [dict(row) for row in found.mappings()]

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """Insert rows, given as equally long columns, inside a transaction."""
        from sqlalchemy import insert

        from bmastore.storage.schema import ledger_metadata

        names = list(columns)
        rows = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        self.connection.execute(insert(ledger_metadata.tables[table]), rows)

    def copy(self, table: str, columns: Sequence[str], blocks: Iterable[str]) -> int:
        """Insert rows, given as blocks of text as COPY reads it, inside a transaction.

        Returns how many.
        """
        from sqlalchemy.exc import DBAPIError

        driver: Any = self.connection.connection.dbapi_connection
        failed = self._engine.dialect.loaded_dbapi.Error
        into = f"copy {quoted(table)} ({', '.join(map(quoted, columns))}) from stdin"
        try:
            with driver.cursor() as cursor:
                with cursor.copy(into) as copying:
                    for block in blocks:
                        copying.write(block)
                return int(cursor.rowcount)
        except failed as error:
            raise DBAPIError(into, None, error) from None

    def table(self, name: str) -> dict[str, Sequence[Any]]:
        """All rows of a ledger table, by column; empty without rows."""
        from sqlalchemy import select

        from bmastore.storage.schema import ledger_metadata

        table = ledger_metadata.tables[name]
        with self.transaction():
            rows = self.connection.execute(select(table)).all()
        if not rows:
            return {}
        return dict(zip(table.columns.keys(), zip(*rows, strict=True), strict=True))

    def version(self) -> str | None:
        """Schema version of the ledger; ``None`` where there is none."""
        from sqlalchemy import inspect, text

        with self.transaction():
            if not inspect(self.connection).has_table("alembic_version"):
                return None
            found = self.connection.execute(text("select version_num from alembic_version"))
            return str(found.scalar())

    def make_ledger(
        self, schema_version: str, store_id: str, readers: Sequence[Mapping[str, str]] = ()
    ) -> None:
        """Make the tables and views of a store's ledger, inside a transaction.

        ``readers`` may read them, as in :meth:`create_views`.
        """
        from bmastore.storage.panel_schema import SHOWN_OF_PANEL, panel_metadata
        from bmastore.storage.schema import ledger_metadata

        ledger_metadata.create_all(self.connection)
        panel_metadata.create_all(self.connection, tables=SHOWN_OF_PANEL)
        self.execute("server/set_version", version=schema_version)
        self.mark("store_id", store_id)
        self.create_views(readers)

    def drop_ledger(self) -> None:
        """Take tables and views away, inside a transaction."""
        from bmastore.storage.panel_schema import SHOWN_OF_PANEL, panel_metadata
        from bmastore.storage.schema import ledger_metadata

        self.drop_views()
        panel_metadata.drop_all(self.connection, tables=SHOWN_OF_PANEL)
        ledger_metadata.drop_all(self.connection)
        self._run("drop table alembic_version")

    def marks(self) -> dict[str, str]:
        """What it says of itself, by name: ``store_id`` is the id of the store that owns it."""
        return {row["name"]: row["value"] for row in self.rows("server/marks")}

    def mark(self, name: str, value: str) -> None:
        """Have it say something of itself, inside a transaction."""
        self.execute("server/unmark", mark=name)
        self.insert("meta", {"name": [name], "value": [value]})

    def grant(self, role: str) -> None:
        """Let a role read all views, and nothing else.

        Raises
        ------
        StoreError
            If there is no such role.
        """
        with self.transaction():
            if not self.rows("server/role", role=role):
                raise StoreError(
                    f"{self.place} has no role {role}; make it there with CREATE ROLE, or name "
                    f"another"
                )
            ((schema, database),) = (row.values() for row in self.rows("server/here"))
            reader = quoted(role)
            self._run(f"grant connect on database {quoted(database)} to {reader}")
            self._run(f"grant usage on schema {quoted(schema)} to {reader}")
            self._run(f"grant select on {', '.join(VIEWS)} to {reader}")

    def upgrade(self, migrate: Callable[["Connection"], None]) -> None:
        """Change tables by migrations, and make the views anew, for the same readers.

        PostgreSQL alters no table that a view uses.
        """
        with self.transaction():
            readers = self.rows("server/readers")
            self.drop_views()
        migrate(self.connection)
        with self.transaction():
            self.create_views(readers)

    def create_views(self, readers: Sequence[Mapping[str, str]] = ()) -> None:
        """Make the views, and say what they mean, inside a transaction.

        Parameters
        ----------
        readers:
            Rows of ``sql/server/readers.sql``: who could read which of them before.
        """
        create_views(self._run, VIEWS)
        describe(self._run)
        for row in readers:
            if row["name"] in VIEWS:
                self._run(f"grant select on {row['name']} to {row['role']}")

    def drop_views(self) -> None:
        """Take the views away, inside a transaction."""
        for name in reversed(VIEWS):
            self._run(f"drop view if exists {name}")

    def _run(self, statement: str) -> "CursorResult[Any]":
        plain = self.connection.execution_options(no_parameters=True)
        return plain.exec_driver_sql(statement)

    def _connect(self) -> "Connection":
        from sqlalchemy import text

        connection = self._engine.connect()
        if not self._is_alone:
            return connection
        lease = text("select pg_try_advisory_lock(:key)")
        with connection.begin():
            is_mine = connection.execute(lease, {"key": _ADVISORY_LOCK}).scalar()
        if not is_mine:
            connection.close()
            raise StoreLockedError(
                f"{self.place} is held by another process; wait until it is done, or stop it"
            )
        return connection

    def _reconnect_if_lost(self) -> None:
        from sqlalchemy.exc import DBAPIError

        try:
            self.connection.exec_driver_sql("select 1")
            self.connection.rollback()
            return
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        self.connection.close()
        begun = time.monotonic()
        while True:
            try:
                self.connection = self._connect()
                return
            except (DBAPIError, StoreLockedError) as error:
                if time.monotonic() - begun > _PATIENCE_S or not _may_pass(error):
                    raise
                time.sleep(_LOOK_AGAIN_S)


def _may_pass(error: Exception) -> bool:
    """Whether a server may let us in later: it starts up, or the lease of what was lost lives on.

    One that answers with an error of its own, such as that there is no such database, will not.
    """
    return (
        "FATAL" not in str(error) or re.search("starting up|shutting down", str(error)) is not None
    )


def reason_of(error: Exception) -> str | None:
    """What a server says has failed, on one line; ``None`` for an error that is none of its."""
    from sqlalchemy.exc import DBAPIError

    if not isinstance(error, DBAPIError):
        return None
    return str(error.orig).strip().splitlines()[0]


@contextmanager
def open_server(url: str, *, is_alone: bool = True) -> Iterator[Server]:
    """Hold a database on a server, whatever is in it.

    Parameters
    ----------
    is_alone:
        Whether to hold it; who only grants rights may come while another process does.

    Raises
    ------
    ConfigError
        If the URL is none, or the driver is not installed.
    StoreError
        If the server cannot be reached, or refuses or fails in what is asked of it.
    StoreLockedError
        If another process holds it.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    parsed, server = _parse(url), None
    timeout = {} if "connect_timeout" in parsed.query else {"connect_timeout": _CONNECT_S}
    try:
        engine = create_engine(parsed, poolclass=NullPool, connect_args=timeout)
        server = Server(engine, place(url), is_alone=is_alone)
        yield server
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise ConfigError(
            "PostgreSQL needs its driver; run: pip install 'bmastore[postgres]'"
        ) from None
    except DBAPIError as error:
        reason = masked(str(error.orig).strip().splitlines()[0], parsed)
        if server is None:
            raise StoreError(f"cannot reach {place(url)}: {reason}") from None
        raise StoreError(
            f"{place(url)} failed: {reason}; what was committed is kept: run the same command "
            f"again when the server can take it"
        ) from None
    finally:
        if server is not None:
            server.close()


def _parse(url: str) -> "URL":
    parsed = parse_url(url)
    if parsed.get_backend_name() != "postgresql" or not parsed.database:
        raise ConfigError(
            "a database on a server is PostgreSQL's, with a URL like postgresql://user@host/database"
        )
    return parsed
