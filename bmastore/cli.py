"""The command line: parses, calls, prints."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bmastore import __version__, messages
from bmastore.errors import BmastoreError

if TYPE_CHECKING:
    from bmastore.store import Reader
    from bmastore.tables import Table

_FORMATS = ("table", "csv", "json", "parquet")
_PRESETS = ("ultrafast", "fast", "standard", "high")
_DAY = click.DateTime(["%Y-%m-%d"])
_EXIT_FAILED, _EXIT_INTERRUPTED = 1, 130

Command = Callable[..., Any]


def main() -> None:
    """Run the command line; errors become one line and an exit code."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(_EXIT_INTERRUPTED)
    except BmastoreError as error:
        click.echo(f"bmastore: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does; nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("BMASTORE_DEBUG"):
            raise
        click.echo(
            f"bmastore: unexpected {type(error).__name__}: {error}\n"
            f"This is a fault of bmastore; with BMASTORE_DEBUG=1 it shows where.",
            err=True,
        )
        sys.exit(2)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="bmastore")
def cli() -> None:
    """One Bayesian-model-averaged ensemble per stock, from a SQL store.

    \b
    Start:   bmastore demo
    Daily:   bmastore ingest prices.parquet && bmastore train && bmastore status
    """


def store_option(command: Command) -> Command:
    """The option that every command takes."""
    return click.option(
        "--store",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="BMASTORE_STORE",
        default="bma.duckdb",
        show_default=True,
        show_envvar=True,
        help="The store.",
    )(command)


def ledger_option(command: Command) -> Command:
    """The option of every command that writes the ledger, or makes a store."""
    return click.option(
        "--ledger",
        metavar="URL",
        envvar="BMASTORE_LEDGER",
        help="PostgreSQL database of the ledger  [env var: BMASTORE_LEDGER; default: the store]",
    )(command)


def output_options(default: str = "table") -> Callable[[Command], Command]:
    """The options of every command that prints a table."""

    def decorate(command: Command) -> Command:
        command = click.option(
            "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file."
        )(command)
        return click.option(
            "--format",
            "fmt",
            type=click.Choice(_FORMATS),
            default=default,
            show_default=True,
            help="How to print; parquet needs --output.",
        )(command)

    return decorate


@cli.command()
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
@ledger_option
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
) -> None:
    """Take prices, or a panel of ready-made features, from Parquet or CSV FILES.

    Prices have open, high, low, close and volume; features and target are
    computed from them. A panel has any float columns and a --target. The same
    rows twice change nothing.
    """
    from bmastore.api import Store
    from bmastore.ingest import read_features_sql

    taken = Store(store, ledger).ingest(
        list(files),
        target=target,
        horizon=horizon,
        ticker_col=ticker_col,
        date_col=date_col,
        features_sql=read_features_sql(features_file) if features_file else None,
        dry_run=dry_run,
    )
    _say(messages.ingested(taken))


