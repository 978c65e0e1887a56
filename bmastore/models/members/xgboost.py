"""XGBoost boosting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bmastore.models.members.base import (
    BOOSTING,
    Constant,
    FittedMember,
    Learner,
    Lent,
    TrainingRows,
    best_round,
    drift,
)
from bmastore.models.presets import Sizes

if TYPE_CHECKING:
    import xgboost as xgb

# A stock has a few hundred rows: finer bins cost time and gain nothing.
_BINS = 32


@dataclass(frozen=True)
class XGBoostMember:
    """An XGBoost model that is used up to its ``rounds``-th tree."""

    booster: "xgb.Booster"
    rounds: int

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predictions, shape (n,)."""
        values = self.booster.inplace_predict(X, iteration_range=(0, self.rounds))
        result: NDArray[np.float64] = values.astype(np.float64)
        return result

    def to_bytes(self) -> bytes:
        """XGBoost's UBJSON format."""
        return bytes(self.booster[: self.rounds].save_raw("ubj"))


def _bins(X: NDArray[np.float32], y: NDArray[np.float64]) -> "xgb.QuantileDMatrix":
    import xgboost as xgb

    return xgb.QuantileDMatrix(X, y, max_bin=_BINS, nthread=1)


def _fit(rows: TrainingRows, sizes: Sizes, seed: int, rounds: int | None) -> FittedMember:
    import xgboost as xgb

    params: dict[str, Any] = {
        "max_depth": int(sizes["xgb_max_depth"]),
        "min_child_weight": sizes["xgb_min_child_weight"],
        "learning_rate": sizes["learning_rate"],
        "subsample": 0.8,
        "colsample_bytree": 0.8,
        "reg_alpha": 0.1,
        "reg_lambda": 1.0,
        "tree_method": "hist",
        "max_bin": _BINS,
        "nthread": 1,
        "seed": seed,
    }
    if rounds == 0:
        return Constant(drift(rows.y, rows.horizon))
    if rounds is not None:
        bins = _bins(rows.X, rows.around_drift())
        base = drift(rows.y, rows.horizon)
        booster = xgb.Booster({**params, "base_score": base}, [bins])
        for i in range(rounds):
            booster.update(bins, i)
        return XGBoostMember(booster, rounds)

    base, y_head, y_tail = rows.split_around_drift()
    head = _bins(rows.X[rows.head], y_head)
    tail = xgb.DMatrix(rows.X[rows.tail], y_tail, nthread=1)
    booster = xgb.Booster({**params, "base_score": base, "eval_metric": "rmse"}, [head, tail])

    def advance(i: int) -> float:
        booster.update(head, i)
        return float(booster.eval_set([(tail, "tail")], i).rpartition(":")[2])

    baseline = float(np.sqrt(np.mean(np.square(y_tail - base))))
    kept = best_round(advance, int(sizes["xgb_rounds"]), int(sizes["patience"]), baseline)
    return XGBoostMember(booster, kept) if kept else Constant(base)


def _load(blob: bytes, lent: Lent) -> FittedMember:
    constant = Constant.from_bytes(blob)
    if constant is not None:
        return constant
    import xgboost as xgb

    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(blob))
    return XGBoostMember(booster, booster.num_boosted_rounds())


def _sizes(preset: str, rounds: int, max_depth: int = 4) -> Mapping[str, float]:
    # Rows in a leaf, at least; as many as in LightGBM's trees, for a few rows are noise.
    leaf = {"xgb_min_child_weight": 50.0}
    return {**BOOSTING[preset], **leaf, "xgb_rounds": rounds, "xgb_max_depth": max_depth}


XGBOOST = Learner(
    "xgb",
    _fit,
    _load,
    boosts=True,
    library="xgboost",
    sizes={
        "ultrafast": _sizes("ultrafast", 24),
        "fast": _sizes("fast", 48),
        "standard": _sizes("standard", 70),
        "high": _sizes("high", 150, max_depth=6),
    },
)
