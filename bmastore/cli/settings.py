"""The config file: settings that commands take as options, and parameters of members, in TOML."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from bmastore.cli.kinds import FILE
from bmastore.cli.options import Command, Own, Setting, config_of, say
from bmastore.errors import ConfigError, unknown
from bmastore.models.config import TrainConfig
from bmastore.models.presets import Params
from bmastore.storage.paths import real_path

CONFIG_FILE = "bmastore.toml"
# Where the names of members to average stand, beside the tables of their parameters.
_MEMBERS, _USE = "members", "use"
# What the table of a member of one's own says.
_ESTIMATOR, _SWITCHES = "estimator", ("weighted", "permuted")
_STAND_IN = "zero"
# Settings of a fit; the others say how commands go about it.
OF_FIT = ("preset", "weighting", "targets", "members", "features", "seed", "n_folds", "fold_days")


@dataclass(frozen=True)
class ConfigFile:
    """What a config file says.

    Attributes
    ----------
    path:
        Where it lies; ``None`` where there is none.
    settings:
        Values of options, by the name of their parameter.
    params:
        Parameters of members; see :class:`bmastore.TrainConfig`.
    own:
        Members of one's own by name: where the regressor is, and what else is asked of it.
    """

    path: Path | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Params] = field(default_factory=dict)
    own: dict[str, Own] = field(default_factory=dict)

    def config(self, **given: Any) -> TrainConfig:
        """The config that it says, but for what is given."""
        own = {name: self.settings[name] for name in OF_FIT if name in self.settings}
        return config_of(self.params, self.own, **(own | given))


def key_of(setting: Setting) -> str:
    """The key of a setting in the file."""
    return f"{_MEMBERS}.{_USE}" if setting.name == _MEMBERS else str(setting.name)


def file_option(command: Command) -> Command:
    """The option of what reads a config file; it stands below the one of the store.

    The file says what options are unless the command line or the environment does, and is itself
    the command's object.
    """
    return click.option(
        "--config",
        type=FILE,
        envvar="BMASTORE_CONFIG",
        show_envvar=True,
        is_eager=True,
        expose_value=False,
        callback=_take,
        help=f"Read settings from this file  [default: {CONFIG_FILE} beside the store]",
    )(command)


def _take(context: click.Context, option: click.Parameter, named: Path | None) -> None:
    path = named or real_path(context.params["store"]).parent / CONFIG_FILE
    # A link that leads nowhere is no file that is not there: it was to be read.
    if named is None and not path.exists() and not path.is_symlink():
        context.obj = ConfigFile()
        return
    from bmastore.cli.config import config

    known = {str(one.name): one for one in config.params if isinstance(one, Setting)}
    context.obj = read_config_file(path, known)
    context.default_map = context.obj.settings
    say([f"settings: {path}"])


def read_config_file(path: Path, known: Mapping[str, Setting]) -> ConfigFile:
    """A config file.

    Parameters
    ----------
    known:
        The settings that it may hold, by the name of their parameter.

    Raises
    ------
    ConfigError
        If it cannot be read, or says anything that is no setting.
    """
    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"cannot read the config file {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    try:
        return _checked(path, content, known)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _checked(path: Path, content: dict[str, Any], known: Mapping[str, Setting]) -> ConfigFile:
    members = content.pop(_MEMBERS, {})
    if not isinstance(members, dict):
        raise ConfigError(f"{_MEMBERS} is a table: write [{_MEMBERS}], and below it {_USE} = [ … ]")
    for key in content:
        if key not in known:
            raise ConfigError(unknown("key", key, known))
    if _USE in members:
        content[_MEMBERS] = members.pop(_USE)
    for name, own in members.items():
        _check_place(name, own, known)
    own = {name: _own(name, members.pop(name)) for name in _named_own(members)}
    settings = {name: known[name].read(key_of(known[name]), content[name]) for name in content}
    named = [name for name in settings.get(_MEMBERS, ()) if name not in own]
    # Whoever trains imports what is one's own; until then another member stands for it.
    if _MEMBERS in settings and len(named) < len(settings[_MEMBERS]) and _STAND_IN not in named:
        named.append(_STAND_IN)
    used: dict[str, Any] = {_MEMBERS: tuple(named)} if named else {}
    return ConfigFile(path, settings, dict(TrainConfig(**used, params=members).params), own)


def _named_own(members: dict[str, Any]) -> list[str]:
    return [name for name, own in members.items() if isinstance(own, dict) and _ESTIMATOR in own]


def _own(name: str, table: dict[str, Any]) -> Own:
    """Where a member of one's own is, and what else is asked of it."""
    path = table.pop(_ESTIMATOR)
    asked = {key: table.pop(key) for key in _SWITCHES if key in table}
    for key in table:
        known = (_ESTIMATOR, *_SWITCHES)
        raise ConfigError(unknown("key", f"{_MEMBERS}.{name}.{key}", known))
    if not isinstance(path, str) or not all(isinstance(one, bool) for one in asked.values()):
        raise ConfigError(
            f'{_MEMBERS}.{name}: {_ESTIMATOR} must be text, as "package.module:name", and '
            f"{' and '.join(_SWITCHES)} true or false"
        )
    return path, asked


def _check_place(name: str, own: Any, known: Mapping[str, Setting]) -> None:
    """See that what stands below ``[members]`` is of a member, and no key of the file itself."""
    from bmastore.models.members.registry import REGISTRY

    for key in (name, *(own if isinstance(own, dict) else ())):
        if key in known:
            raise ConfigError(f"{key} is a key of the file itself: it stands above any [table]")
    if not isinstance(own, dict) and name not in REGISTRY:
        raise ConfigError(unknown("key", f"{_MEMBERS}.{name}", (f"{_MEMBERS}.{_USE}",)))
