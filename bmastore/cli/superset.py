"""``bmastore superset``."""

from pathlib import Path

import click

from bmastore.cli.kinds import FILE
from bmastore.cli.options import open_store, say, store_option


@click.command()
@click.option("--output", type=FILE, required=True, metavar="FILE.zip", help="Write to this file.")
@click.option(
    "--database-url",
    metavar="URL",
    help="PostgreSQL database of the ledger or a mirror  [default: the published results]",
)
@store_option
def superset(output: Path, database_url: str | None, store: Path) -> None:
    """Write dashboards for Superset: Overview, Live, Stock and Backtest, as a file to import.

    A second import updates them. Passwords are not written; Superset asks for them.
    """
    n = open_store(store).superset(output, database_url)
    say([f"{n} charts in {output}; `bmastore docs dashboards` says how to import them"])
