"""LightGBM boosting, and the parts of LightGBM that the forest shares."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bmastore.models.members.base import (
    Constant,
    FittedMember,
    Learner,
    Lent,
    TrainingRows,
    best_round,
    drift,
)
from bmastore.models.members.parameters import (
    LEARNING_RATE,
    PATIENCE,
    bins,
    by_preset,
    depth,
    leaf_rows,
    leaves,
    penalty,
    share,
    trees,
)
from bmastore.models.presets import Params

if TYPE_CHECKING:
    import lightgbm as lgb

# A stock has a few hundred rows; 63 bins take a fifth longer and forecast no better.
BINS = 31
# One thread: the stocks are what runs in parallel.
_COMMON: dict[str, Any] = {
    "objective": "regression",
    "num_threads": 1,
    "force_row_wise": True,
    "deterministic": True,
    "feature_pre_filter": False,
    "verbosity": -1,
}


@dataclass(frozen=True)
class LightGBMMember:
    """A LightGBM model that is used up to its ``rounds``-th tree (0: all trees).

    ``is_forest`` says that its trees are averaged, not summed.
    """

    booster: "lgb.Booster"
    rounds: int
    is_forest: bool = False

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predictions, shape (n,)."""
        values = self.booster.predict(X, num_iteration=self.rounds or -1, num_threads=1)
        return np.asarray(values, dtype=np.float64)

    def contributions(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Shares by TreeSHAP, shape (n, p + 1)."""
        found = shares_of(self.booster, X, self.rounds)
        # LightGBM sums the shares also of trees whose predictions it averages.
        return found / self.booster.num_trees() if self.is_forest else found

    def gains(self) -> NDArray[np.float64]:
        """Gains of the splits in use, shape (p,)."""
        return gains_of(self.booster, self.rounds)

    def to_bytes(self) -> bytes:
        """LightGBM's text format."""
        text: str = self.booster.model_to_string(num_iteration=self.rounds or -1)
        return text.encode()


def shares_of(
    booster: "lgb.Booster", X: NDArray[np.float32], rounds: int = 0
) -> NDArray[np.float64]:
    """What each feature adds to the sum of the trees, and the base last: shape (n, p + 1)."""
    found = booster.predict(X, num_iteration=rounds or -1, num_threads=1, pred_contrib=True)
    return np.asarray(found, dtype=np.float64).reshape(len(X), X.shape[1] + 1)


def gains_of(booster: "lgb.Booster", rounds: int = 0) -> NDArray[np.float64]:
    """What the splits on each feature have gained, shape (p,)."""
    return np.asarray(booster.feature_importance("gain", rounds or -1), dtype=np.float64)


def parameters(**own: Any) -> dict[str, Any]:
    """LightGBM parameters: those that every member here has in common, and its own."""
    return {**_COMMON, **own}


def _fit(rows: TrainingRows, params: Params, seed: int, rounds: int | None) -> FittedMember:
    import lightgbm as lgb

    told = parameters(
        max_depth=int(params["max_depth"]),
        num_leaves=int(params["num_leaves"]),
        learning_rate=params["learning_rate"],
        feature_fraction=params["feature_fraction"],
        bagging_fraction=params["bagging_fraction"],
        bagging_freq=1,
        min_data_in_leaf=int(params["min_data_in_leaf"]),
        lambda_l1=params["lambda_l1"],
        lambda_l2=params["lambda_l2"],
        max_bin=int(params["max_bin"]),
        seed=seed,
        metric="l2",
    )
    if rounds == 0:
        return Constant(drift(rows.y, rows.horizon))
    if rounds is not None:
        booster = lgb.Booster(told, lgb.Dataset(rows.X, rows.around_drift(), params=told))
        for _ in range(rounds):
            booster.update()
        return LightGBMMember(booster, rounds)

    base, y_head, y_tail = rows.split_around_drift()
    head = lgb.Dataset(rows.X[rows.head], y_head, params=told)
    booster = lgb.Booster(told, head)
    booster.add_valid(lgb.Dataset(rows.X[rows.tail], y_tail, params=told, reference=head), "tail")

    def advance(i: int) -> float:
        booster.update()
        return float(booster.eval_valid()[0][2])

    baseline = float(np.mean(np.square(y_tail - base)))
    kept = best_round(advance, int(params["n_trees"]), int(params["patience"]), baseline)
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
    parameters={
        "n_trees": trees(by_preset(24, 48, 80, 150), "lgbm_rounds"),
        "learning_rate": LEARNING_RATE,
        "patience": PATIENCE,
        "max_depth": depth(5),
        "num_leaves": leaves(31),
        "min_data_in_leaf": leaf_rows(50),
        "feature_fraction": share(0.8),
        "bagging_fraction": share(0.8),
        "lambda_l1": penalty(0.0),
        "lambda_l2": penalty(0.0),
        "max_bin": bins(BINS),
    },
)
