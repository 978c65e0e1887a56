"""``bmastore compact``."""

from pathlib import Path

import click

from bmastore.cli import messages
from bmastore.cli.options import open_store, say, store_option, writing_options


@click.command()
@store_option
@writing_options
def compact(store: Path, ledger: str | None, lock_timeout: float) -> None:
    """Write the store anew, without the room that what is gone has left in it.

    It takes as much room again while it is written, and has its name at the end, or stays as it
    was. Nothing of it is lost; `bmastore status` says what it would save.
    """
    found = open_store(store, ledger, lock_timeout).compact()
    say([messages.compacted(found, store)])
