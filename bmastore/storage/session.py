"""A store's file: create it, open it, lock it."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from bmastore.errors import (
    SchemaTooNewError,
    SchemaTooOldError,
    StoreError,
    StoreLockedError,
    StoreNotFoundError,
)
from bmastore.storage import postgres as server
from bmastore.storage.resources import sql
from bmastore.storage.statements import bulk_insert, literal

if TYPE_CHECKING:
    from sqlalchemy import Connection

# The view of the panel; then those of the ledger, which are published, in the order in
# which they refer to each other.
PANEL_VIEWS = ("oof",)
VIEWS = (
    "v_runs",
    "v_universe",
    "v_latest",
    "v_status",
    "v_weights",
    "v_metrics",
    "v_predictions",
    "v_failures",
    "v_slowest",
    "v_backtests",
    "v_backtest",
    "v_backtest_days",
    "v_backtest_weights",
)
SCHEMA_VERSION = "0003"
_LOCK_PATIENCE_S = 1.0
_HOLDER = re.compile(r"held in (.+?) \(PID (\d+)\)")


@dataclass(frozen=True)
class Writer:
    """The one process that may change a store.

    Attributes
    ----------
    path:
        The store's file.
    panel:
        SQLAlchemy connection to that file.
    duck:
        The DuckDB connection beneath ``panel``, for bulk reads and writes.
    ledger:
        SQLAlchemy connection to the ledger: ``panel`` itself, or a PostgreSQL server.
    """

    path: Path
    panel: "Connection"
    duck: duckdb.DuckDBPyConnection
    ledger: "Connection"

    @property
    def has_server(self) -> bool:
        """Whether the ledger lies in PostgreSQL."""
        return self.ledger is not self.panel

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed together, or not at all.

        A ledger on a server is committed first. If the process dies before the
        panel follows, the panel lacks only folds that are computed again.
        """
        with self.panel.begin():
            if self.has_server:
                with self.ledger.begin():
                    yield
            else:
                yield

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """Insert rows, given as equally long columns, into a ledger table."""
        if not self.has_server:
            bulk_insert(self.duck, table, columns)
            return
        from sqlalchemy import insert

        from bmastore.storage.schema import ledger_metadata

        names = list(columns)
        rows = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        self.ledger.execute(insert(ledger_metadata.tables[table]), rows)

    @property
    def models(self) -> Path:
        """Folder of the ensembles' artifacts."""
        return models_path(self.path)


@dataclass(frozen=True)
class Reader:
    """A read-only look at a store, or at its published results.

    ``note`` says why it is the published results that answer, where it is so.
    """

    path: Path
    duck: duckdb.DuckDBPyConnection
    note: str | None


def results_path(store: Path) -> Path:
    """Where a store's published results lie: ``bma.duckdb`` → ``bma.results.duckdb``."""
    return store.with_name(f"{store.stem}.results.duckdb")


def models_path(store: Path) -> Path:
    """Where a store's artifacts lie: ``bma.duckdb`` → ``bma.models/``."""
    return store.with_name(f"{store.stem}.models")


@contextmanager
def open_writer(
    path: Path, *, ledger_url: str | None = None, create: bool = False
) -> Iterator[Writer]:
    """Hold the store for writing; no other process can open it meanwhile.

    Parameters
    ----------
    path:
        The store.
    ledger_url:
        Where the ledger lies, if in PostgreSQL; the store remembers the place.
    create:
        Make a new store where there is none. If what follows fails, the new
        file is removed again.

    Raises
    ------
    StoreNotFoundError, StoreLockedError, SchemaTooOldError, SchemaTooNewError, StoreError
    """
    is_new = not path.exists()
    if is_new and not create:
        raise not_found(path)
    if not path.parent.is_dir():
        raise StoreError(f"cannot create {path}: there is no folder {path.parent}")
    with ExitStack() as stack:
        writer = stack.enter_context(connected(path))
        try:
            if is_new:
                _create(writer, server.place(ledger_url) if ledger_url else None)
            else:
                check_version(version(writer.duck, path), path, path)
            check_place(writer.duck, path, ledger_url)
            if ledger_url:
                ledger = stack.enter_context(server.open_ledger(ledger_url, SCHEMA_VERSION))
                check_version(server.ledger_version(ledger), server.place(ledger_url), path)
                writer = replace(writer, ledger=ledger)
            yield writer
        except BaseException:
            if is_new:
                writer.panel.close()
                remove_store(path)
            raise


@contextmanager
def open_reader(path: Path, *, needs_panel: bool = False) -> Iterator[Reader]:
    """Open a store read-only, or its published results.

    These answer while another process writes the store, and where the ledger
    lies on a server.

    Parameters
    ----------
    needs_panel:
        The caller reads features, which are not published.

    Raises
    ------
    StoreNotFoundError, SchemaTooOldError, SchemaTooNewError, StoreError
    StoreLockedError
        If the store is held and the published results do not serve.
    """
    if not path.exists():
        raise not_found(path)
    published = results_path(path)
    note = None
    try:
        duck = _connect_read_only(path)
    except StoreLockedError:
        if needs_panel or not published.exists():
            raise
        duck, note = _connect_read_only(published), f"{path} is being written"
    try:
        check_version(version(duck, path), path, path)
        place = None if note else stored_place(duck)
        if place is not None and needs_panel:
            duck.execute(f"attach {literal(str(published))} as results (read_only)")
            duck.execute("create temp view v_latest as select * from results.v_latest")
        elif place is not None:
            duck.close()
            duck, note = _connect_read_only(published), f"the ledger lies in {place}"
        _lock_down(duck)
        yield Reader(path, duck, note)
    finally:
        duck.close()


