"""The archive: entries of the ledger that others have superseded, in files beside the store.

A store that trains every night keeps an entry per stock and night. Those that neither count nor
are in use are history, which few ask for: `compact --archive-before` moves them to a Parquet file
that is named after its own hash. The store says which files are its own, in `meta`; what else lies
in the folder is nobody's.
"""

import hashlib
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from bmastore.errors import StoreDamagedError
from bmastore.storage.guard import sync
from bmastore.storage.paths import archive_path
from bmastore.storage.statements import Part, ask, literal, run
from bmastore.storage.views import LEDGER

if TYPE_CHECKING:
    from bmastore.storage.session import Writer

# What names of rows of `meta` begin with that say which files there are.
_MARK = "archive "
# A store may be somebody else's: what is no hash is no name of a file.
_MARKS = f"{_MARK}[0-9a-f]{{64}}"


def files_of(duck: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Hashes of the files of a store's archive."""
    return tuple(name.removeprefix(_MARK) for name in sorted(marks_of(duck)))


def marks_of(duck: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Rows of `meta` that say which files there are."""
    rows = ask(
        duck, "select name, value from meta where regexp_full_match(name, $marks)", marks=_MARKS
    ).fetchall()
    return {str(name): str(value) for name, value in rows}


def mark(duck: duckdb.DuckDBPyConnection, marks: dict[str, str]) -> None:
    """Say in `meta` which files there are."""
    for name, value in marks.items():
        ask(duck, "insert into meta values ($name, $value)", name=name, value=value)


def history(duck: duckdb.DuckDBPyConnection, store: Path) -> Part:
    """The relation of all entries: those of the ledger, and those of the archive.

    Raises
    ------
    StoreDamagedError
        If a file is missing, or not what it was.
    """
    found = files_of(duck)
    if not found:
        return LEDGER
    paths = []
    for sha256 in found:
        check(store, sha256)
        paths.append(literal(str(_path(store, sha256))))
    listed = f"read_parquet([{', '.join(paths)}], union_by_name = true)"
    return Part(f"(from ledger union all by name from {listed})")


def check(store: Path, sha256: str) -> None:
    """See that a file of the archive is what it was.

    Raises
    ------
    StoreDamagedError
        If it is not.
    """
    path = _path(store, sha256)
    try:
        is_whole = _hash(path) == sha256
    except OSError as error:
        raise StoreDamagedError(
            f"{path}, which holds archived entries, cannot be read ({error.strerror}); put it back"
        ) from None
    if not is_whole:
        raise StoreDamagedError(
            f"{path}, which holds archived entries, is not what it was; put a backup in its place"
        )


def move_entries(writer: "Writer", before: date) -> int:
    """Move entries that ended before a date and that nothing stands on to a new file.

    Returns how many. The file is whole and on the disk before the ledger lets go of them, in one
    transaction.
    """
    duck, folder = writer.duck, archive_path(writer.path)
    ((n,),) = run(duck, "archive/choose", before=before).fetchall()
    if not n:
        return 0
    folder.mkdir(exist_ok=True)
    temporary = folder / f".{os.getpid()}.tmp"
    try:
        run(duck, "archive/write", path=Part(literal(str(temporary))))
        sync(temporary)
        sha256 = _hash(temporary)
        temporary.replace(_path(writer.path, sha256))
        sync(folder)
    finally:
        temporary.unlink(missing_ok=True)
    with writer.transaction():
        run(duck, "archive/let_go")
        mark(duck, {f"{_MARK}{sha256}": str(before)})
    return int(n)


def copy_files(found: Sequence[str], source: Path, target: Path) -> list[str]:
    """Copy files of one store's archive to another's; returns those that cannot be."""
    lost = []
    for sha256 in found:
        try:
            check(source, sha256)
        except StoreDamagedError:
            lost.append(sha256)
            continue
        archive_path(target).mkdir(exist_ok=True)
        _path(target, sha256).write_bytes(_path(source, sha256).read_bytes())
    return lost


def _path(store: Path, sha256: str) -> Path:
    return archive_path(store) / f"{sha256}.parquet"


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
