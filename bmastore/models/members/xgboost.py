"""XGBoost boosting."""

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
    MANY,
    PATIENCE,
    Parameter,
    bins,
    by_preset,
    depth,
    penalty,
    share,
    trees,
)
from bmastore.models.presets import Params

if TYPE_CHECKING:
    import xgboost as xgb


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

    def contributions(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Shares by TreeSHAP, shape (n, p + 1)."""
        import xgboost as xgb

        rows = xgb.DMatrix(X, nthread=1)
        told = self.booster.predict(rows, pred_contribs=True, iteration_range=(0, self.rounds))
        found: NDArray[np.float64] = told.astype(np.float64)
        # They are 32-bit floats: what rounding has left of the prediction goes to the base.
        found[:, -1] += self.predict(X) - found.sum(axis=1)
        return found

    def gains(self) -> NDArray[np.float64]:
        """Gains of the splits in use, shape (p,)."""
        found = np.zeros(self.booster.num_features())
        used = self.booster[: self.rounds]
        for name, gain in used.get_score(importance_type="total_gain").items():
            found[int(name[1:])] = gain  # they are called f0, f1, …
        return found

    def to_bytes(self) -> bytes:
        """XGBoost's UBJSON format."""
        return bytes(self.booster[: self.rounds].save_raw("ubj"))


def _fit(rows: TrainingRows, params: Params, seed: int, rounds: int | None) -> FittedMember:
    import xgboost as xgb

    max_bin = int(params["max_bin"])
    told: dict[str, Any] = {
        "max_depth": int(params["max_depth"]),
        "min_child_weight": params["min_child_weight"],
        "learning_rate": params["learning_rate"],
        "subsample": params["subsample"],
        "colsample_bytree": params["colsample_bytree"],
        "reg_alpha": params["reg_alpha"],
        "reg_lambda": params["reg_lambda"],
        "tree_method": "hist",
        "max_bin": max_bin,
        "nthread": 1,
        "seed": seed,
    }
    if rounds == 0:
        return Constant(drift(rows.y, rows.horizon))
    if rounds is not None:
        X = xgb.QuantileDMatrix(rows.X, rows.around_drift(), max_bin=max_bin, nthread=1)
        base = drift(rows.y, rows.horizon)
        booster = xgb.Booster({**told, "base_score": base}, [X])
        for i in range(rounds):
            booster.update(X, i)
        return XGBoostMember(booster, rounds)

    base, y_head, y_tail = rows.split_around_drift()
    head = xgb.QuantileDMatrix(rows.X[rows.head], y_head, max_bin=max_bin, nthread=1)
    tail = xgb.DMatrix(rows.X[rows.tail], y_tail, nthread=1)
    booster = xgb.Booster({**told, "base_score": base, "eval_metric": "rmse"}, [head, tail])

    def advance(i: int) -> float:
        booster.update(head, i)
        return float(booster.eval_set([(tail, "tail")], i).rpartition(":")[2])

    baseline = float(np.sqrt(np.mean(np.square(y_tail - base))))
    kept = best_round(advance, int(params["n_trees"]), int(params["patience"]), baseline)
    return XGBoostMember(booster, kept) if kept else Constant(base)


def _load(blob: bytes, lent: Lent) -> FittedMember:
    constant = Constant.from_bytes(blob)
    if constant is not None:
        return constant
    import xgboost as xgb

    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(blob))
    return XGBoostMember(booster, booster.num_boosted_rounds())


XGBOOST = Learner(
    "xgb",
    _fit,
    _load,
    boosts=True,
    library="xgboost",
    parameters={
        "n_trees": trees(by_preset(24, 48, 70, 150), "xgb_rounds"),
        "learning_rate": LEARNING_RATE,
        "patience": PATIENCE,
        "max_depth": depth(by_preset(4, 4, 4, 6), "xgb_max_depth"),
        # Rows in a leaf, at least; as many as in LightGBM's trees, for a few rows are noise.
        "min_child_weight": Parameter(50.0, least=0, most=MANY, size="xgb_min_child_weight"),
        "subsample": share(0.8),
        "colsample_bytree": share(0.8),
        "reg_alpha": penalty(0.1),
        "reg_lambda": penalty(1.0),
        # A stock has a few hundred rows: finer bins cost time and gain nothing.
        "max_bin": bins(32),
    },
)
