"""Whose file is this: a store's id lies in it, in its folder of models and in its results.

What belongs to another store is refused, never swept or written over.
"""

import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from bmastore.errors import StoreDamagedError, StoreError
from bmastore.storage.connect import read_published
from bmastore.storage.guard import log_size
from bmastore.storage.paths import models_path, results_path
from bmastore.storage.statements import ask

if TYPE_CHECKING:
    from bmastore.storage.postgres import Server

_FILE = "store.id"
# What a database on a server bears in `meta` where it is no ledger: see bmastore.storage.mirror.
MIRROR = "mirror"


def new_store_id() -> str:
    """A fresh id: 32 hex digits."""
    return uuid.uuid4().hex


def store_id(duck: duckdb.DuckDBPyConnection) -> str | None:
    """The id in a store, or in its published results; ``None`` in what an older bmastore made."""
    try:
        rows = duck.execute("select value from meta where name = 'store_id'").fetchall()
    except duckdb.CatalogException:
        return None
    return str(rows[0][0]) if rows else None


def write_store_id(duck: duckdb.DuckDBPyConnection, value: str) -> None:
    """Write the id into a store that is being made."""
    ask(duck, "insert into meta values ('store_id', $value)", value=value)


def claim_models(store: Path, own_id: str) -> None:
    """See that the folder of models is this store's, and mark it where it bears no mark yet.

    Raises
    ------
    StoreError
        If it is another store's, or no folder.
    """
    folder = models_path(store)
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise StoreError(f"{folder} is no folder, and the models of {store} belong there; move it")
    mark = folder / _FILE
    try:
        found = mark.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        temporary = mark.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(own_id + "\n", encoding="utf-8")
        temporary.replace(mark)
        return
    if found != own_id:
        raise foreign(folder, store)


def adopt_id(duck: duckdb.DuckDBPyConnection, store: Path) -> None:
    """Give a store that had no id until now the one that its models or results bear.

    They do where it is a backup from before a migration, put back in its place.
    """
    found = _id_beside(store)
    if found:
        ask(duck, "update meta set value = $found where name = 'store_id'", found=found)


def check_nothing_left(store: Path) -> None:
    """See that where a store is to be made no other one was, whose results or models are there.

    Raises
    ------
    StoreError
        If they are: with them the store that was lost can be made again.
    """
    if (not store.exists() or store.stat().st_size == 0) and _id_beside(store):
        state = "empty" if store.exists() else "gone"
        raise StoreError(
            f"{store} is {state}, and its results or models are here still: `bmastore recover NEW "
            f"--store {store}` makes a new store of what they hold. To begin without it, move "
            f"{results_path(store).name} and {models_path(store).name} away"
        )


def _id_beside(store: Path) -> str | None:
    """The id that a store's models or results bear, if there are any."""
    found = None
    with suppress(StoreError), read_published(results_path(store)) as published:
        found = store_id(published)
    return mark_of(store) or found


def mark_of(store: Path) -> str | None:
    """The id that a store's folder of models bears, if it has one."""
    try:
        return (models_path(store) / _FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def make_models(store: Path, own_id: str) -> None:
    """Make the folder of models, if there is none, and mark it as this store's."""
    models_path(store).mkdir(exist_ok=True)
    claim_models(store, own_id)


def check_results(store: Path, own_id: str | None) -> None:
    """See that published results can lie where they belong, and that no other store's do.

    Raises
    ------
    StoreError
        If another store's results have their name, or something other than a file.
    """
    results = results_path(store)
    if not results.exists():
        return
    if not results.is_file():
        raise StoreError(f"{results} is no file, and the results of {store} belong there; move it")
    # What is damaged is written anew, whether it cannot be opened or not be read.
    with suppress(StoreDamagedError, duckdb.Error), read_published(results) as duck:
        if store_id(duck) not in (own_id, None):
            raise foreign(results, store)


def claim_ledger(server: "Server", store: Path, own_id: str) -> None:
    """See that a ledger on a server is this store's, and mark it where it bears no mark yet.

    Raises
    ------
    StoreError
        If it is another store's, or a mirror.
    """
    marks = server.marks()
    if MIRROR in marks:
        raise StoreError(
            f"{server.place} is a mirror, which `bmastore publish` made and writes over; a ledger "
            f"needs a database of its own"
        )
    if marks.get("store_id", own_id) != own_id:
        raise foreign(server.place, store)
    if "store_id" not in marks:
        with server.transaction():
            server.mark("store_id", own_id)


def store_state(store: Path) -> dict[str, str] | None:
    """What a store's file is known by as it stands; ``None`` while its log holds more.

    Each checkpoint gives the file another time in nanoseconds, and a backup that is put in its
    place has its own. The file is not opened: to close it would let go of DuckDB's lock.
    """
    if log_size(store):
        return None
    stat = store.stat()
    return {"store_size": str(stat.st_size), "store_mtime_ns": str(stat.st_mtime_ns)}


def published_state(duck: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The state of the store of which these are the published results; empty if not told."""
    try:
        rows = duck.execute("from meta where name in ('store_size', 'store_mtime_ns')").fetchall()
    except duckdb.CatalogException:
        return {}
    return dict(rows)


def foreign(what: Path | str, store: Path) -> StoreError:
    """The error for what belongs to another store."""
    return StoreError(
        f"{what} belongs to another store than {store}; if that one is gone, delete it, else give "
        f"this store a name of its own"
    )
