"""The members there are: one line each. A new one is a file beside this one and a line here.

Every member uses one thread, and gives the same result for the same rows, sizes and seed.
"""

from collections.abc import Iterable

from bmastore.models.members.base import Learner
from bmastore.models.members.forest import FOREST
from bmastore.models.members.lightgbm import LIGHTGBM
from bmastore.models.members.null import MEAN, ZERO
from bmastore.models.members.pooled import POOLED
from bmastore.models.members.xgboost import XGBOOST
from bmastore.models.presets import Sizes

REGISTRY: dict[str, Learner] = {
    learner.name: learner for learner in (FOREST, XGBOOST, LIGHTGBM, ZERO, MEAN, POOLED)
}


def sizes_of(preset: str) -> Sizes:
    """The sizes of all members in a preset, by name."""
    return {
        name: size
        for learner in REGISTRY.values()
        for name, size in learner.sizes.get(preset, {}).items()
    }


def shared_among(members: Iterable[str]) -> tuple[str, ...]:
    """Those of some members that are fitted over all stocks."""
    return tuple(name for name in members if REGISTRY[name].is_shared)


def boosting_among(members: Iterable[str]) -> tuple[str, ...]:
    """Those of some members that boost, in their order."""
    return tuple(name for name in members if REGISTRY[name].boosts)
