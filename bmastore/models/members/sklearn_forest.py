"""The random forest as scikit-learn grows it: the reference for the one that LightGBM grows."""

from bmastore.models.members import stored
from bmastore.models.members.base import FittedMember, Learner, Lent, TrainingRows
from bmastore.models.members.estimators import FittedEstimator
from bmastore.models.members.parameters import by_preset, depth, leaf_rows, share, trees
from bmastore.models.presets import Params

_NAME = "rf-sklearn"


def _fit(rows: TrainingRows, params: Params, seed: int, rounds: int | None) -> FittedMember:
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        n_estimators=int(params["n_trees"]),
        max_depth=int(params["max_depth"]),
        max_features=float(params["max_features"]),
        min_samples_leaf=int(params["min_samples_leaf"]),
        max_samples=float(params["max_samples"]),
        n_jobs=1,
        random_state=seed,
    )
    return FittedEstimator(_NAME, forest.fit(rows.X, rows.around_drift()))


def _load(blob: bytes, lent: Lent) -> FittedMember:
    return FittedEstimator(_NAME, stored.from_bytes(blob, ()))


SKLEARN_FOREST = Learner(
    _NAME,
    _fit,
    _load,
    package="scikit-learn",
    parameters={
        "n_trees": trees(by_preset(32, 64, 100, 200), "rf_trees"),
        "max_depth": depth(10),
        "max_features": share(0.8),
        "min_samples_leaf": leaf_rows(10),
        "max_samples": share(0.8),
    },
)
