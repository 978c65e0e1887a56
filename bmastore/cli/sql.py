"""``bmastore sql``."""

from pathlib import Path

import click

from bmastore.cli.options import open_store, output_options, print_table, store_option


@click.command()
@click.argument("query", required=False)
@click.option("--named", metavar="NAME", help="Run a query that comes with bmastore.")
@store_option
@output_options()
def sql(query: str | None, named: str | None, store: Path, fmt: str, output: Path | None) -> None:
    """Run a read-only QUERY over the store's tables and views."""
    from bmastore.reports.queries import named_query

    if (query is None) == (named is None):
        raise click.UsageError("give either a QUERY or --named NAME")
    text = named_query(named) if named else str(query)
    print_table(open_store(store).query(text), fmt, output)
