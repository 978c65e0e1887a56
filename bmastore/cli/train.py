"""``bmastore train``."""

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from bmastore.cli import messages
from bmastore.cli.kinds import DAY, NAMES
from bmastore.cli.options import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    config_options,
    day,
    hired,
    open_store,
    pass_options,
    say,
    store_option,
    trusted_option,
    worker_options,
    writing_options,
)
from bmastore.cli.settings import file_option

if TYPE_CHECKING:
    from bmastore.training.options import PassOptions
    from bmastore.training.run import RunSummary


@click.command()
@click.option("--only-pending/--all", default=True, help="New and stale stocks (default), or all.")
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@config_options
@click.option(
    "--time-per-stock",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Take the richest preset that costs no more core-seconds per stock.",
)
@worker_options
@pass_options
@click.option("--tickers", type=NAMES, help="Only these stocks.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many stocks.")
@click.option("--as-of", type=DAY, help="Use only what was known on this date.")
@click.option("--retry-failed", is_flag=True, help="Try failed stocks again.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@trusted_option
@store_option
@file_option
@writing_options
@click.pass_context
def train(
    context: click.Context,
    /,
    only_pending: bool,
    dry_run: bool,
    time_per_stock: float | None,
    workers: int | None,
    cluster: str | None,
    max_memory: int | None,
    batch_size: int,
    tickers: tuple[str, ...] | None,
    limit: int | None,
    as_of: datetime | None,
    max_age: float | None,
    stale_after: int,
    retry_failed: bool,
    as_json: bool,
    trusted: tuple[str, ...],
    store: Path,
    ledger: str | None,
    lock_timeout: float,
    **config: Any,
) -> None:
    """Train what is new or stale; stop it at any time, it goes on where it was."""
    from bmastore.progress import progress
    from bmastore.reports.render import to_json
    from bmastore.training.options import PassOptions

    if config["preset"] and time_per_stock:
        if context.get_parameter_source("preset") is not ParameterSource.DEFAULT_MAP:
            raise click.UsageError("give either --preset or --time-per-stock")
        config["preset"] = None
    options = PassOptions(
        force=not only_pending,
        retry_failed=retry_failed,
        tickers=tickers,
        limit=limit,
        as_of=day(as_of),
        max_age=max_age,
        stale_after=stale_after,
        trusted=trusted,
        workers=workers,
        max_memory=max_memory,
        batch_size=batch_size,
        time_per_stock=time_per_stock,
    )
    fits = context.obj.config(**config)
    opened = open_store(store, ledger, lock_timeout)
    if dry_run:
        for plan in opened.plan(fits, options):
            click.echo(to_json(plan.outline()) if as_json else "\n".join(messages.planned(plan)))
        return
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    with hired(cluster, workers) as crew, progress(is_terminal) as show:
        summary = opened.train(
            fits,
            replace(options, workers=crew["workers"]),
            on_progress=show,
            make_executor=crew["make_executor"],
        )
    _tell(summary, options, store, as_json=as_json)


def _tell(summary: "RunSummary", options: "PassOptions", store: Path, *, as_json: bool) -> None:
    """Say what a pass did, and end the process where that is not all well."""
    from bmastore.reports.render import to_json

    if as_json:
        # Whether it was interrupted is the exit code's to say.
        several = () if summary.runs else ("runs",)
        click.echo(to_json(summary, leave_out=("interrupted", *several)))
    else:
        looks_back = options.as_of is not None
        say(messages.trained(summary, store, is_of_all=options.force, looks_back=looks_back))
    if summary.interrupted:
        sys.exit(EXIT_INTERRUPTED)
    if summary.failed or summary.not_forecast:
        sys.exit(EXIT_FAILED)
