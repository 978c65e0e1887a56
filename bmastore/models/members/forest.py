"""The random forest, grown by LightGBM.

Same parameters as scikit-learn's forest with ``max_depth=10, max_features=0.8,
min_samples_leaf=10, max_samples=0.8``. LightGBM draws rows without
replacement; a bootstrap of 0.8 n draws with replacement holds 1 - exp(-0.8) =
55 % distinct rows, hence ``bagging_fraction``. It is four times faster than
scikit-learn's on a stock's few hundred rows, equal on every processor, and
stores as text.
"""

import math

import numpy as np

from bmastore.models.members.base import Constant, FittedMember, Learner, Lent, TrainingRows, drift
from bmastore.models.members.lightgbm import BINS, LightGBMMember, parameters
from bmastore.models.members.parameters import (
    bins,
    by_preset,
    depth,
    leaf_rows,
    leaves,
    share,
    trees,
)
from bmastore.models.presets import Params

_BAG = 1 - math.exp(-0.8)


def _fit(rows: TrainingRows, params: Params, seed: int, rounds: int | None) -> FittedMember:
    bag, min_leaf = params["bagging_fraction"], int(params["min_data_in_leaf"])
    if len(rows.y) * bag < 2 * min_leaf:  # LightGBM's forest without a split predicts NaN
        return Constant(drift(rows.y, rows.horizon))
    import lightgbm as lgb

    told = parameters(
        boosting="rf",
        max_depth=int(params["max_depth"]),
        feature_fraction_bynode=params["feature_fraction_bynode"],
        bagging_fraction=bag,
        bagging_freq=1,
        min_data_in_leaf=min_leaf,
        # No more leaves than the rows can fill: LightGBM's time grows with the limit.
        num_leaves=int(np.clip(len(rows.y) * bag / min_leaf, 2, params["num_leaves"])),
        max_bin=int(params["max_bin"]),
        seed=seed,
    )
    booster = lgb.Booster(told, lgb.Dataset(rows.X, rows.around_drift(), params=told))
    for _ in range(int(params["n_trees"])):
        booster.update()
    return LightGBMMember(booster, 0, is_forest=True)


def _load(blob: bytes, lent: Lent) -> FittedMember:
    import lightgbm as lgb

    constant = Constant.from_bytes(blob)
    if constant is not None:
        return constant
    return LightGBMMember(lgb.Booster(model_str=blob.decode()), 0, is_forest=True)


FOREST = Learner(
    "rf",
    _fit,
    _load,
    library="lightgbm",
    parameters={
        "n_trees": trees(by_preset(32, 64, 100, 200), "rf_trees"),
        "max_depth": depth(10),
        "num_leaves": leaves(1024),
        "min_data_in_leaf": leaf_rows(10),
        "feature_fraction_bynode": share(0.8),
        # All rows in each tree are no forest, and LightGBM refuses them.
        "bagging_fraction": share(_BAG, most=0.99),
        "max_bin": bins(BINS),
    },
)
