"""``bmastore compact``."""

from datetime import datetime
from pathlib import Path

import click

from bmastore.cli import messages
from bmastore.cli.kinds import DAY
from bmastore.cli.options import day, open_store, say, store_option, writing_options


@click.command()
@click.option(
    "--archive-before",
    type=DAY,
    help="First move superseded entries that were made before this date to a Parquet file beside "
    "the store.",
)
@store_option
@writing_options
def compact(
    archive_before: datetime | None, store: Path, ledger: str | None, lock_timeout: float
) -> None:
    """Write the store anew, without the room that what is gone has left in it.

    It takes as much room again while it is written, and has its name at the end, or stays as it
    was. Nothing of it is lost; `bmastore status` says what it would save. `bmastore sql` reads what
    was archived as before.
    """
    found = open_store(store, ledger, lock_timeout).compact(day(archive_before))
    say([messages.compacted(found, store)])
