"""A store's file: create it, open it, lock it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from bmastore.errors import StoreError, StoreLockedError, StoreNotFoundError
from bmastore.storage import postgres
from bmastore.storage.connect import PATIENCE_S, alone, read_only
from bmastore.storage.create import fill, in_memory, is_blank, is_empty, make_store
from bmastore.storage.guard import checkpoint, log_size
from bmastore.storage.paths import models_path, remove_store, results_path
from bmastore.storage.statements import Value, bulk_insert, quoted, run
from bmastore.storage.versions import SCHEMA_VERSION, check_version, version
from bmastore.storage.views import PANEL_VIEWS, VIEWS, create_views

if TYPE_CHECKING:
    from sqlalchemy import Connection

# How large the log may grow before it is worked into the store: twice DuckDB's own 16 MB, for
# each time the newest rows are written anew.
_LOG_BYTES = 32 * 2**20


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
    server:
        SQLAlchemy connection to the PostgreSQL server on which the ledger lies, if it does.
    """

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
        self.duck.begin()
        try:
            with self.server.begin() if self.server else nullcontext():
                yield
        except BaseException:
            self.duck.rollback()
            raise
        self.duck.commit()

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
    path: Path,
    *,
    ledger_url: str | None = None,
    create: bool = False,
    patience: float = PATIENCE_S,
    say: Callable[[str], None] = lambda sentence: None,
) -> Iterator[Writer]:
    """Hold the store for writing; no other process can open it meanwhile.

    Parameters
    ----------
    path:
        The store.
    ledger_url:
        Where the ledger lies, if in PostgreSQL; the store remembers the place.
    create:
        Make a new store where there is none. If what follows fails, a store that was
        made for it and holds nothing is removed again.
    patience, say:
        How long to wait while others have the store open, in seconds; told whom for.

    Raises
    ------
    StoreNotFoundError, StoreLockedError, SchemaTooOldError, SchemaTooNewError, StoreError
    """
    if not path.exists() and not create:
        raise not_found(path)
    if not path.parent.is_dir():
        raise StoreError(f"cannot create {path}: there is no folder {path.parent}")
    place = postgres.place(ledger_url) if ledger_url else None
    is_new = create and make_store(path, place)
    with ExitStack() as stack:
        writer = stack.enter_context(connected(path, patience, say))
        try:
            if create and is_blank(writer.duck):
                fill(writer.duck, place)
            check_version(version(writer.duck, path), path, path)
            check_place(writer.duck, path, ledger_url)
            if ledger_url:
                server = stack.enter_context(postgres.open_ledger(ledger_url, SCHEMA_VERSION))
                found = postgres.ledger_version(server)
                check_version(found, postgres.place(ledger_url), path)
                writer = replace(writer, server=server)
            # The one that the ledger is asked through: what is ours comes before what is stored.
            create_views(writer.duck.execute, ("v_attempts",), are_temporary=True)
            yield writer
        except BaseException:
            # Others may have come first: only what is held, and holds nothing, is removed.
            if is_new and is_empty(writer.duck):
                remove_store(path)
            raise


@contextmanager
def open_dry(path: Path) -> Iterator[Session]:
    """A look at a store for a dry run, which may read files and changes nothing, anywhere.

    Where there is no store yet, it is an empty one in memory.

    Raises
    ------
    StoreLockedError, SchemaTooOldError, SchemaTooNewError, StoreError
    """
    if not path.exists() or path.stat().st_size == 0:
        with in_memory() as duck:
            yield Session(path, duck)
        return
    with read_only(path, is_locked_down=False) as duck:
        check_version(version(duck, path), path, path)
        create_views(duck.execute, are_temporary=True)
        yield Session(path, duck)


@contextmanager
def connected(
    path: Path,
    patience: float = PATIENCE_S,
    say: Callable[[str], None] = lambda sentence: None,
) -> Iterator[Writer]:
    """Hold a store whatever its schema; the ledger is taken to be in it."""
    with alone(path, patience, say) as duck:
        yield Writer(path, duck)


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
            duck = stack.enter_context(read_only(path, beside))
        except StoreLockedError:
            if needs_panel or not published.exists():
                raise
            duck, note = stack.enter_context(read_only(published)), f"{path} is being written"
        check_version(version(duck, path), path, path)
        place = None if note else stored_place(duck)
        if place is not None and needs_panel:
            _show_ledger_of_published(duck)
        elif place is not None:
            duck = stack.enter_context(read_only(published))
            note = f"the ledger lies in {place}"
        # Published results have no panel.
        has_panel = duck.execute("from duckdb_tables() where table_name = 'folds'").fetchall()
        shown = (*PANEL_VIEWS, *VIEWS) if has_panel else VIEWS
        create_views(duck.execute, shown, are_temporary=True)
        yield Reader(path, duck, note)


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


def not_found(path: Path) -> StoreNotFoundError:
    """The error for a path at which there is no store."""
    return StoreNotFoundError(
        f"there is no store at {path}; run `bmastore ingest FILE --store {path}` first, "
        f"or name the right one with --store"
    )
