"""What commands have in common: options, and how they print."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bmastore.cli.kinds import BYTES, FILE, NAMES
from bmastore.errors import ConfigError
from bmastore.models.config import WEIGHTINGS, Splits, TrainConfig
from bmastore.models.presets import PRESETS, Params
from bmastore.reports.render import FORMATS, visible

if TYPE_CHECKING:
    from bmastore.models.members.estimators import Estimator
    from bmastore.store import Store
    from bmastore.table import Table

EXIT_FAILED, EXIT_INTERRUPTED = 1, 130

Command = Callable[..., Any]
# A member of one's own: where it is imported from, and what else is asked of it.
Own = tuple[str, dict[str, bool]]


class Setting(click.Option):
    """An option that a config file may set as well."""

    def read(self, key: str, value: Any) -> Any:
        """The value that stands at a key of the file, as the command line would give it.

        Raises
        ------
        ConfigError
            If it is of another type, or out of range.
        """
        wanted, is_right = self._wanted()
        if not is_right(value):
            raise ConfigError(f"{key} must be {wanted}, not {_kind(value)}")
        if isinstance(value, list):
            return tuple(value)
        try:
            return self.type.convert(value, self, None)
        except (click.BadParameter, ConfigError) as error:
            what = error.message if isinstance(error, click.BadParameter) else error
            raise ConfigError(f"{key}: {what}") from None

    def _wanted(self) -> tuple[str, Callable[[Any], bool]]:
        """What it must be in the file: in words, and as a test."""
        if self.multiple or self.type is NAMES:
            return 'a list of names, as ["one", "other"]', _is_names
        if isinstance(self.type, click.types.IntParamType):
            return "a whole number", lambda value: type(value) is int
        if isinstance(self.type, click.types.FloatParamType):
            return "a number", lambda value: type(value) in (int, float) and isfinite(value)
        example = f', as "{BYTES.name}"' if self.type is BYTES else ""
        return f"text{example}", lambda value: isinstance(value, str)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _kind(value: Any) -> str:
    """The type of a value in TOML; the value itself may hold a secret."""
    if value == []:
        return "an empty one"
    kinds = {bool: "true or false", str: "text", list: "a list like this", dict: "a table"}
    return kinds.get(type(value), str(value))


def setting(*names: str, **attributes: Any) -> Callable[[Command], Command]:
    """An option that a config file may set as well; ``bmastore config`` shows it."""
    return click.option(*names, cls=Setting, **attributes)


def config_options(command: Command) -> Command:
    """The options of what changes a result."""
    for option in (
        setting(
            "--n-folds",
            type=click.IntRange(min=1),
            default=Splits.n_folds,
            show_default=True,
            help="Newest cells of the calendar that are forecast out of fold.",
        ),
        setting(
            "--fold-days",
            type=click.IntRange(min=1),
            default=Splits.fold_days,
            show_default=True,
            help="Calendar days of a cell; 5 times as many for weekly rows, 21 times for monthly.",
        ),
        setting(
            "--seed",
            type=click.IntRange(min=0, max=2**31 - 1),
            default=TrainConfig.seed,
            help="Seed of the members.",
        ),
        setting("--features", type=NAMES, help="Feature columns to use  [default: all]"),
        setting(
            "--members", type=NAMES, help="Members to average  [default: all that come with it]"
        ),
        target_option,
        setting(
            "--weighting",
            type=click.Choice(WEIGHTINGS),
            default=TrainConfig.weighting,
            show_default=True,
            help="Formula of the members' weights.",
        ),
        setting("--preset", type=click.Choice(PRESETS), help="Sizes  [default: standard]"),
    ):
        command = option(command)
    return command


def target_option(command: Command) -> Command:
    """The option of the targets that a command is about."""
    return setting(
        "--target",
        "targets",
        multiple=True,
        help="What is forecast; may be given several times  [default: all targets]",
    )(command)


def config_of(
    params: Mapping[str, Params],
    own: Mapping[str, Own],
    *,
    preset: str | None = None,
    weighting: str = TrainConfig.weighting,
    targets: tuple[str, ...] = (),
    members: tuple[str, ...] | None = None,
    features: tuple[str, ...] | None = None,
    seed: int = TrainConfig.seed,
    n_folds: int = Splits.n_folds,
    fold_days: int = Splits.fold_days,
) -> TrainConfig:
    """The config that the options of :func:`config_options` name.

    Parameters
    ----------
    params:
        Parameters of members.
    own:
        Members of one's own by name, which are used where no members are named, or they are.
    """
    plain = TrainConfig()
    named = members or (*plain.names, *own)
    return TrainConfig(
        preset=preset or plain.preset,
        members=tuple(_imported(name, *own[name]) if name in own else name for name in named),
        weighting=weighting,
        target=targets if len(targets) > 1 else next(iter(targets), None),
        features=features,
        seed=seed,
        splits=Splits(n_folds=n_folds, fold_days=fold_days),
        params=params,
    )


def _imported(name: str, path: str, asked: dict[str, bool]) -> "Estimator":
    from bmastore.models.members.estimators import Estimator

    return Estimator.imported(name, path, **asked)


def pass_options(command: Command) -> Command:
    """The options of a pass that hold for every night."""
    for option in (
        setting(
            "--batch-size",
            type=click.IntRange(min=1),
            default=400,
            show_default=True,
            help="Commit after so many stocks, or ten seconds.",
        ),
        setting(
            "--max-age",
            type=click.FloatRange(min=0, min_open=True),
            metavar="DAYS",
            help="Train also what was last trained more than so many days ago.",
        ),
        setting(
            "--stale-after",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            metavar="LABELS",
            help="Train a stock again after so many new labels; only forecast it till then.",
        ),
    ):
        command = option(command)
    return command


def worker_options(command: Command) -> Command:
    """The options of how much of the machine to use."""
    for option in (
        setting(
            "--cluster",
            envvar="BMASTORE_CLUSTER",
            show_envvar=True,
            metavar="ADDRESS",
            help="Fit on a Dask cluster: its scheduler's address or file, or local:N for a try.",
        ),
        setting("--max-memory", type=BYTES, help="What all processes together may hold."),
        setting("--workers", type=click.IntRange(min=1), help="Processes  [default: one per core]"),
    ):
        command = option(command)
    return command


@contextmanager
def hired(cluster: str | None, workers: int | None) -> Iterator[dict[str, Any]]:
    """Where fits run, as arguments of ``train`` and ``backtest``, and for how many at once."""
    if cluster is None:
        yield {"make_executor": None, "workers": workers}
        return
    from bmastore.workers.dask import connected

    with connected(cluster, workers) as found:
        yield {"make_executor": found.make_executor, "workers": found.workers}


def trusted_option(command: Command) -> Command:
    """The option of what reads members of somebody's own."""
    return click.option(
        "--trusted",
        type=NAMES,
        default=(),
        envvar="BMASTORE_TRUST",
        show_envvar=True,
        metavar="TYPES",
        help="Types that members of your own may be of; `explain --trust` lists them.",
    )(command)


