"""``bmastore migrate``."""

from pathlib import Path

import click

from bmastore.cli.options import open_store, say, store_option, writing_options


@click.command()
@store_option
@writing_options
def migrate(store: Path, ledger: str | None, lock_timeout: float) -> None:
    """Bring an older store up to date, after a backup; with --ledger, the server's ledger too."""
    before, after, backup = open_store(store, ledger, lock_timeout).migrate()
    if backup is None:
        say([f"{store} has schema {after} already"])
    else:
        say([f"{store}: schema {before} → {after}; backup in {backup}"])
