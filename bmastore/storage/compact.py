"""Compaction: a store written anew without the room that what is gone has left in it.

DuckDB uses free blocks again and never gives them back: a table that was dropped, or rows that were
replaced, leave a file as large as it was.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from bmastore.errors import StoreError
from bmastore.storage.archive import move_entries
from bmastore.storage.guard import sync
from bmastore.storage.salvage import database_of, fingerprint, tables_of
from bmastore.storage.session import Writer
from bmastore.storage.statements import literal, quoted, run
from bmastore.storage.versions import IN_FORMAT


@dataclass(frozen=True)
class Compacted:
    """Bytes of a store before and after, and how many entries were moved to the archive."""

    before: int
    after: int
    archived: int


def compact(writer: Writer, archive_before: date | None = None) -> Compacted:
    """Write a store anew beside itself, and put it in its place; nobody may use the writer after.

    Whatever happens, the store is the one from before or the new one: it takes its name by rename,
    once it is known to hold the same rows and is on the disk. The lock is that of the file from
    before, so until then nobody else writes. Entries that ended before ``archive_before`` and count
    no more go to the archive first.

    Raises
    ------
    StoreError
        If there is no room for it, or the new file is not the same.
    """
    path, duck = writer.path, writer.duck
    before = path.stat().st_size
    archived = 0 if archive_before is None else move_entries(writer, archive_before)
    writer.checkpoint()
    for left_over in path.parent.glob(f".{path.name}.*.compact*"):
        left_over.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.compact")
    home = database_of(duck)
    try:
        duck.execute(f"attach {literal(str(temporary))} as compacted (type duckdb, {IN_FORMAT})")
        try:
            duck.execute(f"copy from database {quoted(home)} to compacted")
            duck.execute("checkpoint compacted")
            _check_same(duck, home, path)
        finally:
            duck.execute("detach compacted")
        sync(temporary)
        after = temporary.stat().st_size
        temporary.replace(path)
        sync(path.parent)
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise StoreError(
            f"cannot write {path} anew beside it: {reason}; the store is as it was. It takes as "
            f"much room again while it is written"
        ) from None
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    return Compacted(before, after, archived)


def free_bytes(duck: duckdb.DuckDBPyConnection) -> int:
    """How many bytes of a connection's own database hold nothing."""
    return int(run(duck, "report/free_bytes").fetchall()[0][0])


def _check_same(duck: duckdb.DuckDBPyConnection, home: str, path: Path) -> None:
    here, there = tables_of(duck, home), tables_of(duck, "compacted")
    differ = [name for name in here if here[name] != there.get(name)]
    differ = differ or [
        name
        for name in here
        if fingerprint(duck, name) != fingerprint(duck, name, database="compacted")
    ]
    if differ or here.keys() != there.keys():
        raise StoreError(f"{path} written anew is not the same ({', '.join(differ)}); it is kept")