def create_views(
    duck: duckdb.DuckDBPyConnection, names: Sequence[str] = (*PANEL_VIEWS, *VIEWS)
) -> None:
    """Create or replace views of ``sql/views/``."""
    for name in names:
        duck.execute(sql(f"views/{name}"))


def remove_store(path: Path) -> None:
    """Delete a store's file and what DuckDB keeps beside it."""
    path.unlink(missing_ok=True)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)


@contextmanager
def connected(path: Path) -> Iterator[Writer]:
    """A connection that holds the file, whatever its schema; the ledger is taken to be in it."""
    from sqlalchemy import URL, create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    engine = create_engine(URL.create("duckdb", database=str(path)), poolclass=NullPool)
    give_up = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            connection = engine.connect()
            break
        except DBAPIError as error:
            reason = _explain_open_failure(path, error.orig or error)
            # A reader's short look must not turn a nightly pass away.
            if not isinstance(reason, StoreLockedError) or time.monotonic() > give_up:
                raise reason from None
            time.sleep(0.1)
    try:
        duck: duckdb.DuckDBPyConnection = connection.connection.dbapi_connection  # type: ignore[assignment]
        duck.execute("set timezone = 'UTC'")
        yield Writer(path, connection, duck, connection)
    finally:
        connection.close()
        engine.dispose()


def _connect_read_only(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        duck = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise _explain_open_failure(path, error) from None
    duck.execute("set timezone = 'UTC'")
    return duck


def _lock_down(duck: duckdb.DuckDBPyConnection) -> None:
    # Readers run queries of users: these must reach neither files nor the network.
    duck.execute("set enable_external_access = false")
    duck.execute("set lock_configuration = true")


def stored_place(duck: duckdb.DuckDBPyConnection) -> str | None:
    """The server on which the store's ledger lies; ``None`` if it lies in the store."""
    if not duck.execute("from duckdb_tables() where table_name = 'settings'").fetchall():
        return None  # published results
    rows = duck.execute("select value from settings where name = 'ledger'").fetchall()
    return str(rows[0][0]) if rows else None


def check_place(duck: duckdb.DuckDBPyConnection, path: Path, ledger_url: str | None) -> None:
    """The ledger must be looked for where it is, or all stocks would seem new."""
    place = stored_place(duck)
    asked = server.place(ledger_url) if ledger_url else None
    if place != asked and place is not None:
        raise StoreError(
            f"the ledger of {path} lies in {place}; name it with --ledger or BMASTORE_LEDGER"
        )
    if place != asked:
        raise StoreError(
            f"the ledger of {path} lies in it, not in {asked}; leave out --ledger, or begin a "
            f"new store"
        )


def _create(writer: Writer, place: str | None) -> None:
    from bmastore.storage import schema

    with writer.transaction():
        schema.panel_metadata.create_all(writer.panel, checkfirst=False)
        schema.ledger_metadata.create_all(writer.panel, checkfirst=False)
        writer.duck.execute(
            "create table alembic_version (version_num varchar(32) not null primary key)"
        )
        stamp = "insert into alembic_version values ({})"
        writer.duck.execute(stamp.format(literal(SCHEMA_VERSION)))
        if place is not None:
            setting = "insert into settings values ('ledger', {})"
            writer.duck.execute(setting.format(literal(place)))
        create_views(writer.duck)


def version(duck: duckdb.DuckDBPyConnection, path: Path) -> str:
    try:
        rows = duck.execute("select version_num from alembic_version").fetchall()
    except duckdb.CatalogException:
        raise StoreError(f"{path} is a DuckDB file, but not a bmastore store") from None
    return str(rows[0][0])


def check_version(found: str, place: Path | str, store: Path) -> None:
    """Refuse a store, or its ledger on a server, of another schema than this bmastore's.

    Raises
    ------
    SchemaTooOldError, SchemaTooNewError
        With the command that helps.
    """
    if found > SCHEMA_VERSION:
        raise too_new(place, found)
    if found < SCHEMA_VERSION:
        raise SchemaTooOldError(
            f"{place} has schema {found}, this bmastore needs {SCHEMA_VERSION}; "
            f"run: bmastore migrate --store {store}"
        )


def too_new(place: Path | str, found: str) -> SchemaTooNewError:
    return SchemaTooNewError(
        f"{place} has schema {found}, this bmastore knows {SCHEMA_VERSION}; "
        f"run: pip install --upgrade bmastore"
    )


def not_found(path: Path) -> StoreNotFoundError:
    return StoreNotFoundError(
        f"there is no store at {path}; run `bmastore ingest FILE --store {path}` first, "
        f"or name the right one with --store"
    )


def _explain_open_failure(path: Path, error: BaseException) -> StoreError:
    text = str(error)
    if "Could not set lock" in text or "Conflicting lock" in text:
        match = _HOLDER.search(text)
        holder = _describe_process(int(match[2])) if match else "another process"
        return StoreLockedError(
            f"{path} is held by {holder}; wait until it is done, or stop it. "
            f"`bmastore status` answers meanwhile"
        )
    first_line = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    return StoreError(f"cannot open {path}: {first_line}")


def _describe_process(pid: int) -> str:
    import psutil

    try:
        command = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return f"process {pid}"
    return f"process {pid} ({server.mask_secrets(command)[:200]})"
