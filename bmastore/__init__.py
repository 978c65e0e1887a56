"""One Bayesian-model-averaged ensemble per stock, for thousands of stocks, from a SQL store."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bmastore.errors import BmastoreError
    from bmastore.legacy import MassiveStockBMAProcessor
    from bmastore.models.config import Splits, TrainConfig
    from bmastore.models.members.estimators import Estimator
    from bmastore.models.regressor import BMARegressor
    from bmastore.models.splitter import PurgedWalkForward
    from bmastore.storage.following import connect
    from bmastore.store import Store
    from bmastore.training.options import PassOptions

__version__ = "0.1.0"

# Imported on first use, so that `bmastore --help` does not wait for NumPy and DuckDB.
_HOMES = {
    "BMARegressor": "bmastore.models.regressor",
    "MassiveStockBMAProcessor": "bmastore.legacy",
    "PurgedWalkForward": "bmastore.models.splitter",
    "Store": "bmastore.store",
    "connect": "bmastore.storage.following",
    "Estimator": "bmastore.models.members.estimators",
    "TrainConfig": "bmastore.models.config",
    "Splits": "bmastore.models.config",
    "PassOptions": "bmastore.training.options",
    "BmastoreError": "bmastore.errors",
}

__all__ = [
    "BMARegressor",
    "BmastoreError",
    "Estimator",
    "MassiveStockBMAProcessor",
    "PassOptions",
    "PurgedWalkForward",
    "Splits",
    "Store",
    "TrainConfig",
    "connect",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
