"""Where the files of a store lie: beside it, under names that no other store has."""

from contextlib import suppress
from pathlib import Path

from bmastore.errors import ConfigError
from bmastore.storage.statements import UNWRITABLE

# How the names of stores and of their results usually end.
STORE, _RESULTS = ".duckdb", ".results.duckdb"


def named_path(path: str | Path) -> Path:
    """A path that somebody names.

    Raises
    ------
    ConfigError
        If it has letters that DuckDB takes in no path.
    """
    if found := UNWRITABLE.search(str(path)):
        raise ConfigError(
            f"{str(path)!r} has {found[0]!r}, which DuckDB takes in no path: name another"
        )
    return Path(path)


def real_path(store: str | Path) -> Path:
    """The file itself: what lies beside a store lies beside the file, not beside a link to it.

    ``~`` is somebody's home, as for a shell.

    Raises
    ------
    ConfigError
        If its name has such letters, or is that of a folder.
    """
    store = named_path(store)
    with suppress(RuntimeError):  # nobody's home is known: it is a name like others
        store = store.expanduser()
    if not store.name or store.is_dir():
        raise ConfigError(f"{str(store)!r} is a folder, and a store is a file: name one in it")
    return store.resolve() if store.is_symlink() else store


def results_path(store: Path) -> Path:
    """Where a store's published results lie: ``bma.duckdb`` → ``bma.results.duckdb``."""
    return store.with_name(f"{_own_name(store)}{_RESULTS}")


def is_results(path: Path) -> bool:
    """Whether a file is named as published results are."""
    return path.name.endswith(_RESULTS)


def models_path(store: Path) -> Path:
    """Where a store's artifacts lie: ``bma.duckdb`` → ``bma.models/``."""
    return store.with_name(f"{_own_name(store)}.models")


def archive_path(store: Path) -> Path:
    """Where entries lie that were moved out of a store: ``bma.duckdb`` → ``bma.archive/``."""
    return store.with_name(f"{_own_name(store)}.archive")


def _own_name(store: Path) -> str:
    """What the names of a store's files begin with.

    ``prices.us`` and ``prices.eu`` have one stem: of a store whose name does not end as usual,
    it is the whole name.
    """
    return store.stem if store.suffix == STORE else f"{store.name}.bma"


def adopt_files(store: Path) -> None:
    """Give a store's files the names that they have now.

    Before, they were named after the stem alone. Files that another store of the same stem may
    own are left where they are: what they lack is made anew.
    """
    if store.suffix == STORE:
        return
    # Whatever else has the stem may be a store that owns them.
    other = [
        path
        for path in store.parent.glob(f"{store.stem}.*")
        if path != store
        and path.is_file()
        and not path.name.startswith(store.name)
        and not is_results(path)
    ]
    if other:
        return
    for now, ending in ((models_path(store), "models"), (results_path(store), "results.duckdb")):
        before = store.with_name(f"{store.stem}.{ending}")
        if before.exists() and not now.exists():
            before.rename(now)


def remove_store(path: Path) -> None:
    """Delete a store's file and what DuckDB keeps beside it."""
    path.unlink(missing_ok=True)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
