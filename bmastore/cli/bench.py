"""``bmastore bench``."""

from pathlib import Path

import click

from bmastore.cli.options import Output, output_options, print_table, store_option


@click.group()
def bench() -> None:
    """Measure bmastore on this machine and these stocks."""


@bench.command()
@click.option(
    "--stocks",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    help="On how many of the store's stocks.",
)
@click.option("--target", help="What to forecast, where the store has several targets.")
@store_option
@output_options()
def presets(stocks: int, target: str | None, store: Path, output: Output) -> None:
    """What each preset costs per stock, and how well it forecasts days that it has not seen."""
    from bmastore.evaluation.presets import measure_presets

    print_table(measure_presets(store, stocks, target), output)
