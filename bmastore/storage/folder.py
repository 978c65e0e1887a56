"""A store's views as Parquet files in a folder, for whatever reads files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from bmastore.errors import BmastoreError, ConfigError
from bmastore.storage.connect import open_published
from bmastore.storage.create import is_running
from bmastore.storage.mirror import Sent
from bmastore.storage.paths import results_path
from bmastore.storage.session import open_dry, open_reader
from bmastore.storage.statements import ask, literal, quoted
from bmastore.storage.versions import has_table
from bmastore.storage.views import VIEWS, create_views

# By what a file tells whose it is.
_OWNER = "bmastore_store_id"


def write_views(store: Path, own_id: str, folder: Path) -> Sent:
    """Write a file per view; each takes its name when all of it is there.

    Raises
    ------
    ConfigError
        If the folder holds anything that this store's views are not.
    BmastoreError
        If it cannot be written.
    """
    folder = folder.resolve()
    before = _own_files(folder, store, own_id)
    temporary = {view: folder / f".{view}.{os.getpid()}.tmp" for view in VIEWS}
    rows = {}
    try:
        folder.mkdir(exist_ok=True)
        with _opened(store, folder) as duck:
            for view, file in temporary.items():
                rows[view] = _write(duck, view, file, own_id)
        for view, file in temporary.items():
            file.replace(folder / f"{view}.parquet")
        # A view that there is no more would go on to tell what once was.
        for file in before - {folder / f"{view}.parquet" for view in VIEWS}:
            file.unlink()
    except (OSError, duckdb.IOException) as error:
        raise BmastoreError(f"cannot write in {folder}: {str(error).splitlines()[0]}") from None
    finally:
        for file in temporary.values():
            file.unlink(missing_ok=True)
    return Sent(str(folder), rows)


def _write(duck: duckdb.DuckDBPyConnection, view: str, file: Path, own_id: str) -> int:
    options = f"format parquet, compression zstd, kv_metadata {{{_OWNER}: {literal(own_id)}}}"
    found = duck.execute(f"copy (from {quoted(view)}) to {literal(str(file))} ({options})")
    return int(found.fetchall()[0][0])


def _own_files(folder: Path, store: Path, own_id: str) -> set[Path]:
    """The files of a folder, all of which this store has written."""
    if not folder.exists():
        return set()
    if not folder.is_dir():
        raise ConfigError(f"cannot publish to {folder}: it is a file; name a folder")
    own = set()
    for path in folder.iterdir():
        owner = _owner(path)
        if owner == own_id:
            own.add(path)
        elif owner is not None:
            raise ConfigError(f"{path} belongs to another store than {store}; name another folder")
        elif path.suffix == ".tmp" and path.name.startswith(".v_"):
            _sweep(path)
        else:
            raise ConfigError(
                f"{path} is none of the files that are published to a folder; name one that is "
                f"new, empty or has nothing else in it"
            )
    return own


def _owner(path: Path) -> str | None:
    """The id of the store that has written a file; ``None`` if none has."""
    if path.suffix != ".parquet" or not path.is_file():
        return None
    try:
        with duckdb.connect() as duck:
            found = ask(
                duck,
                "select decode(value) from parquet_kv_metadata($file) where decode(key) = $owner",
                file=str(path),
                owner=_OWNER,
            ).fetchall()
    except duckdb.Error:
        return None
    return str(found[0][0]) if found else None


def _sweep(path: Path) -> None:
    """Delete what a process has left that was killed while it wrote."""
    pid = path.suffixes[-2].removeprefix(".") if len(path.suffixes) > 1 else ""
    if not is_running(pid):
        path.unlink(missing_ok=True)


@contextmanager
def _opened(store: Path, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to what answers readers now, the store or its results, that may write files."""
    with open_reader(store) as reader:
        is_published = not has_table(reader.duck, "folds")
    if not is_published:
        with open_dry(store) as session:
            yield session.duck
        return
    published = results_path(store) if results_path(store).exists() else store
    with open_published(published, folder) as duck:
        create_views(duck.execute, VIEWS, are_temporary=True)
        yield duck