@cli.command()
@click.option("--only-pending/--all", default=True, help="New and stale stocks (default), or all.")
@click.option("--preset", type=click.Choice(_PRESETS), help="Sizes  [default: standard]")
@click.option(
    "--time-per-stock",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Take the richest preset that costs no more core-seconds a stock.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes  [default: one a core]")
@click.option("--max-memory", metavar="8GB", help="What all processes together may hold.")
@click.option("--batch-size", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--tickers", metavar="A,B", help="Only these stocks.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many stocks.")
@click.option("--as-of", type=_DAY, help="Use only what was known on this date.")
@click.option("--retry-failed", is_flag=True, help="Try failed stocks again.")
@click.option("--target", help="What to forecast, where the store has several targets.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@store_option
@ledger_option
def train(
    only_pending: bool,
    preset: str | None,
    time_per_stock: float | None,
    workers: int | None,
    max_memory: str | None,
    batch_size: int,
    tickers: str | None,
    limit: int | None,
    as_of: datetime | None,
    retry_failed: bool,
    target: str | None,
    as_json: bool,
    store: Path,
    ledger: str | None,
) -> None:
    """Train what is new or stale; stop it at any time, it goes on where it was."""
    from bmastore.api import Store
    from bmastore.config import TrainConfig, parse_bytes
    from bmastore.output import to_json
    from bmastore.plan import PassOptions
    from bmastore.progress import progress

    if preset and time_per_stock:
        raise click.UsageError("give either --preset or --time-per-stock")
    config = TrainConfig(preset=preset or "standard", target=target)
    options = PassOptions(
        force=not only_pending,
        retry_failed=retry_failed,
        tickers=_names(tickers),
        limit=limit,
        as_of=_date(as_of),
        workers=workers,
        max_memory=parse_bytes(max_memory) if max_memory else None,
        batch_size=batch_size,
        time_per_stock=time_per_stock,
    )
    with progress(sys.stderr.isatty()) as show:
        summary = Store(store, ledger).train(
            config, options, on_progress=show, say=lambda sentence: _say([sentence])
        )
    if as_json:
        # Whether it was interrupted is the exit code's to say.
        click.echo(to_json(summary, leave_out=("interrupted",)))
    else:
        _say(messages.trained(summary, store))
    if summary.interrupted:
        sys.exit(_EXIT_INTERRUPTED)
    if summary.failed:
        sys.exit(_EXIT_FAILED)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@store_option
@output_options()
def status(as_json: bool, store: Path, fmt: str, output: Path | None) -> None:
    """Count stocks by status, and show the last run."""
    from bmastore import report
    from bmastore.output import to_json

    with _reading(store) as reader:
        found = report.status(reader)
    if as_json:
        click.echo(to_json(found))
        return
    _print_table(report.status_table(found), fmt, output)
    if found.last_run and fmt == "table":
        _say([messages.last_run(found.last_run)])


@cli.command()
@click.argument("ticker")
@store_option
@output_options()
def explain(ticker: str, store: Path, fmt: str, output: Path | None) -> None:
    """Say why TICKER is pending, or what its last entry says."""
    from bmastore import report

    with _reading(store) as reader:
        found = report.explain(reader, ticker)
    if fmt == "table" and output is None:
        click.echo("\n".join(messages.explanation(found)))
    else:
        _print_table(found.facts, fmt, output)


@cli.command()
@click.option("--since", type=_DAY, help="First date to score.")
@click.option("--until", type=_DAY, help="Last date to score.")
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
    from bmastore.api import Store

    found = Store(store).predict(
        tickers=_names(tickers), since=_date(since), until=_date(until), target=target
    )
    for ticker, reason in found.failures.items():
        click.echo(f"bmastore: {ticker}: {reason}", err=True)
    _print_table(found.table, fmt, output)
    if found.failures:
        sys.exit(_EXIT_FAILED)


@cli.command()
@click.argument("query", required=False)
@click.option("--named", metavar="NAME", help="Run a query that comes with bmastore.")
@store_option
@output_options()
def sql(query: str | None, named: str | None, store: Path, fmt: str, output: Path | None) -> None:
    """Run a read-only QUERY over the store's tables and views."""
    from bmastore import report

    if (query is None) == (named is None):
        raise click.UsageError("give either a QUERY or --named NAME")
    text = report.named_query(named) if named else str(query)
    with _reading(store) as reader:
        found = report.query(reader, text)
    _print_table(found, fmt, output)


@cli.command()
@store_option
@output_options("json")
def export(store: Path, fmt: str, output: Path | None) -> None:
    """Export one row a stock: status, weights, metrics, newest forecast."""
    from bmastore import report

    with _reading(store) as reader:
        found = report.results(reader)
    _print_table(found, fmt, output)


@cli.command()
@store_option
def migrate(store: Path) -> None:
    """Bring an older store up to date, after a backup."""
    from bmastore.api import Store

    before, after, backup = Store(store).migrate()
    if backup is None:
        click.echo(f"{store} has schema {after} already", err=True)
    else:
        click.echo(f"{store}: schema {before} → {after}; backup in {backup}", err=True)


@cli.group()
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

    _print_table(bench_presets(store, stocks, target), fmt, output)


@cli.command()
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
        weights = play(store, lambda line: _say([line]), show)
    _print_table(weights, "table", None)
    _say([f"Look around: bmastore sql 'from v_predictions' --store {store}"])


@contextmanager
def _reading(store: Path) -> Iterator["Reader"]:
    """Open a store for reading, and say so when it is the published copy that answers."""
    from bmastore.store import open_reader, results_path

    with open_reader(store) as reader:
        if reader.note:
            published = results_path(store)
            at = datetime.fromtimestamp(published.stat().st_mtime)
            click.echo(f"{reader.note}; this is {published} of {at:%H:%M:%S}", err=True)
        yield reader


def _print_table(table: "Table", fmt: str, output: Path | None) -> None:
    from bmastore.output import write

    text = write(table, fmt, output)
    if text is not None:
        click.echo(text, nl=False)


def _say(lines: list[str]) -> None:
    for line in lines:
        click.echo(line, err=True)


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(n.strip() for n in text.split(",") if n.strip())


def _date(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
