"""``bmastore explain``."""

from pathlib import Path

import click

from bmastore.cli import messages
from bmastore.cli.options import (
    Output,
    open_store,
    output_options,
    print_table,
    say,
    store_option,
    trusted_option,
)
from bmastore.reports.render import visible


@click.command()
@click.argument("ticker", required=False)
@click.option(
    "--trust", "is_of_types", is_flag=True, help="List the types that members of your own are of."
)
@trusted_option
@store_option
@output_options()
def explain(
    ticker: str | None, is_of_types: bool, trusted: tuple[str, ...], store: Path, output: Output
) -> None:
    """Say why TICKER is pending, or what its last entry says, and what moved its forecast."""
    if is_of_types == (ticker is not None):
        raise click.UsageError("name a TICKER, or give --trust")
    opened = open_store(store)
    if ticker is None:
        types = opened.types(trusted)
        say(messages.to_trust(types))
        print_table(types, output)
        return
    found = opened.explain(ticker, trusted)
    if output.fmt == "table" and output.path is None:
        click.echo("\n".join(map(visible, messages.explanation(found))))
    else:
        print_table(found.whole() if output.fmt == "json" else found.facts, output)
