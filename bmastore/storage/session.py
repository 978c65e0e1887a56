"""A store's file: create it, open it, lock it."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from bmastore.errors import StoreError, StoreLockedError, StoreNotFoundError
from bmastore.storage import postgres
from bmastore.storage.guard import checkpoint, log_size, mend
from bmastore.storage.holders import held_here, holding, reading
from bmastore.storage.paths import models_path, remove_store, results_path
from bmastore.storage.statements import Value, ask, bulk_insert, literal, quoted, run
from bmastore.storage.versions import SCHEMA_VERSION, check_tables, check_version, version
from bmastore.storage.views import create_views

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LOCK_PATIENCE_S = 1.0
# What a query may use; more spills to disk.
_QUERY_MEMORY = "2GB"
# How large the log may grow before it is worked into the store: twice DuckDB's own 16 MB, for
# each time the newest rows are written anew.
_LOG_BYTES = 32 * 2**20
_HOLDER = re.compile(r"held in (.+?) \(PID (\d+)\)")


@dataclass(frozen=True)
class Session:
    """An open store.

    Attributes
    ----------
    path:
        The store's file.
    duck:
        DuckDB connection to the panel and, unless it lies on a server, to the ledger.
    """

    path: Path
    duck: duckdb.DuckDBPyConnection

    def ledger_rows(self, name: str, **fields: Value) -> list[dict[str, Any]]:
        """Rows of the ledger that ``sql/ledger/<name>.sql`` gives, by column."""
        found = run(self.duck, f"ledger/{name}", **fields)
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    @property
    def models(self) -> Path:
        """Folder of the ensembles' artifacts."""
        return models_path(self.path)


@dataclass(frozen=True)
class Reader(Session):
    """A read-only look at a store, or at its published results.

    ``note`` says why it is the published results that answer, where it is so.
    """

    note: str | None


@dataclass(frozen=True)
class Writer(Session):
    """The one process that may change a store.

    Attributes
    ----------
    panel:
        SQLAlchemy connection to the file; ``duck`` is beneath it.
    server:
        SQLAlchemy connection to the PostgreSQL server on which the ledger lies, if it does.
    """

    panel: "Connection"
    server: "Connection | None" = None

    def checkpoint_if_due(self) -> None:
        """Work the log into the store once it has grown; see :mod:`bmastore.storage.guard`."""
        if log_size(self.path) > _LOG_BYTES:
            checkpoint(self.duck, self.path)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed together, or not at all.

        A ledger on a server is committed first. If the process dies before the
        panel follows, the panel lacks only folds that are computed again.
        """
        with self.panel.begin(), self.server.begin() if self.server else nullcontext():
            yield

    def ledger_rows(self, name: str, **fields: Value) -> list[dict[str, Any]]:
        """Rows of the ledger that ``sql/ledger/<name>.sql`` gives, by column."""
        if self.server is None:
            return super().ledger_rows(name, **fields)
        with nullcontext() if self.server.in_transaction() else self.server.begin():
            return postgres.rows(self.server, f"ledger/{name}", **fields)

    def change_ledger(self, name: str, **fields: Value) -> None:
        """Run ``sql/ledger/<name>.sql``, inside a transaction."""
        if self.server is None:
            run(self.duck, f"ledger/{name}", **fields)
        else:
            postgres.execute(self.server, f"ledger/{name}", **fields)

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """Insert rows, given as equally long columns, into a ledger table."""
        if self.server is None:
            bulk_insert(self.duck, table, columns)
            return
        from sqlalchemy import insert

        from bmastore.storage.schema import ledger_metadata

        names = list(columns)
        rows = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        self.server.execute(insert(ledger_metadata.tables[table]), rows)


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
                _create(writer, postgres.place(ledger_url) if ledger_url else None)
            else:
                check_version(version(writer.duck, path), path, path)
            check_place(writer.duck, path, ledger_url)
            if ledger_url:
                server = stack.enter_context(postgres.open_ledger(ledger_url, SCHEMA_VERSION))
                found = postgres.ledger_version(server)
                check_version(found, postgres.place(ledger_url), path)
                writer = replace(writer, server=server)
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
    with ExitStack() as stack:
        note = None
        beside = published if needs_panel and published.exists() else None
        try:
            duck = stack.enter_context(_read_only(path, beside))
        except StoreLockedError:
            if needs_panel or not published.exists():
                raise
            duck, note = stack.enter_context(_read_only(published)), f"{path} is being written"
        check_version(version(duck, path), path, path)
        place = None if note else stored_place(duck)
        if place is not None and needs_panel:
            _show_ledger_of_published(duck)
        elif place is not None:
            duck = stack.enter_context(_read_only(published))
            note = f"the ledger lies in {place}"
        create_views(duck.execute, are_temporary=True)
        yield Reader(path, duck, note)


@contextmanager
def connected(path: Path) -> Iterator[Writer]:
    """A connection that holds the file, whatever its schema; the ledger is taken to be in it.

    No checkpoint happens by itself; at the end, what the log holds is worked into the store by
    one that is guarded.
    """
    from sqlalchemy import URL, create_engine
    from sqlalchemy.pool import NullPool

    url = URL.create("duckdb", database=str(path))
    settings = {"checkpoint_threshold": "1TB"}
    engine = create_engine(url, poolclass=NullPool, connect_args={"config": settings})
    with holding(path), _patiently(path, engine.connect) as connection:
        duck: duckdb.DuckDBPyConnection = connection.connection.dbapi_connection  # type: ignore[assignment]
        duck.execute("set timezone = 'UTC'")
        duck.execute("pragma disable_checkpoint_on_shutdown")
        check_tables(duck, path)
        try:
            yield Writer(path, duck, connection)
            if log_size(path):
                checkpoint(duck, path)
        finally:
            connection.close()
            engine.dispose()


@contextmanager
def _patiently(path: Path, connect: "Callable[[], Connection]") -> "Iterator[Connection]":
    """A connection as soon as no other process is in the way: a reader's look is short."""
    from sqlalchemy.exc import DBAPIError

    give_up = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            if path.exists():
                mend(path)
            connection = connect()
            break
        except DBAPIError as error:
            reason = _explain_open_failure(path, error.orig or error)
            if not isinstance(reason, StoreLockedError) or time.monotonic() > give_up:
                raise reason from None
            time.sleep(0.1)
    yield connection


