"""``bmastore explain``."""

from pathlib import Path

import click

from bmastore.cli import messages
from bmastore.cli.options import open_store, output_options, print_table, store_option


@click.command()
@click.argument("ticker")
@store_option
@output_options()
def explain(ticker: str, store: Path, fmt: str, output: Path | None) -> None:
    """Say why TICKER is pending, or what its last entry says."""
    found = open_store(store).explain(ticker)
    if fmt == "table" and output is None:
        click.echo("\n".join(messages.explanation(found)))
    else:
        print_table(found.facts, fmt, output)
