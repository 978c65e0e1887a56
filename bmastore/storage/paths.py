"""Where the files of a store lie."""

from pathlib import Path


def results_path(store: Path) -> Path:
    """Where a store's published results lie: ``bma.duckdb`` → ``bma.results.duckdb``."""
    return store.with_name(f"{store.stem}.results.duckdb")


def models_path(store: Path) -> Path:
    """Where a store's artifacts lie: ``bma.duckdb`` → ``bma.models/``."""
    return store.with_name(f"{store.stem}.models")


def remove_store(path: Path) -> None:
    """Delete a store's file and what DuckDB keeps beside it."""
    path.unlink(missing_ok=True)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
