"""``bmastore export``."""

from pathlib import Path

import click
from click.core import ParameterSource

from bmastore.cli.options import Output, open_store, output_options, print_table, say, store_option

_PANEL_FORMATS = ("csv", "parquet")


@click.command()
@click.option("--prices", "what", flag_value="prices", multiple=True, help="Prices as given.")
@click.option(
    "--features",
    "what",
    flag_value="features",
    multiple=True,
    help="Features and targets, by date.",
)
@store_option
@output_options("json")
def export(what: tuple[str, ...], store: Path, output: Output) -> None:
    """Export one row per stock: status, weights, metrics, newest forecast; or the panel.

    The panel goes to a Parquet file (--output), or to CSV.
    """
    if what:
        _panel(store, what, output)
        return
    print_table(open_store(store).results(), output)


def _panel(store: Path, what: tuple[str, ...], output: Output) -> None:
    first, path = what[0], output.path
    if len(set(what)) > 1:
        raise click.UsageError("prices and features go to a file each: export one, then the other")
    if path is None:
        raise click.UsageError(f"--{first} needs a file: add --output {first}.parquet")
    given = click.get_current_context().get_parameter_source("fmt") is ParameterSource.COMMANDLINE
    if path.suffix.lower() in (".json", ".txt") or (given and output.fmt not in _PANEL_FORMATS):
        raise click.UsageError(f"{first} go to Parquet or CSV: write --output {first}.parquet")
    n = open_store(store).export(first, path, fmt="csv" if output.fmt == "csv" else "parquet")
    say([f"{n:,} rows of {first} in {path}"])
