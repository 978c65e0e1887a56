"""``bmastore sql``."""

from pathlib import Path

import click

from bmastore.cli.options import Output, open_store, output_options, print_table, store_option
from bmastore.reports.render import visible


@click.command()
@click.argument("query", required=False)
@click.option("--named", metavar="NAME", help="Run a query that comes with bmastore.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="End the query after so long.",
)
@store_option
@output_options()
def sql(
    query: str | None,
    named: str | None,
    timeout: float,
    store: Path,
    output: Output,
) -> None:
    """Run a read-only QUERY over the store's tables and views."""
    from bmastore.reports.queries import named_query

    if (query is None) == (named is None):
        raise click.UsageError("give either a QUERY or --named NAME")
    text = named_query(named) if named else str(query)
    found = open_store(store).query(text, timeout=timeout)
    if found.columns[:1] == ("explain_key",) and output.fmt == "table":  # a drawing of its own
        click.echo("\n".join(visible(plan) for _, plan in found.rows))
    else:
        print_table(found, output)
