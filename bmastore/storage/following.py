"""A connection to published results that follows their renewals."""

import threading
from pathlib import Path
from typing import Any

import duckdb

from bmastore.errors import StoreNotFoundError
from bmastore.storage.connect import open_published
from bmastore.storage.paths import is_results, real_path, results_path


class Following:
    """A read-only DuckDB connection to a store's published results, which are never stale.

    Results are renewed by rename, and DuckDB keeps showing the old file to whoever has it open.
    Whatever is asked here is asked of the newest one. Threads may share it; each query has a cursor
    of its own. Other methods are those of :class:`duckdb.DuckDBPyConnection`.

    Parameters
    ----------
    path:
        The store, or its published results.

    Raises
    ------
    StoreNotFoundError
        If nothing has been published.
    """

    def __init__(self, path: str | Path) -> None:
        given = real_path(path)
        self.path = given if is_results(given) else results_path(given)
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._duck: duckdb.DuckDBPyConnection | None = None
        self.cursor().close()

    def version(self) -> str:
        """Which results there are now; another text after each renewal."""
        return "-".join(map(str, self._now()))

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor on the newest results; rows of an older one can still be fetched."""
        with self._lock:
            now = self._now()
            if now != self._seen or self._duck is None:
                # The old one is let go of, not closed: that would close its cursors.
                self._duck, self._seen = open_published(self.path), now
            cursor = self._duck.cursor()
            cursor.execute("use published")
            return cursor

    def execute(self, query: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """Ask the newest results; what comes back is a cursor with the rows."""
        return self.cursor().execute(query, parameters)

    def _now(self) -> tuple[int, int]:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            raise StoreNotFoundError(
                f"there are no published results at {self.path}; `bmastore ingest` and "
                f"`bmastore train` publish them"
            ) from None
        return status.st_ino, status.st_mtime_ns

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cursor(), name)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._duck = self._seen = None

    def __enter__(self) -> "Following":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def connect(path: str | Path) -> Following:
    """A read-only DuckDB connection to a store's published results that follows their renewals.

    ``path`` is the store's or the results'. Raises :class:`bmastore.errors.StoreNotFoundError` if
    nothing has been published.
    """
    return Following(path)
