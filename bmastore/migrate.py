"""Brings older stores up to date, after a backup."""

import shutil
from pathlib import Path

from bmastore.resources import resource_dir
from bmastore.store import (
    SCHEMA_VERSION,
    Writer,
    connected,
    create_views,
    not_found,
    too_new,
    version,
)


def migrate(path: Path) -> tuple[str, str, Path | None]:
    """Bring an older store up to date, after copying it beside itself.

    Returns
    -------
    (version before, version after, path of the backup or None if nothing was to do).

    Raises
    ------
    StoreNotFoundError, StoreLockedError, SchemaTooNewError, StoreError
    """
    if not path.exists():
        raise not_found(path)
    with connected(path) as writer:
        before = version(writer.duck, path)
        if before > SCHEMA_VERSION:
            raise too_new(path, before)
        if before == SCHEMA_VERSION:
            with writer.transaction():
                create_views(writer.duck)
            return before, before, None
        writer.duck.execute("checkpoint")
    backup = path.with_name(f"{path.stem}.before-{SCHEMA_VERSION}{path.suffix}")
    shutil.copy2(path, backup)
    with connected(path) as writer:
        upgrade(writer)
        with writer.transaction():
            create_views(writer.duck)
    return before, SCHEMA_VERSION, backup


def upgrade(writer: Writer, revision: str = "head") -> None:
    """Run the Alembic migrations up to ``revision``."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resource_dir("migrations")).replace("%", "%%"))
    config.attributes["connection"] = writer.panel
    command.upgrade(config, revision)
