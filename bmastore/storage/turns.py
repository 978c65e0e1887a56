"""A writer that waits for readers has its turn: those that come later let it in first.

DuckDB's lock is anybody's who comes when nobody has it, and with readers coming and going that is
never. So a writer that waits puts up a sign, and bmastore's own readers wait until it is down. The
sign is a locked file: one that a killed writer has left is no longer locked, and says nothing.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOOK_AGAIN_S = 0.02


def _sign(store: Path) -> Path:
    return store.with_name(f".{store.name}.waiting")


@contextmanager
def waiting(store: Path) -> Iterator[None]:
    """Ask readers to let this process write a store."""
    sign = _sign(store)
    with sign.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # several may wait
        try:
            yield
        finally:
            with suppress(BlockingIOError):  # others wait by the same sign
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                sign.unlink(missing_ok=True)


def let_writers_in(store: Path, patience: float) -> None:
    """Wait while a writer waits for a store, up to so many seconds."""
    until = time.monotonic() + patience
    while time.monotonic() < until and _is_awaited(store):
        time.sleep(_LOOK_AGAIN_S)


def _is_awaited(store: Path) -> bool:
    try:
        with _sign(store).open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no sign, or a folder that is not ours to write
        return False
    return False
