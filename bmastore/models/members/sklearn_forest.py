"""The random forest as scikit-learn grows it: the reference for the one that LightGBM grows.

Where scikit-learn-intelex is installed, it grows the trees, four times as fast. They differ a
little from those of scikit-learn itself, so the package is part of what the member stands on.
Either way the forest is kept, and forecasts, as one of scikit-learn's own.
"""

from bmastore.models.members import stored
from bmastore.models.members.base import FittedMember, Learner, Lent, TrainingRows
from bmastore.models.members.estimators import FittedEstimator
from bmastore.models.members.parameters import by_preset, depth, leaf_rows, share, trees
from bmastore.models.presets import Params

_NAME = "rf-sklearn"


def _fit(rows: TrainingRows, params: Params, seed: int, rounds: int | None) -> FittedMember:
    from sklearn.ensemble import RandomForestRegressor

    try:
        from sklearnex.ensemble import RandomForestRegressor as Grower
    except ModuleNotFoundError:
        Grower = RandomForestRegressor

    settings = {
        "n_estimators": int(params["n_trees"]),
        "max_depth": int(params["max_depth"]),
        "max_features": float(params["max_features"]),
        "min_samples_leaf": int(params["min_samples_leaf"]),
        "max_samples": float(params["max_samples"]),
        "n_jobs": 1,
        "random_state": seed,
    }
    grown = Grower(**settings).fit(rows.X, rows.around_drift())
    forest = RandomForestRegressor(**settings)
    forest.estimators_ = list(grown.estimators_)
    forest.n_outputs_, forest.n_features_in_ = 1, rows.X.shape[1]
    return FittedEstimator(_NAME, forest)


def _load(blob: bytes, lent: Lent) -> FittedMember:
    return FittedEstimator(_NAME, stored.from_bytes(blob, ()))


SKLEARN_FOREST = Learner(
    _NAME,
    _fit,
    _load,
    packages=("scikit-learn", "scikit-learn-intelex"),
    parameters={
        "n_trees": trees(by_preset(32, 64, 100, 200), "rf_trees"),
        "max_depth": depth(10),
        "max_features": share(0.8),
        "min_samples_leaf": leaf_rows(10),
        "max_samples": share(0.8),
    },
)
