"""``bmastore bench``."""

from pathlib import Path

import click

from bmastore.cli.kinds import NAMES
from bmastore.cli.options import Output, output_options, print_table, store_option
from bmastore.cli.settings import ConfigFile, file_option


@click.group()
def bench() -> None:
    """Measure bmastore on this machine and these stocks."""


@bench.command()
@click.option(
    "--members",
    "measured",
    type=NAMES,
    is_flag=False,
    flag_value=(),
    help="Measure these members instead, or without a list those that would be averaged.",
)
@click.option(
    "--stocks",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    help="On how many of the store's stocks.",
)
@click.option("--target", help="What to forecast, where the store has several targets.")
@store_option
@file_option
@output_options()
@click.pass_obj
def presets(
    file: ConfigFile,
    /,
    measured: tuple[str, ...] | None,
    stocks: int,
    target: str | None,
    store: Path,
    output: Output,
) -> None:
    """What each preset costs per stock, and how well it forecasts days that it has not seen.

    With --members, what each member costs, and what the others forecast without it.
    """
    from bmastore.evaluation.trials import measure_members, measure_presets

    output.check()
    given = {"members": measured} if measured else {}
    config = file.config(**given, **({"targets": (target,)} if target else {}))
    measure = measure_presets if measured is None else measure_members
    print_table(measure(store, config, stocks), output)
