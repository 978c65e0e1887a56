"""A store's file: create it, open it, lock it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from bmastore.errors import StoreError, StoreLockedError, StoreNotFoundError
from bmastore.storage import postgres
from bmastore.storage.archive import history
from bmastore.storage.connect import (
    PATIENCE_S,
    alone,
    another_connection,
    explain,
    read_for_dry_run,
    read_only,
    read_published,
)
from bmastore.storage.create import fill, in_memory, is_blank, is_empty, make_store
from bmastore.storage.guard import checkpoint, log_size
from bmastore.storage.identity import (
    check_nothing_left,
    check_results,
    claim_ledger,
    claim_models,
    make_models,
    published_state,
    store_id,
    store_state,
)
from bmastore.storage.ledger_place import check_place, stored_place
from bmastore.storage.paths import archive_path, models_path, remove_store, results_path
from bmastore.storage.statements import Part, Value, literal, quoted, run
from bmastore.storage.versions import SCHEMA_VERSION, check_version, has_table, version
from bmastore.storage.views import LEDGER, PANEL_VIEWS, VIEWS, create_views

if TYPE_CHECKING:
    from bmastore.storage.postgres import Server

# How large the log may grow before it is worked into the store: twice DuckDB's own 16 MB, for
# each time the newest rows are written anew.
_LOG_BYTES = 32 * 2**20
# What whoever would read the panel of a held store can do.
_NOT_PUBLISHED = (
    "The panel (prices, features, targets) is held with it: only the views are published, among "
    "them v_prices with the 250 newest days of prices. Ask v_prices, or wait; before the next "
    "pass, `bmastore export --prices` or `--features` gives a file that nobody holds"
)


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

    def ledger_rows(self, name: str, **fields: Value | Part) -> list[dict[str, Any]]:
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
        The PostgreSQL server on which the ledger lies, if it does.
    """

    server: "Server | None" = None

    @property
    def store_id(self) -> str:
        """The store's own id."""
        return store_id(self.duck) or ""

    def make_models(self) -> None:
        """Make the folder of models, if there is none yet, as this store's."""
        make_models(self.path, self.store_id)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """The panel as it is committed, for another thread than the one that writes."""
        with another_connection(self.duck) as duck:
            yield Session(self.path, duck)

    def checkpoint(self) -> None:
        """Work the log, where it holds anything, into the store."""
        if log_size(self.path):
            checkpoint(self.duck, self.path)

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
            with self.server.transaction() if self.server else nullcontext():
                yield
        except BaseException:
            self.duck.rollback()
            raise
        self.duck.commit()

    def ledger_rows(self, name: str, **fields: Value | Part) -> list[dict[str, Any]]:
        """Rows of the ledger that ``sql/ledger/<name>.sql`` gives, by column."""
        if self.server is None:
            return super().ledger_rows(name, **fields)
        return self.server.rows(f"ledger/{name}", **fields)

    def change_ledger(self, name: str, **fields: Value | Part) -> None:
        """Run ``sql/ledger/<name>.sql``, inside a transaction."""
        if self.server is None:
            run(self.duck, f"ledger/{name}", **fields)
        else:
            self.server.execute(f"ledger/{name}", **fields)

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """Insert rows, given as equally long columns, into a ledger table."""
        if self.server is None:
            from bmastore.storage.columns import bulk_insert

            bulk_insert(self.duck, table, columns)
        else:
            self.server.insert(table, columns)


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
    if create:
        check_nothing_left(path)
    is_new = create and make_store(path, place)
    with ExitStack() as stack:
        writer = stack.enter_context(connected(path, patience, say))
        try:
            if create and is_blank(writer.duck):
                fill(writer.duck, place)
            check_version(version(writer.duck, path), path, path)
            if not has_table(writer.duck, "folds"):
                raise no_panel(path)
            check_place(writer.duck, path, ledger_url)
            check_results(path, writer.store_id)
            claim_models(path, writer.store_id)
            if ledger_url:
                server = stack.enter_context(_server(writer, ledger_url))
                writer = replace(writer, server=server)
            yield writer
        except BaseException:
            # Others may have come first: only what is held, and holds nothing, is removed.
            if is_new and is_empty(writer.duck):
                remove_store(path)
            raise


