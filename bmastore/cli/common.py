"""What commands have in common: options, and how they print."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bmastore.config import PRESETS, WEIGHTINGS

if TYPE_CHECKING:
    from bmastore.storage.session import Reader
    from bmastore.table import Table

FORMATS = ("table", "csv", "json", "parquet")
DAY = click.DateTime(["%Y-%m-%d"])
EXIT_FAILED, EXIT_INTERRUPTED = 1, 130

Command = Callable[..., Any]


def config_options(command: Command) -> Command:
    """The options of what changes a result."""
    for option in (
        click.option("--target", help="What to forecast, where the store has several targets."),
        click.option(
            "--weighting",
            type=click.Choice(WEIGHTINGS),
            default=WEIGHTINGS[0],
            show_default=True,
            help="Formula of the members' weights.",
        ),
        click.option(
            "--preset", type=click.Choice(tuple(PRESETS)), help="Sizes  [default: standard]"
        ),
    ):
        command = option(command)
    return command


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
            type=click.Choice(FORMATS),
            default=default,
            show_default=True,
            help="How to print; parquet needs --output.",
        )(command)

    return decorate


@contextmanager
def reading(store: Path) -> Iterator["Reader"]:
    """Open a store for reading, and say so when it is the published copy that answers."""
    from bmastore.storage.session import open_reader, results_path

    with open_reader(store) as reader:
        if reader.note:
            published = results_path(store)
            at = datetime.fromtimestamp(published.stat().st_mtime)
            click.echo(f"{reader.note}; this is {published} of {at:%H:%M:%S}", err=True)
        yield reader


def print_table(table: "Table", fmt: str, output: Path | None) -> None:
    """Print a table, or write it to a file."""
    from bmastore.output import write

    text = write(table, fmt, output)
    if text is not None:
        click.echo(text, nl=False)


def say(lines: list[str]) -> None:
    """Tell people something, on standard error."""
    for line in lines:
        click.echo(line, err=True)


def names(text: str | None) -> tuple[str, ...] | None:
    """The names in a list with commas."""
    return None if text is None else tuple(n.strip() for n in text.split(",") if n.strip())


def day(moment: datetime | None) -> date | None:
    """The date of what ``DAY`` parsed."""
    return None if moment is None else moment.date()
