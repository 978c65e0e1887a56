"""``bmastore export``."""

from pathlib import Path

import click

from bmastore.cli.options import open_store, output_options, print_table, store_option


@click.command()
@store_option
@output_options("json")
def export(store: Path, fmt: str, output: Path | None) -> None:
    """Export one row per stock: status, weights, metrics, newest forecast."""
    print_table(open_store(store).results(), fmt, output)
