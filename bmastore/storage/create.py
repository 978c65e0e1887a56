"""Brings a new store into being, whole or not at all, whoever else tries the same."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from bmastore.storage.connect import alone
from bmastore.storage.identity import new_store_id, write_store_id
from bmastore.storage.paths import remove_store
from bmastore.storage.statements import ask
from bmastore.storage.versions import SCHEMA_VERSION
from bmastore.storage.views import create_views


def make_store(path: Path, place: str | None) -> bool:
    """Make an empty store under a temporary name, and give it its own.

    Parameters
    ----------
    place:
        The server on which the ledger lies, if it does.

    Returns
    -------
    Whether it was made: ``False`` if there is a file already, or another process was first.
    """
    if path.exists() and path.stat().st_size > 0:
        return False
    for left_over in path.parent.glob(f".{path.name}.*.new*"):
        if not is_running(left_over.name.removeprefix(f".{path.name}.").partition(".")[0]):
            left_over.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with alone(temporary) as duck:
            fill(duck, place)
        return _take_name(temporary, path)
    finally:
        remove_store(temporary)


def _take_name(temporary: Path, path: Path) -> bool:
    """Give a file the name of the store, unless a store has it."""
    try:
        os.link(temporary, path)  # unlike a rename, it takes no name that is taken
        return True
    except FileExistsError:
        pass
    # A file without content was left by a first ingest that was killed. Of all who find it, the
    # one who locks it takes its place.
    import fcntl

    with path.open("r+b") as file, suppress(OSError):
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine, named = os.fstat(file.fileno()), path.stat()
        if mine.st_ino == named.st_ino and named.st_size == 0:
            temporary.replace(path)
            return True
    return False


def fill(duck: duckdb.DuckDBPyConnection, place: str | None) -> None:
    """Make the tables and views of a store in a file that has none, in one transaction."""
    from duckdb_sqlalchemy import Dialect
    from sqlalchemy.schema import CreateTable

    from bmastore.storage.panel_schema import panel_metadata
    from bmastore.storage.schema import ledger_metadata

    dialect = Dialect()
    duck.begin()
    for metadata in (panel_metadata, ledger_metadata):
        for table in metadata.sorted_tables:
            duck.execute(str(CreateTable(table).compile(dialect=dialect)))
    duck.execute("create table alembic_version (version_num varchar(32) not null primary key)")
    ask(duck, "insert into alembic_version values ($version)", version=SCHEMA_VERSION)
    if place is not None:
        ask(duck, "insert into settings values ('ledger', $place)", place=place)
    write_store_id(duck, new_store_id())
    create_views(duck.execute)
    duck.commit()


@contextmanager
def in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty store that is gone when it is closed."""
    with duckdb.connect() as duck:
        duck.execute("set timezone = 'UTC'")
        fill(duck, None)
        yield duck


def is_blank(duck: duckdb.DuckDBPyConnection) -> bool:
    """Whether a file has no tables at all, as one whose making was cut short."""
    return duck.execute("select 1 from duckdb_tables() where not internal").fetchall() == []


def is_empty(duck: duckdb.DuckDBPyConnection) -> bool:
    """Whether nothing has been put into a store yet."""
    tables = ("prices", "features", "runs")
    return all(duck.execute(f"select 1 from {name} limit 1").fetchall() == [] for name in tables)  # noqa: S608


def is_running(pid: str) -> bool:
    """Whether there is a process of this number, as the name of a file tells it."""
    import psutil

    return pid.isdigit() and psutil.pid_exists(int(pid))
