"""``bmastore predict``."""

import sys
from datetime import datetime
from pathlib import Path

import click

from bmastore.cli.kinds import DAY, NAMES
from bmastore.cli.options import (
    EXIT_FAILED,
    Output,
    day,
    open_store,
    output_options,
    print_table,
    say,
    store_option,
    trusted_option,
)


@click.command()
@click.option("--since", type=DAY, help="First date to forecast.")
@click.option("--until", type=DAY, help="Last date to forecast.")
@click.option("--tickers", type=NAMES, help="Only these stocks.")
@click.option("--target", help="What to forecast  [default: all targets]")
@click.option(
    "--contributions",
    is_flag=True,
    help="In place of forecasts, what each member and feature adds to their means.",
)
@trusted_option
@store_option
@output_options()
def predict(
    since: datetime | None,
    until: datetime | None,
    tickers: tuple[str, ...] | None,
    target: str | None,
    contributions: bool,
    trusted: tuple[str, ...],
    store: Path,
    output: Output,
) -> None:
    """Forecast with the stored models: by default the latest date of each stock.

    From rows whose labels were known they have learnt: what they say of these is no test of them.
    What was forecast before is in v_outcomes, and how it would have gone `bmastore backtest` tells.
    """
    output.check()
    found = open_store(store).predict(
        tickers=tickers,
        since=day(since),
        until=day(until),
        target=target,
        trusted=trusted,
        contributions=contributions,
    )
    say([f"bmastore: {ticker}: {reason}" for ticker, reason in found.failures.items()])
    print_table(found.table, output)
    if found.failures:
        sys.exit(EXIT_FAILED)
