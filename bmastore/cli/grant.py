"""``bmastore grant``."""

from pathlib import Path

import click

from bmastore.cli.options import ledger_option, open_store, say, store_option


@click.command()
@click.argument("role")
@store_option
@ledger_option
def grant(role: str, store: Path, ledger: str | None) -> None:
    """Let ROLE of the PostgreSQL server with the ledger read all views, and nothing else."""
    open_store(store, ledger).grant(role)
    say([f"{role} may read the views, and nothing else"])
