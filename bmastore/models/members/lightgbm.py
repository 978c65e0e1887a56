"""LightGBM boosting, and the parts of LightGBM that the forest shares."""

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
    import lightgbm as lgb

# One thread: the stocks are what runs in parallel. 31 bins: a stock has a few hundred rows;
# 63 take a fifth longer and forecast no better.
_COMMON: dict[str, Any] = {
    "objective": "regression",
    "num_threads": 1,
    "max_bin": 31,
    "force_row_wise": True,
    "deterministic": True,
    "feature_pre_filter": False,
    "verbosity": -1,
}


@dataclass(frozen=True)
class LightGBMMember:
    """A LightGBM model that is used up to its ``rounds``-th tree (0: all trees)."""

    booster: "lgb.Booster"
    rounds: int

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predictions, shape (n,)."""
        values = self.booster.predict(X, num_iteration=self.rounds or -1, num_threads=1)
        return np.asarray(values, dtype=np.float64)

    def to_bytes(self) -> bytes:
        """LightGBM's text format."""
        text: str = self.booster.model_to_string(num_iteration=self.rounds or -1)
        return text.encode()


def parameters(**own: Any) -> dict[str, Any]:
    """LightGBM parameters: those that every member here has in common, and its own."""
    return {**_COMMON, **own}


def _fit(rows: TrainingRows, sizes: Sizes, seed: int, rounds: int | None) -> FittedMember:
    import lightgbm as lgb

    params = parameters(
        max_depth=5,
        num_leaves=31,
        learning_rate=sizes["learning_rate"],
        feature_fraction=0.8,
        bagging_fraction=0.8,
        bagging_freq=1,
        min_data_in_leaf=50,
        seed=seed,
        metric="l2",
    )
    if rounds == 0:
        return Constant(drift(rows.y, rows.horizon))
    if rounds is not None:
        booster = lgb.Booster(params, lgb.Dataset(rows.X, rows.around_drift(), params=params))
        for _ in range(rounds):
            booster.update()
        return LightGBMMember(booster, rounds)

    base, y_head, y_tail = rows.split_around_drift()
    head = lgb.Dataset(rows.X[rows.head], y_head, params=params)
    booster = lgb.Booster(params, head)
    booster.add_valid(lgb.Dataset(rows.X[rows.tail], y_tail, params=params, reference=head), "tail")

    def advance(i: int) -> float:
        booster.update()
        return float(booster.eval_valid()[0][2])

    baseline = float(np.mean(np.square(y_tail - base)))
    kept = best_round(advance, int(sizes["lgbm_rounds"]), int(sizes["patience"]), baseline)
    return LightGBMMember(booster, kept) if kept else Constant(base)


def _load(blob: bytes, lent: Lent) -> FittedMember:
    constant = Constant.from_bytes(blob)
    if constant is not None:
        return constant
    import lightgbm as lgb

    booster = lgb.Booster(model_str=blob.decode())
    return LightGBMMember(booster, booster.num_trees())


LIGHTGBM = Learner(
    "lgbm",
    _fit,
    _load,
    boosts=True,
    library="lightgbm",
    sizes={
        "ultrafast": {**BOOSTING["ultrafast"], "lgbm_rounds": 24},
        "fast": {**BOOSTING["fast"], "lgbm_rounds": 48},
        "standard": {**BOOSTING["standard"], "lgbm_rounds": 80},
        "high": {**BOOSTING["high"], "lgbm_rounds": 150},
    },
)
