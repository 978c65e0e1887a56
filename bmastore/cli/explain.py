"""``bmastore explain``."""

from pathlib import Path

import click

from bmastore.cli import messages
from bmastore.cli.options import Output, open_store, output_options, print_table, store_option
from bmastore.reports.render import visible


@click.command()
@click.argument("ticker")
@store_option
@output_options()
def explain(ticker: str, store: Path, output: Output) -> None:
    """Say why TICKER is pending, or what its last entry says."""
    found = open_store(store).explain(ticker)
    if output.fmt == "table" and output.path is None:
        click.echo("\n".join(map(visible, messages.explanation(found))))
    else:
        print_table(found.facts, output)