@contextmanager
def _read_only(path: Path, beside: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can reach nothing but a store, and as ``results`` one beside it.

    It is locked down before anything in the store is read: views are code, and a store may be
    somebody else's.
    """
    with reading(path):
        mend(path)
        try:
            duck = duckdb.connect(str(path), read_only=True)
        except duckdb.Error as error:
            raise _explain_open_failure(path, error) from None
        try:
            if beside is not None:
                duck.execute(f"attach {literal(str(beside))} as results (read_only)")
            duck.execute("set timezone = 'UTC'")
            duck.execute(f"set memory_limit = '{_QUERY_MEMORY}'")
            duck.execute("set python_enable_replacements = false")
            duck.execute("set enable_external_access = false")
            duck.execute("set lock_configuration = true")
            check_tables(duck, path)
            yield duck
        finally:
            duck.close()


def _show_ledger_of_published(duck: duckdb.DuckDBPyConnection) -> None:
    """Have the published ledger answer in place of the store's own, which is empty."""
    tables = duck.execute(
        "select table_name from duckdb_tables() "
        "where database_name = 'results' and table_name <> 'series'"
    ).fetchall()
    for (name,) in tables:
        duck.execute(f"create temp view {quoted(name)} as from results.{quoted(name)}")


def stored_place(duck: duckdb.DuckDBPyConnection) -> str | None:
    """The server on which the store's ledger lies; ``None`` if it lies in the store."""
    if not duck.execute("from duckdb_tables() where table_name = 'settings'").fetchall():
        return None  # published results
    rows = duck.execute("select value from settings where name = 'ledger'").fetchall()
    return str(rows[0][0]) if rows else None


def check_place(duck: duckdb.DuckDBPyConnection, path: Path, ledger_url: str | None) -> None:
    """The ledger must be looked for where it is, or all stocks would seem new."""
    place = stored_place(duck)
    asked = postgres.place(ledger_url) if ledger_url else None
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
        ask(writer.duck, "insert into alembic_version values ($version)", version=SCHEMA_VERSION)
        if place is not None:
            ask(writer.duck, "insert into settings values ('ledger', $place)", place=place)
        create_views(writer.duck.execute)


def not_found(path: Path) -> StoreNotFoundError:
    """The error for a path at which there is no store."""
    return StoreNotFoundError(
        f"there is no store at {path}; run `bmastore ingest FILE --store {path}` first, "
        f"or name the right one with --store"
    )


def _explain_open_failure(path: Path, error: BaseException) -> StoreError:
    text = str(error)
    if "different configuration" in text:  # a reader in another thread
        return held_here(path)
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
    return f"process {pid} ({postgres.mask_secrets(command)[:200]})"
