"""The pooled member: one LightGBM over all stocks, scaled to each stock's typical move.

One stock has a few hundred rows; the universe has a million. What all stocks
have in common is learnt once, from targets in units of each stock's typical
move and relative to the other stocks of their date, and shared.
"""

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from bmastore.members.lgbm import parameters

# Chosen by walk-forward rank IC on the four quarters before the newest: the target less its
# date's mean beats the plain one; ranked features add too little to be worth a cross-section
# at every forecast.
_ROUNDS = 100
_MIN_LEAF, _MAX_LEAF = 50, 1000
# Share of the targets that is clipped at each end, for the fit alone.
_CLIPPED = 0.005
# A date's mean is shrunk toward zero as if so many more stocks had not moved: with a
# handful of stocks, their mean is no market.
_UNMOVED = 10


@dataclass(frozen=True)
class PooledMember:
    """A shared model of the universe, in one stock's units; without a model it forecasts zero."""

    booster: lgb.Booster | None
    scale: float
    rounds: int = 0

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predictions, shape (n,)."""
        if self.booster is None:
            return np.zeros(len(X))
        values = self.booster.predict(X, num_threads=1)
        return np.asarray(values, dtype=np.float64) * self.scale

    def to_bytes(self) -> bytes:
        """The scale, as text; the model is the universe's."""
        return repr(self.scale).encode()


def typical_move(y: NDArray[np.float64]) -> float:
    """Median absolute target of one stock, in its units: what the pooled member scales by."""
    return float(np.median(np.abs(y)))


def fit_pooled(
    X: NDArray[np.float32], moves: NDArray[np.float64], days: NDArray[np.int64], seed: int
) -> bytes:
    """Fit the shared model; returns LightGBM's text format.

    Parameters
    ----------
    X:
        float32, shape (n, p): rows of all stocks.
    moves:
        Shape (n,): targets over their stock's typical move.
    days:
        Shape (n,): number of each row's date, from 0.
    """
    low, high = np.quantile(moves, [_CLIPPED, 1 - _CLIPPED])
    clipped = np.clip(moves, low, high)
    market = np.bincount(days, clipped) / (np.bincount(days) + _UNMOVED)
    params = parameters(
        max_bin=63,
        num_leaves=31,
        learning_rate=0.05,
        min_data_in_leaf=int(np.clip(len(moves) // 100, _MIN_LEAF, _MAX_LEAF)),
        feature_fraction=0.5,
        bagging_fraction=0.7,
        bagging_freq=1,
        seed=seed,
    )
    booster = lgb.Booster(params, lgb.Dataset(X, clipped - market[days], params=params))
    for _ in range(_ROUNDS):
        booster.update()
    text: str = booster.model_to_string()
    return text.encode()


def read_pooled(blob: bytes) -> lgb.Booster:
    """The model that :func:`fit_pooled` gave."""
    return lgb.Booster(model_str=blob.decode())
