"""``bmastore verify``."""

import sys
from pathlib import Path

import click

from bmastore.cli import messages
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
@store_option
@ledger_option
@output_options()
def verify(store: Path, ledger: str | None, output: Output) -> None:
    """Read every block, rule and model of a store; say what is wrong, and what mends it.

    Changes nothing. The exit code is 1 if anything is wrong.
    """
    found = open_store(store, ledger).verify()
    if found.findings or output.fmt != "table":
        print_table(found.table, output)
    say(messages.verified(found, store))
    if found.findings:
        sys.exit(EXIT_FAILED)
