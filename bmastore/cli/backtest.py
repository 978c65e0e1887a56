"""``bmastore backtest``."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from bmastore.cli import messages
from bmastore.cli.kinds import DAY, FILE, NAMES
from bmastore.cli.options import (
    EXIT_FAILED,
    Output,
    config_options,
    day,
    hired,
    open_store,
    output_options,
    print_table,
    say,
    store_option,
    worker_options,
    writing_options,
)
from bmastore.cli.settings import ConfigFile, file_option


@click.command()
@click.option(
    "--cutoffs",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Dates as of which to train.",
)
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="DAYS",
    help="Trading days from one cutoff to the next.",
)
@config_options
@click.option("--tickers", type=NAMES, help="Forecast only these stocks.")
@click.option("--as-of", type=DAY, help="Use only labels known on this date.")
@worker_options
@click.option("--plot", type=FILE, metavar="FILE.png", help="Draw skill, calibration and weights.")
@click.option(
    "--report",
    type=FILE,
    metavar="FILE.html",
    help="Write a page with all of it that opens anywhere; needs the extra dashboard.",
)
@store_option
@file_option
@writing_options
@output_options()
@click.pass_obj
def backtest(
    file: ConfigFile,
    /,
    cutoffs: int,
    every: int,
    tickers: tuple[str, ...] | None,
    as_of: datetime | None,
    workers: int | None,
    cluster: str | None,
    max_memory: int | None,
    plot: Path | None,
    report: Path | None,
    store: Path,
    ledger: str | None,
    lock_timeout: float,
    output: Output,
    **config: Any,
) -> None:
    """Walk forward over past dates: train as of each, forecast what came after, score.

    Each member, equal weights, the ensemble, always zero and the plain baseline
    forecast the same rows. What is trained and forecast in the store stays. Stop it
    at any time: the same command goes on after the cutoffs that are done.
    """
    from bmastore.progress import progress

    output.check()
    if plot is not None:
        from bmastore.evaluation.plot import check_picture, plot_backtest

        check_picture(plot)
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    with hired(cluster, workers) as crew, progress(is_terminal) as show:
        found = open_store(store, ledger, lock_timeout).backtest(
            file.config(**config),
            cutoffs=cutoffs,
            every=every,
            as_of=day(as_of),
            tickers=tickers,
            **crew,
            max_memory=max_memory,
            report=report,
            on_progress=show,
        )
    if plot is not None:
        plot_backtest(found, plot)
    is_drawn = output.fmt == "table"
    print_table(messages.overview(found.scores) if is_drawn else found.scores, output)
    say(messages.backtested(found, store))
    if found.failures:
        sys.exit(EXIT_FAILED)
