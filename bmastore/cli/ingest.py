"""``bmastore ingest``."""

from pathlib import Path

import click

from bmastore.cli import messages
from bmastore.cli.options import open_store, say, store_option, writing_options


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--target", metavar="COL", help="Take a panel; this column is to be forecast.")
@click.option(
    "--horizon",
    type=click.IntRange(min=1),
    metavar="N",
    help="Trading days that the target looks ahead (prices: 5 unless said once).",
)
@click.option("--ticker-col", metavar="COL", help="Column of the ticker.")
@click.option("--date-col", metavar="COL", help="Column of the date.")
@click.option("--features", "features_file", metavar="FILE", help="SQL that computes features.")
@click.option("--dry-run", is_flag=True, help="Report, and store nothing.")
@store_option
@writing_options
def ingest(
    files: tuple[str, ...],
    target: str | None,
    horizon: int | None,
    ticker_col: str | None,
    date_col: str | None,
    features_file: str | None,
    dry_run: bool,
    store: Path,
    ledger: str | None,
    lock_timeout: float,
) -> None:
    """Take prices, or a panel of ready-made features, from Parquet or CSV FILES.

    Prices have open, high, low, close and volume; features and target are
    computed from them. A panel has any float columns and a --target. The same
    rows twice change nothing.
    """
    from bmastore.panel.ingest import read_features_sql

    taken = open_store(store, ledger, lock_timeout).ingest(
        list(files),
        target=target,
        horizon=horizon,
        ticker_col=ticker_col,
        date_col=date_col,
        features_sql=read_features_sql(features_file) if features_file else None,
        dry_run=dry_run,
    )
    say(messages.ingested(taken))
