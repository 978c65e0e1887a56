"""``bmastore monitor``."""

import sys
from pathlib import Path

import click

from bmastore.cli import messages
from bmastore.cli.options import (
    EXIT_FAILED,
    Output,
    open_store,
    output_options,
    print_table,
    say,
    store_option,
    target_option,
    writing_options,
)
from bmastore.cli.settings import file_option


@click.command()
@target_option
@click.option("--json", "as_json", is_flag=True, help="Print the reports as one JSON list.")
@store_option
@file_option
@writing_options
@output_options()
def monitor(
    targets: tuple[str, ...],
    as_json: bool,
    store: Path,
    ledger: str | None,
    lock_timeout: float,
    output: Output,
) -> None:
    """Settle forecasts, and say how they do live beside the newest backtest.

    Exit code 1 says that something is alarming: skill or coverage lower than
    chance explains, features that have drifted, or intervals of many stocks
    that no longer hold. Such stocks become stale (bmastore docs monitoring).
    """
    from bmastore.reports.render import to_json

    output.check()
    reports = open_store(store, ledger, lock_timeout).monitor(targets or None)
    for report in reports:
        if not as_json:
            say(messages.monitored_before(report))
        say(messages.monitored_after(report))
    if as_json:
        click.echo("[" + ",\n".join(to_json(one).strip() for one in reports) + "]")
    else:
        print_table(messages.live_skill(reports, is_rounded=output.fmt == "table"), output)
    if any(report.alarms for report in reports):
        sys.exit(EXIT_FAILED)
