"""Commands that look at results: status, explain, sql."""

from pathlib import Path

import click

from bmastore import messages
from bmastore.cli.common import output_options, print_table, reading, say, store_option


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@store_option
@output_options()
def status(as_json: bool, store: Path, fmt: str, output: Path | None) -> None:
    """Count stocks by status, and show the last run."""
    from bmastore import report
    from bmastore.output import to_json

    with reading(store) as reader:
        found = report.status(reader)
    if as_json:
        click.echo(to_json(found))
        return
    print_table(report.status_table(found), fmt, output)
    if found.last_run and fmt == "table":
        say([messages.last_run(found.last_run)])


@click.command()
@click.argument("ticker")
@store_option
@output_options()
def explain(ticker: str, store: Path, fmt: str, output: Path | None) -> None:
    """Say why TICKER is pending, or what its last entry says."""
    from bmastore import report

    with reading(store) as reader:
        found = report.explain(reader, ticker)
    if fmt == "table" and output is None:
        click.echo("\n".join(messages.explanation(found)))
    else:
        print_table(found.facts, fmt, output)


@click.command()
@click.argument("query", required=False)
@click.option("--named", metavar="NAME", help="Run a query that comes with bmastore.")
@store_option
@output_options()
def sql(query: str | None, named: str | None, store: Path, fmt: str, output: Path | None) -> None:
    """Run a read-only QUERY over the store's tables and views."""
    from bmastore import report

    if (query is None) == (named is None):
        raise click.UsageError("give either a QUERY or --named NAME")
    text = report.named_query(named) if named else str(query)
    with reading(store) as reader:
        found = report.query(reader, text)
    print_table(found, fmt, output)
