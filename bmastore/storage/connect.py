"""Opens a store's file: alone for writing, or locked down for reading."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from bmastore.errors import StoreDamagedError, StoreError, StoreLockedError
from bmastore.storage.guard import checkpoint, log_size, mend
from bmastore.storage.holders import held_here, holding, reading
from bmastore.storage.paths import STORE, archive_path, is_results, models_path, results_path
from bmastore.storage.statements import ask, literal
from bmastore.storage.turns import let_writers_in, waiting
from bmastore.storage.urls import masked_command
from bmastore.storage.versions import FILE_FORMAT, check_tables

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "checkpoint_threshold": "1TB",
    "storage_compatibility_version": FILE_FORMAT,
}
# How long to wait for others to let go of a store, and after how long to say so.
PATIENCE_S, _SILENT_S = 30.0, 1.0
_LOOK_AGAIN_S = 0.005
# What a query may use; more spills to disk. A scan of a large store, which reads each block once,
# is the faster the fewer of them it keeps.
_QUERY_MEMORY = "1GB"
# Databases that threads of this process have open for reading, by file.
_shared: "dict[Path, _Shared]" = {}
_opening = threading.Lock()
_DAMAGE = re.compile(
    "not a valid DuckDB|Corrupt|checksum|Could not read enough bytes|deserializ|Failed to load "
    "metadata|database has been invalidated",
    re.IGNORECASE,
)
_OF_FILES = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
)
# How DuckDB says that a file could not be written; its only writer meets no other transaction.
_NOT_WRITTEN = (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException)
# Days are UTC's. In a notebook and under `python -c` DuckDB draws a bar of its own into what is
# printed.
_QUIET = "set enable_progress_bar = false"
_OF_EACH_CONNECTION = f"set timezone = 'UTC'; {_QUIET}"
# How files begin, DuckDB's after a checksum of eight bytes.
_SQLITE, _DUCKDB = b"SQLite format 3\0", b"DUCK"
_HOLDER = re.compile(r"held in (.+?) \(PID (\d+)\)")


@dataclass
class _Shared:
    """A database that threads read, and how many do."""

    duck: duckdb.DuckDBPyConnection = field(init=False)
    readers: int = 0


@contextmanager
def alone(
    path: Path,
    patience: float = PATIENCE_S,
    say: Callable[[str], None] = lambda sentence: None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that holds the file.

    No checkpoint happens by itself; at the end, what the log holds is worked into the store by
    one that is guarded.

    Parameters
    ----------
    patience:
        Seconds to wait while others have the store open.
    say:
        Told whom it waits for.

    Raises
    ------
    StoreLockedError, StoreError
    """
    if not os.access(path.parent, os.W_OK):
        raise StoreError(
            f"cannot write in {path.parent}, and the log of {path.name} belongs there; make the "
            f"folder writable, or copy the store to one that is"
        )
    with holding(path):
        duck = _connect_patiently(path, patience, say)
        try:
            duck.execute(_OF_EACH_CONNECTION)
            duck.execute("pragma disable_checkpoint_on_shutdown")
            check_tables(duck, path)
            yield duck
            if path.exists() and log_size(path):
                checkpoint(duck, path)
        except duckdb.Error as error:
            if is_damage(error):
                raise damaged(path, error) from None
            if isinstance(error, duckdb.OutOfMemoryException):
                raise StoreError(
                    f"{path} needs more memory than DuckDB is given here, or more room on the disk "
                    f"to put aside what does not fit: {_first_line(error)}; what was committed is "
                    f"kept"
                ) from None
            if not isinstance(error, _NOT_WRITTEN):
                raise
            raise StoreError(
                f"cannot write {path} or what lies beside it: {_first_line(error)}; "
                f"what was committed is kept: make room, and run the same command again"
            ) from None
        finally:
            duck.close()


