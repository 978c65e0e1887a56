"""``bmastore status``."""

from pathlib import Path

import click

from bmastore.cli import messages
from bmastore.cli.options import Output, open_store, output_options, print_table, say, store_option


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@store_option
@output_options()
def status(as_json: bool, store: Path, output: Output) -> None:
    """Count stocks by status, and show the last run."""
    from bmastore.reports.render import to_json

    found = open_store(store).status()
    if as_json:
        click.echo(to_json(found))
        return
    print_table(found.table, output)
    if output.fmt == "table":
        say([messages.size(found)])
        if found.last_run:
            say([messages.last_run(found.last_run)])
