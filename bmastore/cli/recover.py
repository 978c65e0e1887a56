"""``bmastore recover``."""

import sys
from pathlib import Path

import click

from bmastore.cli import messages
from bmastore.cli.kinds import FILE
from bmastore.cli.options import (
    EXIT_FAILED,
    Output,
    ledger_option,
    open_store,
    output_options,
    print_table,
    say,
    store_option,
)


@click.command()
@click.argument("new", type=FILE)
@store_option
@ledger_option
@output_options()
def recover(new: Path, store: Path, ledger: str | None, output: Output) -> None:
    """Make a store at NEW of what can be read of a damaged one; say what is lost.

    The damaged store stays as it is. A ledger on a server stays there if it is named; otherwise
    the new store holds what was published of it. The exit code is 1 if anything is lost.
    """
    output.check()
    found = open_store(store, ledger).recover(new)
    print_table(found.tables, output)
    say(messages.recovered(found, new))
    if found.lost:
        sys.exit(EXIT_FAILED)
