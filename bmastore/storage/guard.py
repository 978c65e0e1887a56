"""A checkpoint that cannot be torn.

DuckDB's checkpoint works the write-ahead log into the file. It writes rows into free blocks, but
rewrites blocks of metadata in place: a write of one that is cut short, by SIGKILL or a power
failure, leaves a file that never opens again. So no checkpoint happens by itself (see
``connected``); each is one of these. Before it, the blocks of metadata and the headers are saved
durably beside the store; after it they are removed. Whoever finds them when it opens the store
puts them back, unless the checkpoint had come to its end, which the headers tell: they are written
last. The log, which survives any cut, then holds what the checkpoint had not kept.

The blocks of metadata are a few of 256 KB, whatever the size of the store; a copy of the whole
file, where the file system cannot share blocks, takes a second per gigabyte.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from bmastore.errors import StoreError
from bmastore.storage.holders import openers

# Three headers of 4 KB each lie before the first block.
_HEADERS = 3 * 4096
# Raise it when an older bmastore would misread a guard. A guard lives for the time of a
# checkpoint: one of another version is refused, with the version that has to mend it.
_MAGIC = b"bmastore guard 1\n"


def guard_path(store: Path) -> Path:
    """Where the guard of a store lies while a checkpoint runs."""
    return store.with_name(f".{store.name}.guard")


def log_size(store: Path) -> int:
    """Bytes of a store's write-ahead log."""
    try:
        return store.with_name(f"{store.name}.wal").stat().st_size
    except FileNotFoundError:
        return 0


def checkpoint(duck: duckdb.DuckDBPyConnection, store: Path) -> None:
    """Work the log into the store, guarded."""
    save(duck, store)
    duck.execute("checkpoint")
    _remove(guard_path(store))


def save(duck: duckdb.DuckDBPyConnection, store: Path) -> None:
    """Save durably, beside the store, what its next checkpoint may overwrite."""
    block_size, blocks = _metadata_blocks(duck)
    file = _descriptor(store)
    saved = [os.pread(file, _HEADERS, 0)]
    saved += [os.pread(file, block_size, _HEADERS + block * block_size) for block in blocks]
    _write_guard(store, block_size, blocks, b"".join(saved))


def mend(store: Path) -> None:
    """Put a store right whose checkpoint was cut short; nothing to do without a guard.

    The caller is about to open the store, and says so before.

    Raises
    ------
    StoreError
        If another version of bmastore made the guard.
    """
    guard = guard_path(store)
    if not guard.exists() or openers(store) > 1 or not os.access(store, os.W_OK):
        return
    # Looked at before the lock is taken: to close a file lets go of every lock on it.
    headers, opens = _headers(store), _opens(store)
    with _alone(store) as is_alone:
        # Whoever holds the store is in the middle of its checkpoint, or will mend it.
        if not is_alone or not guard.exists() or _headers(store) != headers:
            return
        block_size, blocks, payload = _read_guard(guard)
        if headers == payload[:_HEADERS]:
            _restore(store, block_size, blocks, payload, with_headers=False)
        elif not opens:  # the headers themselves were cut
            _restore(store, block_size, blocks, payload, with_headers=True)
        _remove(guard)


def _descriptor(store: Path) -> int:
    """DuckDB's own descriptor of the store.

    To open the file once more and close it would let go of DuckDB's lock: a process has one
    lock on a file, however often it has opened it.
    """
    mine = store.stat()
    for number in Path("/dev/fd").iterdir():
        with suppress(OSError):  # the folder's own descriptor, closed by now
            other = os.fstat(int(number.name))
            if (other.st_dev, other.st_ino) == (mine.st_dev, mine.st_ino):
                return int(number.name)
    raise StoreError(f"{store} is not open in this process: there is nothing to save before")


def _metadata_blocks(duck: duckdb.DuckDBPyConnection) -> tuple[int, list[int]]:
    """Size of a block, and the blocks of metadata."""
    rows = duck.execute("select block_id from pragma_metadata_info()").fetchall()
    size = duck.execute(
        "select block_size from pragma_database_size() where database_name = current_database()"
    ).fetchall()[0][0]
    return int(size), sorted({int(block) for (block,) in rows})


def _write_guard(store: Path, block_size: int, blocks: list[int], payload: bytes) -> None:
    head = {
        "block_size": block_size,
        "blocks": blocks,
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    temporary = guard_path(store).with_suffix(".guard.tmp")
    with temporary.open("wb") as file:
        file.write(_MAGIC + json.dumps(head).encode() + b"\n" + payload)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(guard_path(store))
    sync(store.parent)


def _read_guard(guard: Path) -> tuple[int, list[int], bytes]:
    content = guard.read_bytes()
    if not content.startswith(_MAGIC):
        raise StoreError(
            f"{guard} was left by another version of bmastore, whose checkpoint was cut short; "
            f"open the store once with that version"
        )
    head, _, payload = content[len(_MAGIC) :].partition(b"\n")
    told = json.loads(head)
    if hashlib.sha256(payload).hexdigest() != told["sha256"]:
        raise StoreError(f"{guard} is damaged: it is not what was saved before the checkpoint")
    return told["block_size"], told["blocks"], payload


def _headers(store: Path) -> bytes:
    with store.open("rb") as file:
        return file.read(_HEADERS)


def _restore(
    store: Path, block_size: int, blocks: list[int], payload: bytes, *, with_headers: bool
) -> None:
    with store.open("r+b") as file:
        for i, block in enumerate(blocks):
            start = _HEADERS + i * block_size
            file.seek(_HEADERS + block * block_size)
            file.write(payload[start : start + block_size])
        file.flush()
        os.fsync(file.fileno())
        if with_headers:
            file.seek(0)
            file.write(payload[:_HEADERS])
            file.flush()
            os.fsync(file.fileno())


def _opens(store: Path) -> bool:
    try:
        duckdb.connect(str(store), read_only=True).close()
    except duckdb.Error:
        return False
    return True


@contextmanager
def _alone(store: Path) -> Iterator[bool]:
    """Whether no process has the store open; none can open it meanwhile."""
    import fcntl

    with store.open("r+b") as file:
        try:
            # The same kind of lock as DuckDB's.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _remove(guard: Path) -> None:
    guard.unlink(missing_ok=True)
    sync(guard.parent)


def sync(path: Path) -> None:
    """See that a file, or the names in a folder, would survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