@contextmanager
def _server(writer: Writer, url: str) -> Iterator["Server"]:
    """The ledger of a store on a server, made if the store is new there."""
    with postgres.open_server(url) as server:
        if server.version() is None:
            if _is_begun(writer.duck):
                raise StoreError(
                    f"the ledger of {writer.path} is gone: {server.place} has no tables, though "
                    f"it had; restore it from a backup, or save what is left with `bmastore "
                    f"recover --store {writer.path}`"
                )
            with server.transaction():
                server.make_ledger(SCHEMA_VERSION, writer.store_id)
        check_version(server.version() or "", server.place, writer.path)
        claim_ledger(server, writer.path, writer.store_id)
        if not _is_begun(writer.duck):
            writer.duck.execute("insert into settings values ('ledger_is_begun', 'true')")
        yield server


def _is_begun(duck: duckdb.DuckDBPyConnection) -> bool:
    """Whether the store's ledger has been on its server before."""
    return bool(duck.execute("from settings where name = 'ledger_is_begun'").fetchall())


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
    with read_for_dry_run(path) as duck:
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
def open_reader(
    path: Path,
    *,
    needs_panel: bool = False,
    prefers_panel: bool = False,
    needs_history: bool = False,
) -> Iterator[Reader]:
    """Open a store read-only, or its published results.

    These answer while another process writes the store, and where the ledger
    lies on a server.

    Parameters
    ----------
    needs_panel:
        The caller reads features, which are not published.
    prefers_panel:
        The caller would like to see it, and does without where the store is held.
    needs_history:
        The caller reads entries that count no more, some of which the archive may hold. Who opens
        published results for themselves sees what these hold.

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
        wants_panel = needs_panel or prefers_panel
        duck, note = None if wants_panel else _current_results(stack, path), None
        is_current = duck is not None
        if duck is None:
            try:
                duck = stack.enter_context(read_only(path))
            except StoreLockedError as error:
                if needs_panel:
                    raise StoreLockedError(f"{error}. {_NOT_PUBLISHED}") from None
                if not published.exists():
                    raise
                duck = stack.enter_context(read_published(published, archive_path(path)))
                note = f"{path} is being written; this is {_dated(published)}"
        check_version(version(duck, path), path, path)
        place = None if note else stored_place(duck)
        if place is not None and needs_panel:
            _show_ledger_of_published(duck, published)
        elif place is not None:
            check_results(path, store_id(duck))
            duck = stack.enter_context(read_published(published, archive_path(path)))
            note = f"the ledger lies in {place}; this is {_dated(published)}"
        # Published results have no panel.
        has_panel = has_table(duck, "folds")
        if needs_panel and not has_panel:
            raise no_panel(path)
        shown = (*PANEL_VIEWS, *VIEWS) if has_panel else VIEWS
        is_copy = not (has_panel or is_current or note)
        entries = history(duck, path) if needs_history and not is_copy else LEDGER
        create_views(duck.execute, shown, are_temporary=True, history=entries)
        yield Reader(path, duck, note)


def _dated(published: Path) -> str:
    at = datetime.fromtimestamp(published.stat().st_mtime)
    return f"{published} of {at:%H:%M:%S}"


def _current_results(stack: ExitStack, path: Path) -> duckdb.DuckDBPyConnection | None:
    """The published results, where they are what the store would answer.

    Whoever reads them does not keep a writer waiting.
    """
    if not results_path(path).is_file():
        return None
    with suppress(StoreError, duckdb.Error):  # a damaged copy: the store itself answers
        duck = stack.enter_context(read_published(results_path(path), archive_path(path)))
        if published_state(duck) == store_state(path):
            return duck
    return None


def _show_ledger_of_published(duck: duckdb.DuckDBPyConnection, published: Path) -> None:
    """Have the published ledger answer in place of the store's own, which is empty."""
    if not published.exists():
        return
    try:
        file = literal(str(published))
        duck.execute(f"attach if not exists {file} as results (read_only, type duckdb)")
    except duckdb.Error as error:
        raise explain(published, error) from None
    tables = duck.execute(
        "select table_name from duckdb_tables() "
        "where database_name = 'results' and table_name not in ('series', 'prices')"
    ).fetchall()
    for (name,) in tables:
        duck.execute(f"create temp view {quoted(name)} as from results.{quoted(name)}")


def not_found(path: Path) -> StoreNotFoundError:
    """The error for a path at which there is no store."""
    return StoreNotFoundError(
        f"there is no store at {path}; run `bmastore ingest FILE --store {path}` first, "
        f"or name the right one with --store"
    )


def no_panel(path: Path) -> StoreError:
    """The error for published results in place of a store."""
    return StoreError(
        f"{path} is the published results of a store, which can be read by status, explain, sql "
        f"and export; name the store itself with --store"
    )