def store_option(command: Command) -> Command:
    """The option that every command takes."""
    return click.option(
        "--store",
        type=FILE,
        envvar="BMASTORE_STORE",
        default="bma.duckdb",
        show_default=True,
        show_envvar=True,
        # Read before what lies beside it.
        is_eager=True,
        help="The store.",
    )(command)


def writing_options(command: Command) -> Command:
    """The options of every command that writes a store."""
    command = click.option(
        "--lock-timeout",
        type=click.FloatRange(min=0),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="Wait so long while other processes have the store open.",
    )(command)
    return ledger_option(command)


def ledger_option(command: Command) -> Command:
    """The option of what looks for a ledger on a server."""
    return click.option(
        "--ledger",
        metavar="URL",
        envvar="BMASTORE_LEDGER",
        help="PostgreSQL database of the ledger  [env var: BMASTORE_LEDGER; default: the store]",
    )(command)


# What the name of a file says of its format.
_ENDINGS = {".csv": "csv", ".json": "json", ".parquet": "parquet", ".txt": "table"}


@dataclass(frozen=True)
class Output:
    """How a table is printed, and to which file."""

    fmt: str = "table"
    path: Path | None = None
    is_raw: bool = False

    def check(self) -> None:
        """See that it can be written, before the work is done that is to end in it."""
        from bmastore.storage.outputs import check_output

        if self.path is not None:
            check_output(self.path, "parquet" if self.fmt == "parquet" else "text")


def output_options(default: str = "table") -> Callable[[Command], Command]:
    """The options of every command that prints a table; it takes them as ``output``."""

    def decorate(command: Command) -> Command:
        command = _with_output(command, default)
        command = click.option("--output", type=FILE, help="Write to this file.")(command)
        command = click.option(
            "--raw",
            "is_raw",
            is_flag=True,
            help="CSV: keep text that a spreadsheet runs as a formula.",
        )(command)
        return click.option(
            "--format",
            "fmt",
            type=click.Choice(FORMATS),
            help=f"How to print; parquet needs --output.  "
            f"[default: as its name ends, else {default}]",
        )(command)

    return decorate


def _with_output(command: Command, default: str) -> Command:
    @wraps(command)
    def with_output(
        *args: Any, fmt: str | None, output: Path | None, is_raw: bool, **options: Any
    ) -> Any:
        named = None if output is None else _ENDINGS.get(output.suffix.lower())
        if fmt and named and fmt != named:
            raise click.UsageError(
                f"{output} would hold {fmt}, and its name says {named}: give it another name, or "
                f"say --format {named}"
            )
        return command(*args, output=Output(fmt or named or default, output, is_raw), **options)

    return with_output


def open_store(path: Path, ledger: str | None = None, lock_timeout: float = 30.0) -> "Store":
    """The store; what there is to know about it is said on standard error."""
    from bmastore.store import Store

    return Store(path, ledger, lock_timeout=lock_timeout, say=lambda sentence: say([sentence]))


def print_table(table: "Table", output: Output) -> None:
    """Print a table, or write it to a file."""
    from bmastore.reports.render import write

    text = write(table, output.fmt, output.path, is_raw=output.is_raw)
    if text is not None:
        click.echo(text, nl=False)


def say(lines: list[str]) -> None:
    """Tell people something, on standard error."""
    for line in lines:
        click.echo(visible(line), err=True)


def day(moment: datetime | None) -> date | None:
    """The date of what ``DAY`` parsed."""
    return None if moment is None else moment.date()
