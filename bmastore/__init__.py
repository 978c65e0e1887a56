"""One Bayesian-model-averaged ensemble per stock, for thousands of stocks, from a SQL store."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bmastore.classic import MassiveStockBMAProcessor
    from bmastore.config import Splits, TrainConfig
    from bmastore.errors import BmastoreError
    from bmastore.plan import PassOptions
    from bmastore.regressor import BMARegressor
    from bmastore.store import Store

__version__ = "0.1.0"

# Imported on first use, so that `bmastore --help` does not wait for NumPy and DuckDB.
_HOMES = {
    "BMARegressor": "bmastore.regressor",
    "MassiveStockBMAProcessor": "bmastore.classic",
    "Store": "bmastore.store",
    "TrainConfig": "bmastore.config",
    "Splits": "bmastore.config",
    "PassOptions": "bmastore.plan",
    "BmastoreError": "bmastore.errors",
}

__all__ = [
    "BMARegressor",
    "BmastoreError",
    "MassiveStockBMAProcessor",
    "PassOptions",
    "Splits",
    "Store",
    "TrainConfig",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
