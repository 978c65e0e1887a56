"""``bmastore export``."""

from pathlib import Path

import click

from bmastore.cli.options import Output, open_store, output_options, print_table, say, store_option


@click.command()
@click.option("--prices", "what", flag_value="prices", help="Prices as they were given.")
@click.option("--features", "what", flag_value="features", help="Features and targets, by date.")
@store_option
@output_options("json")
def export(what: str | None, store: Path, output: Output) -> None:
    """Export one row per stock: status, weights, metrics, newest forecast; or the panel.

    The panel goes to a Parquet file (--output), or CSV with --format csv.
    """
    if what is not None:
        _panel(store, what, output.path, output.fmt)
        return
    print_table(open_store(store).results(), output)


def _panel(store: Path, what: str, path: Path | None, fmt: str) -> None:
    if path is None:
        raise click.UsageError(f"--{what} needs a file: add --output {what}.parquet")
    n = open_store(store).export(what, path, fmt="csv" if fmt == "csv" else "parquet")
    say([f"{n:,} rows of {what} in {path}"])
