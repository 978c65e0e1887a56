"""Null members: what an ensemble falls back on where there is nothing to learn."""

from bmastore.models.members.base import (
    Constant,
    FittedMember,
    Learner,
    Lent,
    Needs,
    TrainingRows,
    drift,
)
from bmastore.models.presets import Params


def _fit_zero(rows: TrainingRows, params: Params, seed: int, rounds: int | None) -> FittedMember:
    return Constant(0.0)


def _fit_mean(rows: TrainingRows, params: Params, seed: int, rounds: int | None) -> FittedMember:
    return Constant(drift(rows.y, rows.horizon))


def _load(blob: bytes, lent: Lent) -> FittedMember:
    constant = Constant.from_bytes(blob)
    if constant is None:
        raise ValueError("not a constant member")
    return constant


ZERO = Learner("zero", _fit_zero, _load, needs=Needs.NOTHING, needs_history=False)
MEAN = Learner("mean", _fit_mean, _load, needs=Needs.NOTHING)
