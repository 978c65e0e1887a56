"""The command line: parses, calls, prints."""

import gc
import io
import os
import sys
from contextlib import suppress

import click

from bmastore import __version__
from bmastore.cli.backtest import backtest
from bmastore.cli.bench import bench
from bmastore.cli.compact import compact
from bmastore.cli.config import config
from bmastore.cli.dashboard import dashboard
from bmastore.cli.demo import demo
from bmastore.cli.docs import docs
from bmastore.cli.explain import explain
from bmastore.cli.export import export
from bmastore.cli.forget import forget
from bmastore.cli.grant import grant
from bmastore.cli.ingest import ingest
from bmastore.cli.migrate import migrate
from bmastore.cli.monitor import monitor
from bmastore.cli.options import EXIT_INTERRUPTED
from bmastore.cli.predict import predict
from bmastore.cli.publish import publish
from bmastore.cli.recover import recover
from bmastore.cli.sql import sql
from bmastore.cli.status import status
from bmastore.cli.superset import superset
from bmastore.cli.train import train
from bmastore.cli.verify import verify
from bmastore.errors import BmastoreError, ConfigError
from bmastore.reports.render import visible


def main() -> None:
    """Run the command line; errors become one line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a letter shows its number.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    output = sys.stdout
    try:
        _check_letters(sys.argv[1:])
        cli(standalone_mode=False)
    except SystemExit as error:
        # Where the reader of our output has gone, as `head` does, click puts another stream in its
        # place and ends with 1; that is no fault of the command.
        sys.exit(error.code if sys.stdout is output else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EXIT_INTERRUPTED)
    except BmastoreError as error:
        _complain(f"bmastore: {error}")
        sys.exit(error.exit_code)
    except OSError as error:
        if os.environ.get("BMASTORE_DEBUG"):
            raise
        where = f" {error.filename}" if error.filename else " the output"
        _complain(f"bmastore: cannot use{where}: {error.strerror or error}")
        # What is left to be written would fail again as the process ends.
        if error.filename is None and sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(2)
    except Exception as error:
        if isinstance(error, RuntimeError) and str(error) == "Query interrupted":
            sys.exit(EXIT_INTERRUPTED)  # Ctrl-C, as DuckDB tells it when it was at work
        if os.environ.get("BMASTORE_DEBUG"):
            raise
        _complain(
            f"bmastore: unexpected {type(error).__name__}: {error}\n"
            f"This is a fault of bmastore; with BMASTORE_DEBUG=1 it shows where."
        )
        sys.exit(2)
    finally:
        # As it ends, Python would go through all that the libraries hold once more.
        gc.freeze()


def _complain(text: str) -> None:
    with suppress(OSError):  # whoever would read it has gone: the exit code says it
        click.echo(visible(text), err=True)


def _check_letters(arguments: list[str]) -> None:
    """Refuse what is not text in the terminal's encoding: no file or stock can be named so."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise ConfigError(
                f"{argument!r} is not valid text in this terminal's encoding; try again with "
                f"PYTHONUTF8=1 in the environment"
            ) from None


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="bmastore")
def cli() -> None:
    """One Bayesian-model-averaged ensemble per stock, from a SQL store.

    \b
    Start:   bmastore demo
    Daily:   bmastore ingest prices.parquet && bmastore train && bmastore status
    """


for command in (
    ingest,
    train,
    status,
    explain,
    predict,
    backtest,
    monitor,
    sql,
    export,
    forget,
    migrate,
    compact,
    publish,
    superset,
    grant,
    verify,
    recover,
    dashboard,
    config,
    bench,
    demo,
    docs,
):
    cli.add_command(command)
