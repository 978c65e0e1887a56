"""Commands that measure and show: backtest, bench, demo."""

import sys
from datetime import datetime
from pathlib import Path

import click

from bmastore import messages
from bmastore.cli.common import (
    DAY,
    EXIT_FAILED,
    config_options,
    day,
    ledger_option,
    names,
    output_options,
    print_table,
    say,
    store_option,
)


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
@click.option("--tickers", metavar="A,B", help="Forecast only these stocks.")
@click.option("--as-of", type=DAY, help="Use only labels known on this date.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes  [default: one a core]")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.png",
    help="Draw skill, calibration and weights.",
)
@store_option
@ledger_option
@output_options()
def backtest(
    cutoffs: int,
    every: int,
    preset: str | None,
    weighting: str,
    target: str | None,
    tickers: str | None,
    as_of: datetime | None,
    workers: int | None,
    plot: Path | None,
    store: Path,
    ledger: str | None,
    fmt: str,
    output: Path | None,
) -> None:
    """Walk forward over past dates: train as of each, forecast what came after, score.

    Each member, equal weights, the ensemble, always zero and the plain recipe
    forecast the same rows. What is trained and forecast in the store stays.
    """
    from bmastore.config import TrainConfig
    from bmastore.progress import progress
    from bmastore.store import Store

    if plot is not None:
        from bmastore.plot import check_picture, plot_backtest

        check_picture(plot)
    with progress(sys.stderr.isatty()) as show:
        report = Store(store, ledger).backtest(
            TrainConfig(preset=preset or "standard", weighting=weighting, target=target),
            cutoffs=cutoffs,
            every=every,
            as_of=day(as_of),
            tickers=names(tickers),
            workers=workers,
            on_progress=show,
        )
    if plot is not None:
        plot_backtest(report, plot)
    print_table(messages.overview(report.scores) if fmt == "table" else report.scores, fmt, output)
    say(messages.backtested(report, store))
    if report.failures:
        sys.exit(EXIT_FAILED)


@click.group()
def bench() -> None:
    """Measure bmastore on this machine and these stocks."""


@bench.command()
@click.option("--stocks", type=click.IntRange(min=1), default=60, show_default=True)
@click.option("--target", help="What to forecast, where the store has several targets.")
@store_option
@output_options()
def presets(stocks: int, target: str | None, store: Path, fmt: str, output: Path | None) -> None:
    """What each preset costs a stock, and how well it forecasts days that it has not seen."""
    from bmastore.bench import bench_presets

    print_table(bench_presets(store, stocks, target), fmt, output)


@click.command()
@click.option(
    "--store",
    type=click.Path(dir_okay=False, path_type=Path),
    default="bmastore-demo.duckdb",
    show_default=True,
    help="Where the made-up stocks go; an earlier demo there is replaced.",
)
def demo(store: Path) -> None:
    """Ingest, train and show a made-up universe with a planted signal."""
    from bmastore.demo import play
    from bmastore.progress import progress

    with progress(on_terminal=False) as show:
        weights = play(store, lambda line: say([line]), show)
    print_table(weights, "table", None)
    say([f"Look around: bmastore sql 'from v_predictions' --store {store}"])
