"""``bmastore migrate``."""

from pathlib import Path

import click

from bmastore.cli.options import ledger_option, open_store, say, store_option


@click.command()
@store_option
@ledger_option
def migrate(store: Path, ledger: str | None) -> None:
    """Bring an older store up to date, after a backup; with --ledger, the server's ledger too."""
    before, after, backup = open_store(store, ledger).migrate()
    if backup is None:
        say([f"{store} has schema {after} already"])
    else:
        say([f"{store}: schema {before} → {after}; backup in {backup}"])
