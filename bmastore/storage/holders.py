"""Who in this process holds a store: DuckDB's lock only keeps other processes out."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bmastore.errors import StoreLockedError

_held: set[Path] = set()
_read: Counter[Path] = Counter()
_change = threading.Lock()


@contextmanager
def holding(store: Path) -> Iterator[None]:
    """Hold a store for writing, as the only one in this process.

    Raises
    ------
    StoreLockedError
        If another thread holds it.
    """
    real = store.resolve()
    with _change:
        if real in _held:
            raise held_here(store)
        _held.add(real)
    try:
        yield
    finally:
        with _change:
            _held.discard(real)


@contextmanager
def reading(store: Path) -> Iterator[None]:
    """Have a store open for reading, beside others.

    Raises
    ------
    StoreLockedError
        If a thread of this process holds it for writing.
    """
    real = store.resolve()
    with _change:
        if real in _held:
            raise held_here(store)
        _read[real] += 1
    try:
        yield
    finally:
        with _change:
            _read[real] -= 1


def openers(store: Path) -> int:
    """How many in this process have a store open, or are about to."""
    real = store.resolve()
    with _change:
        return (real in _held) + _read[real]


def held_here(store: Path) -> StoreLockedError:
    """The error for a store that another thread holds."""
    return StoreLockedError(
        f"{store} is held by another thread of this process; wait until it is done"
    )