@contextmanager
def another_connection(duck: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """One more connection to the same database, for another thread."""
    with duck.cursor() as cursor:
        cursor.execute(_OF_EACH_CONNECTION)
        yield cursor


def _connect_patiently(
    path: Path, patience: float, say: Callable[[str], None]
) -> duckdb.DuckDBPyConnection:
    begun, is_told, is_waiting = time.monotonic(), False, False
    with ExitStack() as stack:
        while True:
            try:
                if path.exists():
                    _check_kind(path, may_be_empty=True)
                    mend(path)
                return duckdb.connect(str(path), config=_CONFIG)
            except duckdb.Error as error:
                reason = explain(path, error)
            waited = time.monotonic() - begun
            if not isinstance(reason, StoreLockedError) or waited >= patience:
                raise reason
            if not is_told and waited >= _SILENT_S:
                say(f"{reason}; waiting {patience:g} s for it")
                is_told = True
            if not is_waiting:
                stack.enter_context(waiting(path))
                is_waiting = True
            time.sleep(_LOOK_AGAIN_S)


def _check_kind(path: Path, *, may_be_empty: bool = False) -> None:
    """Refuse what DuckDB would open all the same: a SQLite database, or a file to be ingested."""
    with path.open("rb") as file:
        begin = file.read(len(_SQLITE))
    if begin == _SQLITE:
        raise StoreError(f"{path} is a SQLite database, and a store is a DuckDB file: name it")
    # A store that is damaged may begin with anything.
    may_be_store = path.suffix == STORE or models_path(path).exists()
    is_empty = may_be_empty and not begin
    if begin[8:12] != _DUCKDB and not may_be_store and not is_empty:
        raise StoreError(
            f"{path} is no DuckDB file, and a store is one: name it, or where nothing is; files of "
            f"prices or features are for `bmastore ingest`"
        )


@contextmanager
def read_only(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can reach nothing but a store and, once attached, its published results.

    It is locked down before anything in the store is read: views are code, and a store may be
    somebody else's. Threads of one process share a database: if each opened the file for itself,
    the first to close it would let go of the lock that keeps writers away from all.
    """
    let_writers_in(path, PATIENCE_S)
    with reading(path):
        with _opening:
            _check_kind(path)
            mend(path)
            shared = _shared.setdefault(path.resolve(), _Shared())
            if shared.readers == 0:
                shared.duck = _open_locked_down(path)
            shared.readers += 1
            duck = shared.duck.cursor()
        try:
            check_tables(duck, path)
            yield duck
        except duckdb.Error as error:
            if is_damage(error):
                raise damaged(path, error) from None
            raise
        finally:
            duck.close()
            with _opening:
                shared.readers -= 1
                if shared.readers == 0:
                    shared.duck.close()


def _open_locked_down(path: Path) -> duckdb.DuckDBPyConnection:
    published, archive = literal(str(results_path(path))), literal(str(archive_path(path)))
    try:
        # Unlike a dry run's: the two cannot share a database.
        duck = duckdb.connect(str(path), read_only=True, config={"memory_limit": _QUERY_MEMORY})
    except duckdb.Error as error:
        raise explain(path, error) from None
    duck.execute(f"set global allowed_paths = [{published}, {published} || '.wal']")
    duck.execute(f"set global allowed_directories = [{archive}]")
    _lock_down(duck)
    return duck


def _lock_down(duck: duckdb.DuckDBPyConnection) -> None:
    duck.execute(_QUIET)
    duck.execute("set global timezone = 'UTC'")
    duck.execute("set global python_enable_replacements = false")
    duck.execute("set global enable_external_access = false")
    duck.execute("set global lock_configuration = true")


@contextmanager
def read_published(path: Path, folder: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can reach nothing but published results and a folder, closed at the end."""
    with open_published(path, folder) as duck:
        try:
            yield duck
        except duckdb.Error as error:
            if is_damage(error):
                raise damaged(path, error) from None
            raise


def open_published(path: Path, folder: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A connection that can reach nothing but published results, and a folder.

    They are renewed by rename, so each reader opens them for itself: what DuckDB opens by its
    path, it shares in a process for as long as anybody has it open, however old it is by then.
    """
    before = path.stat().st_ino if path.exists() else None
    duck = duckdb.connect(config={"memory_limit": _QUERY_MEMORY})
    try:
        duck.execute(f"attach {literal(str(path))} as published (read_only, type duckdb)")
        if path.stat().st_ino == before:
            _check_size(duck, path)
        duck.execute("use published")
        if folder is not None:
            duck.execute(f"set global allowed_directories = [{literal(str(folder))}]")
        _lock_down(duck)
        check_tables(duck, path)
    except duckdb.Error as error:
        duck.close()
        raise explain(path, error) from None
    except BaseException:
        duck.close()
        raise
    return duck


def _check_size(duck: duckdb.DuckDBPyConnection, path: Path) -> None:
    """See that a file is not cut short, which DuckDB tells only who reads what is missing.

    Of one that has free blocks it may be in vain: those at the end DuckDB cuts off itself.
    """
    size = "select block_size * used_blocks from pragma_database_size() where database_name = $of"
    ((used,),) = ask(duck, size, of="published").fetchall()
    if path.stat().st_size < used:
        raise duckdb.IOException(f"Could not read enough bytes: {path} is cut short")


@contextmanager
def read_for_dry_run(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection that reaches files too, for what is to be ingested."""
    let_writers_in(path, PATIENCE_S)
    with reading(path):
        _check_kind(path)
        mend(path)
        try:
            duck = duckdb.connect(str(path), read_only=True)
        except duckdb.Error as error:
            raise explain(path, error) from None
        with duck:
            duck.execute(_OF_EACH_CONNECTION)
            check_tables(duck, path)
            yield duck


def is_held(path: Path) -> bool:
    """Whether another process holds a store, so that nobody else can write it."""
    try:
        with read_only(path):
            return False
    except StoreLockedError:
        return True


def explain(path: Path, error: BaseException) -> StoreError:
    """What it means that DuckDB cannot open a file."""
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
    if is_damage(error):
        return damaged(path, error)
    return StoreError(f"cannot open {path}: {_first_line(error)}")


def is_damage(error: BaseException) -> bool:
    """Whether DuckDB says that a file is not, or not all of it, what it has written."""
    return isinstance(error, _OF_FILES) and _DAMAGE.search(str(error)) is not None


def damaged(path: Path, error: BaseException) -> StoreDamagedError:
    """The error for a file that cannot be read as DuckDB's, or not all of it."""
    if is_results(path) or results_path(path).name in str(error):
        return StoreDamagedError(
            f"cannot read all of {path if is_results(path) else results_path(path)}: "
            f"{_first_line(error)}; these are published results: move them away, and `bmastore "
            f"train` makes them anew"
        )
    return StoreDamagedError(
        f"cannot open {path}, or read all of it: {_first_line(error)}; `bmastore verify` tells "
        f"what is damaged, and `bmastore recover NEW` makes a new store of what is not"
    )


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _describe_process(pid: int) -> str:
    import psutil

    try:
        command = masked_command(psutil.Process(pid).cmdline())
    except psutil.Error:
        return f"process {pid}"
    return f"process {pid} ({command[:200]})"
