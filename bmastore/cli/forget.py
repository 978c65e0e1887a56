"""``bmastore forget``."""

from datetime import datetime
from pathlib import Path

import click

from bmastore.cli.kinds import DAY
from bmastore.cli.options import day, open_store, say, store_option, writing_options


@click.command()
@click.argument("tickers", nargs=-1)
@click.option("--target", metavar="NAME", help="Only this target: its labels, not the features.")
@click.option("--before", type=DAY, help="Only rows before this date.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@store_option
@writing_options
def forget(
    tickers: tuple[str, ...],
    target: str | None,
    before: datetime | None,
    yes: bool,
    store: Path,
    ledger: str | None,
    lock_timeout: float,
) -> None:
    """Remove stocks (TICKERS), a target or old rows from the panel; the ledger keeps its history.

    It first says what it would do.
    """
    opened = open_store(store, ledger, lock_timeout)
    asked = {"target": target, "before": day(before)}
    found = opened.forget(tickers, **asked, dry_run=True)  # type: ignore[arg-type]
    say([found.sentence("would forget")])
    if not yes:
        try:
            agreed = click.confirm("Do it?", err=True)
        except click.Abort:
            raise click.UsageError("nobody answered; add --yes to do it without asking") from None
        if not agreed:
            say(["nothing was forgotten"])
            return
    done = opened.forget(tickers, **asked)  # type: ignore[arg-type]
    say([done.sentence("forgot")])
