"""Brings older stores up to date, after a backup."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bmastore.storage import postgres
from bmastore.storage.connect import PATIENCE_S
from bmastore.storage.identity import adopt_id, claim_ledger
from bmastore.storage.ledger_place import check_place
from bmastore.storage.paths import adopt_files
from bmastore.storage.resources import resource_dir
from bmastore.storage.session import Writer, connected, not_found
from bmastore.storage.shown import send_panel
from bmastore.storage.versions import SCHEMA_VERSION, too_new, version
from bmastore.storage.views import create_views

if TYPE_CHECKING:
    from sqlalchemy import Connection

# The schema since which a store has an id.
_FIRST_WITH_ID = "0005"


def migrate(
    path: Path,
    ledger_url: str | None = None,
    patience: float = PATIENCE_S,
    say: Callable[[str], None] = lambda sentence: None,
    at_end: Callable[[Writer], None] = lambda writer: None,
) -> tuple[str, str, Path | None]:
    """Bring an older store up to date, after copying it beside itself.

    A ledger on a server is brought up to date as well; it is the server's to back up.

    Parameters
    ----------
    at_end:
        Completes what has been migrated, in a transaction.

    Returns
    -------
    (version before, version after, path of the backup or None if nothing was to do).

    Raises
    ------
    StoreNotFoundError, StoreLockedError, SchemaTooNewError, StoreError
    """
    if not path.exists():
        raise not_found(path)
    adopt_files(path)
    with connected(path, patience, say) as writer:
        before = version(writer.duck, path)
        if before > SCHEMA_VERSION:
            raise too_new(path, before)
        check_place(writer.duck, path, ledger_url)
        if before == SCHEMA_VERSION:
            with writer.transaction():
                create_views(writer.duck.execute)
            _migrate_server(writer, ledger_url, at_end)
            return before, before, None
    backup = path.with_name(f"{path.stem}.before-{SCHEMA_VERSION}{path.suffix}")
    shutil.copy2(path, backup)
    with connected(path, patience, say) as writer:
        upgrade_store(writer)
        if before < _FIRST_WITH_ID:
            adopt_id(writer.duck, path)
        with writer.transaction():
            create_views(writer.duck.execute)
            at_end(writer)
        _migrate_server(writer, ledger_url, at_end)
    return before, SCHEMA_VERSION, backup


def _migrate_server(
    writer: Writer, ledger_url: str | None, at_end: Callable[[Writer], None]
) -> None:
    """Bring a ledger on a server up to date too, with what its views show of the panel."""
    if ledger_url is None:
        return
    with postgres.open_server(ledger_url) as server:
        found = server.version()
        if found is not None and found > SCHEMA_VERSION:
            raise too_new(server.place, found)
        if found is not None:
            server.upgrade(upgrade)
            claim_ledger(server, writer.path, writer.store_id)
            send_panel(writer.duck, server)
            there = replace(writer, server=server)
            with there.transaction():
                at_end(there)


def upgrade_store(writer: Writer, revision: str = "head") -> None:
    """Run the Alembic migrations of a store up to ``revision``."""
    from duckdb_sqlalchemy import ConnectionWrapper
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    engine = create_engine(
        "duckdb:///:memory:",
        # A connection of its own to the store that is open.
        creator=lambda: ConnectionWrapper(writer.duck.cursor()),
        poolclass=NullPool,
    )
    with engine.connect() as connection:
        upgrade(connection, revision)
    engine.dispose()


def upgrade(connection: "Connection", revision: str = "head") -> None:
    """Run the Alembic migrations up to ``revision`` on an open connection."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resource_dir("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    connection.commit()
