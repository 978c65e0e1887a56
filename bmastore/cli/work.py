"""Commands that write the store, or forecast: train, predict, migrate."""

import sys
from datetime import datetime
from pathlib import Path

import click

from bmastore import messages
from bmastore.cli.common import (
    DAY,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
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
@click.option("--only-pending/--all", default=True, help="New and stale stocks (default), or all.")
@config_options
@click.option(
    "--time-per-stock",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Take the richest preset that costs no more core-seconds a stock.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes  [default: one a core]")
@click.option("--max-memory", metavar="8GB", help="What all processes together may hold.")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=400,
    show_default=True,
    help="Commit after so many stocks, or ten seconds.",
)
@click.option("--tickers", metavar="A,B", help="Only these stocks.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many stocks.")
@click.option("--as-of", type=DAY, help="Use only what was known on this date.")
@click.option("--retry-failed", is_flag=True, help="Try failed stocks again.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@store_option
@ledger_option
def train(
    only_pending: bool,
    preset: str | None,
    weighting: str,
    target: str | None,
    time_per_stock: float | None,
    workers: int | None,
    max_memory: str | None,
    batch_size: int,
    tickers: str | None,
    limit: int | None,
    as_of: datetime | None,
    retry_failed: bool,
    as_json: bool,
    store: Path,
    ledger: str | None,
) -> None:
    """Train what is new or stale; stop it at any time, it goes on where it was."""
    from bmastore.config import TrainConfig, parse_bytes
    from bmastore.output import to_json
    from bmastore.plan import PassOptions
    from bmastore.progress import progress
    from bmastore.store import Store

    if preset and time_per_stock:
        raise click.UsageError("give either --preset or --time-per-stock")
    config = TrainConfig(preset=preset or "standard", weighting=weighting, target=target)
    options = PassOptions(
        force=not only_pending,
        retry_failed=retry_failed,
        tickers=names(tickers),
        limit=limit,
        as_of=day(as_of),
        workers=workers,
        max_memory=parse_bytes(max_memory) if max_memory else None,
        batch_size=batch_size,
        time_per_stock=time_per_stock,
    )
    with progress(sys.stderr.isatty()) as show:
        summary = Store(store, ledger).train(
            config, options, on_progress=show, say=lambda sentence: say([sentence])
        )
    if as_json:
        # Whether it was interrupted is the exit code's to say.
        click.echo(to_json(summary, leave_out=("interrupted",)))
    else:
        say(messages.trained(summary, store))
    if summary.interrupted:
        sys.exit(EXIT_INTERRUPTED)
    if summary.failed:
        sys.exit(EXIT_FAILED)


@click.command()
@click.option("--since", type=DAY, help="First date to score.")
@click.option("--until", type=DAY, help="Last date to score.")
@click.option("--tickers", metavar="A,B", help="Only these stocks.")
@click.option("--target", help="What to forecast, where the store has several targets.")
@store_option
@output_options()
def predict(
    since: datetime | None,
    until: datetime | None,
    tickers: str | None,
    target: str | None,
    store: Path,
    fmt: str,
    output: Path | None,
) -> None:
    """Forecast with the stored models: by default the latest date of each stock."""
    from bmastore.store import Store

    found = Store(store).predict(
        tickers=names(tickers), since=day(since), until=day(until), target=target
    )
    for ticker, reason in found.failures.items():
        click.echo(f"bmastore: {ticker}: {reason}", err=True)
    print_table(found.table, fmt, output)
    if found.failures:
        sys.exit(EXIT_FAILED)


@click.command()
@store_option
@ledger_option
def migrate(store: Path, ledger: str | None) -> None:
    """Bring an older store up to date, after a backup; with --ledger, the server's ledger too."""
    from bmastore.store import Store

    before, after, backup = Store(store, ledger).migrate()
    if backup is None:
        click.echo(f"{store} has schema {after} already", err=True)
    else:
        click.echo(f"{store}: schema {before} → {after}; backup in {backup}", err=True)
