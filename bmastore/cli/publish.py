"""``bmastore publish``."""

from pathlib import Path

import click

from bmastore.cli import messages
from bmastore.cli.options import open_store, say, store_option


@click.command()
@click.option("--to", metavar="URL|DIR", help="A PostgreSQL database of its own, or a folder.")
@store_option
def publish(to: str | None, store: Path) -> None:
    """Send the results to a PostgreSQL database (--to URL), or as Parquet files to a folder.

    Readers see what was there before or all that is new. Changes nothing in the store.
    """
    if to is None:
        raise click.UsageError(
            "say where to: --to postgresql://user@host/database mirrors the results with all "
            "views, --to FOLDER writes a Parquet file per view"
        )
    say(messages.published(open_store(store).publish(to)))
