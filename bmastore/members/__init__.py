"""The members of an ensemble: one file a model family, one protocol, one registry.

Every member handles NaN features, uses one thread, and gives the same result
for the same rows, parameters and seed.
"""

from bmastore.members.base import FittedMember, Learner, TrainingRows, drift
from bmastore.members.lgbm import LIGHTGBM
from bmastore.members.null import MEAN, ZERO
from bmastore.members.rf import FOREST
from bmastore.members.xgb import XGBOOST

REGISTRY: dict[str, Learner] = {
    learner.name: learner for learner in (FOREST, XGBOOST, LIGHTGBM, ZERO, MEAN)
}

__all__ = ["REGISTRY", "FittedMember", "Learner", "TrainingRows", "drift"]
