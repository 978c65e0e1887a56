"""Null members: what an ensemble falls back on where there is nothing to learn."""

from bmastore.config import Preset
from bmastore.members.base import Constant, FittedMember, Learner, TrainingRows, drift


def _fit_zero(rows: TrainingRows, preset: Preset, seed: int, rounds: int | None) -> FittedMember:
    return Constant(0.0)


def _fit_mean(rows: TrainingRows, preset: Preset, seed: int, rounds: int | None) -> FittedMember:
    return Constant(drift(rows.y, rows.horizon))


def _load(blob: bytes) -> FittedMember:
    constant = Constant.from_bytes(blob)
    if constant is None:
        raise ValueError("not a constant member")
    return constant


ZERO = Learner("zero", False, _fit_zero, _load)
MEAN = Learner("mean", False, _fit_mean, _load)
