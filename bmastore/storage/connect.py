"""Opens a store's file: alone for writing, or locked down for reading."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from bmastore.errors import StoreError, StoreLockedError
from bmastore.storage.guard import checkpoint, log_size, mend
from bmastore.storage.holders import held_here, holding, reading
from bmastore.storage.statements import literal
from bmastore.storage.urls import masked_command
from bmastore.storage.versions import check_tables

# How long to wait for others to let go of a store, and after how long to say so.
PATIENCE_S, _SILENT_S = 30.0, 1.0
_LOOK_AGAIN_S = 0.02
# What a query may use; more spills to disk.
_QUERY_MEMORY = "2GB"
_HOLDER = re.compile(r"held in (.+?) \(PID (\d+)\)")


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
    with holding(path):
        duck = _connect_patiently(path, patience, say)
        try:
            duck.execute("set timezone = 'UTC'")
            duck.execute("pragma disable_checkpoint_on_shutdown")
            check_tables(duck, path)
            yield duck
            if path.exists() and log_size(path):
                checkpoint(duck, path)
        except (duckdb.IOException, duckdb.FatalException) as error:
            raise StoreError(
                f"cannot write {path} or what lies beside it: {str(error).splitlines()[0]}; "
                f"what was committed is kept: make room, and run the same command again"
            ) from None
        finally:
            duck.close()


def _connect_patiently(
    path: Path, patience: float, say: Callable[[str], None]
) -> duckdb.DuckDBPyConnection:
    begun, is_told = time.monotonic(), False
    while True:
        try:
            if path.exists():
                mend(path)
            return duckdb.connect(str(path), config={"checkpoint_threshold": "1TB"})
        except duckdb.Error as error:
            reason = _explain(path, error)
            waited = time.monotonic() - begun
            if not isinstance(reason, StoreLockedError) or waited >= patience:
                raise reason from None
            if waited >= _SILENT_S and not is_told:
                say(f"{reason}; waiting {patience:g} s for it")
                is_told = True
            time.sleep(_LOOK_AGAIN_S)


@contextmanager
def read_only(
    path: Path, beside: Path | None = None, *, is_locked_down: bool = True
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can reach nothing but a store, and as ``results`` one beside it.

    It is locked down before anything in the store is read: views are code, and a store may be
    somebody else's. Without the lock, files can be read as well.
    """
    with reading(path):
        mend(path)
        try:
            duck = duckdb.connect(str(path), read_only=True)
        except duckdb.Error as error:
            raise _explain(path, error) from None
        try:
            if beside is not None:
                duck.execute(f"attach {literal(str(beside))} as results (read_only)")
            duck.execute("set timezone = 'UTC'")
            if is_locked_down:
                duck.execute(f"set memory_limit = '{_QUERY_MEMORY}'")
                duck.execute("set python_enable_replacements = false")
                duck.execute("set enable_external_access = false")
                duck.execute("set lock_configuration = true")
            check_tables(duck, path)
            yield duck
        finally:
            duck.close()


def _explain(path: Path, error: BaseException) -> StoreError:
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
        command = masked_command(psutil.Process(pid).cmdline())
    except psutil.Error:
        return f"process {pid}"
    return f"process {pid} ({command[:200]})"
