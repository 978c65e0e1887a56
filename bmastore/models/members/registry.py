"""The members there are: one line each. A new one is a file beside this one and a line here.

Every member uses one thread, and gives the same result for the same rows, parameters and seed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bmastore.errors import ConfigError, unknown
from bmastore.models.members.base import FittedMember, Kind, Learner, Lent
from bmastore.models.members.estimators import own_from_bytes
from bmastore.models.members.forest import FOREST
from bmastore.models.members.lightgbm import LIGHTGBM
from bmastore.models.members.null import MEAN, ZERO
from bmastore.models.members.pooled import POOLED
from bmastore.models.members.sklearn_forest import SKLEARN_FOREST
from bmastore.models.members.xgboost import XGBOOST
from bmastore.models.presets import Params

REGISTRY: dict[str, Learner] = {
    learner.name: learner
    for learner in (FOREST, XGBOOST, LIGHTGBM, ZERO, MEAN, POOLED, SKLEARN_FOREST)
}


# Members of somebody's own are alike: they learn a stock's own features, and nothing else.
_OWN = Kind()


def kind_of(name: str) -> Kind:
    """What the member of a name needs; those that are not registered are somebody's own."""
    return REGISTRY.get(name, _OWN)


def read_member(name: str, blob: bytes, lent: Lent, trusted: Sequence[str]) -> FittedMember:
    """The member that :meth:`FittedMember.to_bytes` wrote, given what its universe lends.

    Raises
    ------
    ArtifactError
        If it is somebody's own, of a type that is not ``trusted``.
    """
    if name in REGISTRY:
        return REGISTRY[name].from_bytes(blob, lent)
    return own_from_bytes(name, blob, trusted)


def params_of(member: str, preset: str) -> Params:
    """The parameters of a member in a preset, by name."""
    known = kind_of(member).parameters
    return {name: parameter.of_preset(preset) for name, parameter in known.items()}


def sizes_of(preset: str) -> Params:
    """What presets set of all members, by the names that a config's hash covers."""
    return {
        parameter.size: parameter.of_preset(preset)
        for learner in REGISTRY.values()
        for parameter in learner.parameters.values()
        if parameter.size is not None
    }


def checked_params(params: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Parameters by member that somebody sets, as plain numbers.

    Raises
    ------
    ConfigError
        If there is no such member, it has no such parameter, or a number is out of range.
    """
    if not isinstance(params, Mapping):
        raise ConfigError(f'params are by member, as {{"xgb": {{"max_depth": 3}}}}; not {params!r}')
    return {member: checked for member in params if (checked := _checked(member, params[member]))}


def _checked(member: str, own: Any) -> dict[str, float]:
    if member not in REGISTRY:
        raise ConfigError(unknown("member", member, REGISTRY))
    known = REGISTRY[member].parameters
    if not isinstance(own, Mapping):
        raise ConfigError(f"member {member}: its parameters have names, unlike {own!r}")
    for name in own:
        if name not in known:
            raise ConfigError(f"member {member}: {unknown('parameter', name, known)}")
    return {name: known[name].checked(f"{name} of {member}", own[name]) for name in own}


def packages_among(members: Iterable[str]) -> dict[str, str]:
    """Versions of the distributions that some members stand on, but for those of all configs.

    ``none`` of one that is not installed.
    """
    packages = sorted({package for name in members for package in kind_of(name).packages})
    return {package: _version(package) for package in packages}


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def shared_among(members: Iterable[str]) -> tuple[str, ...]:
    """Those of some members that are fitted over all stocks."""
    return tuple(name for name in members if kind_of(name).is_shared)


def boosting_among(members: Iterable[str]) -> tuple[str, ...]:
    """Those of some members that boost, in their order."""
    return tuple(name for name in members if kind_of(name).boosts)
