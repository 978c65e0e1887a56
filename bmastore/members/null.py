"""Null members: what an ensemble falls back on where there is nothing to learn."""

from bmastore.config import Preset
from bmastore.members.base import Constant, FittedMember, Learner, TrainingRows


def _fit_zero(rows: TrainingRows, preset: Preset, seed: int, rounds: int | None) -> FittedMember:
    return Constant(0.0)


def _fit_mean(rows: TrainingRows, preset: Preset, seed: int, rounds: int | None) -> FittedMember:
    """The mean target, shrunk toward zero as far as it may be chance.

    The positive-part estimator of James and Stein (1961) for one mean, whose
    variance is that of n / horizon independent rows. A stock's plain mean over
    two years is nearly all chance, and would tilt its forecasts for months.
    """
    mean = float(rows.y.mean())
    chance = float(rows.y.var()) * rows.horizon / len(rows.y)
    return Constant(mean * max(0.0, 1.0 - chance / mean**2) if mean else 0.0)


def _load(blob: bytes) -> FittedMember:
    constant = Constant.from_bytes(blob)
    if constant is None:
        raise ValueError("not a constant member")
    return constant


ZERO = Learner("zero", False, _fit_zero, _load)
MEAN = Learner("mean", False, _fit_mean, _load)
