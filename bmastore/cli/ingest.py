"""``bmastore ingest``."""

from pathlib import Path

import click

from bmastore.cli import messages
from bmastore.cli.kinds import NAMES
from bmastore.cli.options import open_store, say, store_option, writing_options


@click.command()
@click.argument("files", nargs=-1)
@click.option(
    "--target",
    "targets",
    metavar="COL[:N]",
    multiple=True,
    help="Take a panel; this column is to be forecast, N days ahead. May be given several times.",
)
@click.option(
    "--horizon",
    metavar="N[,N…]",
    help="Trading days that the target looks ahead (prices: several make several targets; "
    "5 unless said once).",
)
@click.option("--ticker-col", metavar="COL", help="Column of the ticker.")
@click.option("--date-col", metavar="COL", help="Column of the date.")
@click.option("--features", "features_file", metavar="FILE", help="SQL that computes features.")
@click.option(
    "--exclude", type=NAMES, multiple=True, help="Columns of a panel to leave out, from now on."
)
@click.option(
    "--keep-suspicious", is_flag=True, help="Take features that look as if they knew the future."
)
@click.option(
    "--vendor", metavar="NAME", help="Whose layout it is (bmastore docs data lists them)."
)
@click.option("--date-format", metavar="FORMAT", help="Such as %d/%m/%Y; excel: serial numbers.")
@click.option("--time-zone", metavar="ZONE", help="The market's, where dates are instants of UTC.")
@click.option("--aggregate", metavar="daily", help="Make one bar per day out of several.")
@click.option("--encoding", metavar="NAME", help="Of text files  [default: found out]")
@click.option("--decimal", metavar="SIGN", help="Of numbers in text: . or ,  [default: found out]")
@click.option("--from", "from_url", metavar="URL", help="Take the rows of a database instead.")
@click.option("--query", metavar="SQL", help="The SELECT of --from.")
@click.option(
    "--stocks",
    "of_stocks",
    is_flag=True,
    help="Take what is known of stocks: a file of ticker, name, sector, industry, country.",
)
@click.option("--dry-run", is_flag=True, help="Report, and store nothing.")
@store_option
@writing_options
def ingest(
    files: tuple[str, ...],
    targets: tuple[str, ...],
    horizon: str | None,
    ticker_col: str | None,
    date_col: str | None,
    features_file: str | None,
    exclude: tuple[tuple[str, ...], ...],
    keep_suspicious: bool,
    vendor: str | None,
    date_format: str | None,
    time_zone: str | None,
    aggregate: str | None,
    encoding: str | None,
    decimal: str | None,
    from_url: str | None,
    query: str | None,
    of_stocks: bool,
    dry_run: bool,
    store: Path,
    ledger: str | None,
    lock_timeout: float,
) -> None:
    """Take prices, or a panel of ready-made features, from FILES, folders or a database.

    Prices have a close and, better, open, high, low and volume; features and
    target are computed from them. A panel has any float columns and a
    --target. The same rows twice change nothing. With --stocks, files say what
    is known of stocks, such as their sector, by which views group scores.
    """
    from bmastore.panel.ingest.recipes import read_features_sql

    if not files and from_url is None:
        raise click.UsageError("Missing argument 'FILES...': name files, or --from URL --query SQL")
    opened = open_store(store, ledger, lock_timeout)
    if of_stocks:
        for file in files:
            say(messages.ingested(opened.ingest_stocks(file, dry_run=dry_run)))
        return
    left_out = [name for names in exclude for name in names]
    taken = opened.ingest(
        list(files) or None,
        target=list(targets) or None,
        horizon=horizon,
        ticker_col=ticker_col,
        date_col=date_col,
        features_sql=read_features_sql(features_file) if features_file else None,
        exclude=left_out,
        keep_suspicious=keep_suspicious,
        vendor=vendor,
        date_format=date_format,
        time_zone=time_zone,
        aggregate=aggregate,
        encoding=encoding,
        decimal=decimal,
        from_url=from_url,
        query=query,
        dry_run=dry_run,
    )
    say(messages.ingested(taken))
