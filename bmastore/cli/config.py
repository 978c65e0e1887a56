"""``bmastore config``."""

from pathlib import Path
from typing import Any

import click

from bmastore.cli.options import (
    Output,
    Setting,
    config_options,
    ledger_option,
    output_options,
    pass_options,
    print_table,
    say,
    store_option,
    worker_options,
)
from bmastore.cli.settings import CONFIG_FILE, OF_FIT, ConfigFile, file_option, key_of
from bmastore.table import Table

_SOURCES = {
    click.core.ParameterSource.COMMANDLINE: "command line",
    click.core.ParameterSource.ENVIRONMENT: "environment",
    click.core.ParameterSource.DEFAULT_MAP: "file",
    click.core.ParameterSource.DEFAULT: "default",
}


@click.command()
@config_options
@pass_options
@worker_options
@store_option
@file_option
@ledger_option
@output_options()
@click.pass_context
def config(
    context: click.Context, /, store: Path, ledger: str | None, output: Output, **settings: Any
) -> None:
    """Print the settings in force, and where each comes from.

    It takes the options of train and backtest. A value that is empty is not set.
    """
    from bmastore.models.members.registry import REGISTRY

    output.check()
    file: ConfigFile = context.obj
    if file.path is None:
        say([f"there is no {CONFIG_FILE} beside {store}"])
    resolved = file.config(**{name: settings[name] for name in OF_FIT})
    values = {**settings, "preset": resolved.preset, "members": resolved.names}
    rows = [
        ("store", str(store), _source(context, "store")),
        ("ledger", _text(ledger), _source(context, "ledger")),
    ]
    rows += [
        (key_of(one), _text(values[str(one.name)]), _source(context, str(one.name)))
        for one in context.command.params
        if isinstance(one, Setting)
    ]
    rows += [
        (f"members.{one.name}.estimator", repr(one.estimator), _of_own(file, one.name))
        for one in resolved.members
        if not isinstance(one, str)
    ]
    for member in filter(REGISTRY.__contains__, resolved.names):
        own, known = file.params.get(member, {}), REGISTRY[member].parameters
        for name, value in resolved.params_of(member).items():
            source = "default" if known[name].size is None else "preset"
            key = f"members.{member}.{name}"
            rows.append((key, str(value), "file" if name in own else source))
    print_table(Table(("setting", "value", "source"), ("VARCHAR",) * 3, [*rows]), output)


def _of_own(file: ConfigFile, name: str) -> str:
    return "file" if name in file.own else "import"


def _source(context: click.Context, name: str) -> str:
    source = context.get_parameter_source(name)
    assert source is not None
    return _SOURCES[source]


def _text(value: Any) -> str | None:
    """A value as the command line takes it, without secrets; ``None`` for what is not set."""
    from bmastore.storage.urls import shown

    if value is None or value == ():
        return None
    return ",".join(value) if isinstance(value, tuple) else shown(str(value))
