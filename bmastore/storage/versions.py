"""The versions of a store's schema and of its file, and what to do about another schema."""

from pathlib import Path

import duckdb

from bmastore.errors import SchemaTooNewError, SchemaTooOldError, StoreError

# The newest revision in migrations/versions/. A change of tables or views is a new revision;
# tests/storage/test_migrate.py asks for a frozen store of each.
SCHEMA_VERSION = "0014"

# The format of DuckDB's files in which new ones are made, that of DuckDB 1.3: the first that
# compresses the few strings of a night. A newer one is worth it only for what makes files smaller
# or faster, for BI tools with an older DuckDB cannot open them. Files in an older format are read
# and written as they are, and `compact` writes them in this one.
FILE_FORMAT = "v1.3.0"
IN_FORMAT = f"storage_version '{FILE_FORMAT}'"

# What a store is known by: these are tables, or what is opened is none.
_TABLES = ("alembic_version", "settings", "series", "runs", "ledger", "meta")


def check_tables(duck: duckdb.DuckDBPyConnection, path: Path) -> None:
    """See that what is read as a table is one: a view in its place would be somebody's code.

    Raises
    ------
    StoreError
        If a view has the name of one of the store's tables.
    """
    views = duck.execute("select view_name from duckdb_views() where not internal").fetchall()
    for name in _TABLES:
        if (name,) in views:
            raise StoreError(f"{path} is not a bmastore store: {name} is a view in it, not a table")


def has_table(duck: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a store has a table: published results have those of the ledger alone."""
    return bool(
        duck.execute(
            f"from duckdb_tables() where table_name = '{name}' "
            "and database_name = current_database()"
        ).fetchall()
    )


def version(duck: duckdb.DuckDBPyConnection, path: Path) -> str:
    """Schema version of a store.

    Raises
    ------
    StoreError
        If the file is no store.
    """
    try:
        rows = duck.execute("select version_num from alembic_version").fetchall()
    except duckdb.CatalogException:
        raise StoreError(f"{path} is a DuckDB file, but not a bmastore store") from None
    return str(rows[0][0])


def check_version(found: str, place: Path | str, store: Path) -> None:
    """Refuse a store, or its ledger on a server, of another schema than this bmastore's.

    Raises
    ------
    SchemaTooOldError, SchemaTooNewError
        With the command that helps.
    """
    if found > SCHEMA_VERSION:
        raise too_new(place, found)
    if found < SCHEMA_VERSION:
        raise SchemaTooOldError(
            f"{place} has schema {found}, this bmastore needs {SCHEMA_VERSION}; "
            f"run: bmastore migrate --store {store}"
        )


def too_new(place: Path | str, found: str) -> SchemaTooNewError:
    """The error for a store that a newer bmastore made."""
    return SchemaTooNewError(
        f"{place} has schema {found}, this bmastore knows {SCHEMA_VERSION}; "
        f"run: pip install --upgrade bmastore"
    )
