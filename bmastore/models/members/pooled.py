"""The pooled member: one LightGBM over all stocks, scaled to each stock's typical move.

One stock has a few hundred rows; the universe has a million. What all stocks
have in common is learnt once, from features relative to their date's
cross-section and from targets in units of each stock's typical move and less
what the market did, and shared.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bmastore.models.members.base import (
    FittedMember,
    Learner,
    Lent,
    Needs,
    TrainingRows,
    only_base,
)
from bmastore.models.members.lightgbm import gains_of, parameters, shares_of
from bmastore.models.members.parameters import (
    bins,
    leaf_rows,
    leaves,
    penalty,
    rate,
    share,
    trees,
)
from bmastore.models.presets import Params

if TYPE_CHECKING:
    import lightgbm as lgb

# Chosen by walk-forward rank IC over six cutoffs before the newest hundred days. What matters is
# the target: less what the market did, the rank IC is .048, less only its date's mean .037.
# Features relative to their date bring it to .057, and more rounds make it steadier: with 60 it
# is .73 of its daily standard deviation, with 120 .83, with 180 .87. Clipped targets and weights
# by date bring it to .061.
_ROUNDS = 150
_MIN_LEAF, _MAX_LEAF = 50, 1000
# Share of the targets that is clipped at each end, for the fit alone: of all of them before
# the market is taken off, and of those of each date after it.
_CLIPPED, _CLIPPED_BY_DATE = 0.005, 0.02
# What the market did is shrunk toward nothing as if so many more stocks had not moved: with a
# handful of stocks, their mean is no market.
_UNMOVED = 10
# A stock that hardly moves says no more of the market than one that moves a fifth of the usual.
_CALMEST = 5.0


@dataclass(frozen=True)
class PooledMember:
    """A model of the universe; without one it forecasts zero."""

    booster: "lgb.Booster | None"
    rounds: int = 0

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predictions, shape (n,), in typical moves, for relative features, shape (n, p)."""
        if self.booster is None:
            return np.zeros(len(X))
        return np.asarray(self.booster.predict(X, num_threads=1), dtype=np.float64)

    def contributions(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Shares of the relative features by TreeSHAP, shape (n, p + 1), in typical moves."""
        return only_base(X, 0.0) if self.booster is None else shares_of(self.booster, X)

    def gains(self) -> None:
        """They are the universe's, and the same for all stocks."""

    def to_bytes(self) -> bytes:
        """Nothing: the model is the universe's."""
        return b""


def fit_pooled(
    X: NDArray[np.float32],
    moves: NDArray[np.float64],
    scales: NDArray[np.float64],
    days: NDArray[np.int64],
    params: Params,
    seed: int,
) -> tuple[bytes, NDArray[np.float64]]:
    """Fit the shared model; returns it in LightGBM's text format, and the gains of its splits.

    Parameters
    ----------
    X:
        float32, shape (n, p): relative features of rows of all stocks.
    moves:
        Shape (n,): targets over their stock's typical move.
    scales:
        Shape (n,): that typical move, in units of the target.
    days:
        Shape (n,): number of each row's date, from 0.
    params:
        The member's parameters.
    """
    import lightgbm as lgb

    low, high = np.quantile(moves, [_CLIPPED, 1 - _CLIPPED])
    own = clip_by_date(less_market(np.clip(moves, low, high), scales, days), days)
    by_rows = int(np.clip(len(moves) // 100, _MIN_LEAF, _MAX_LEAF))
    told = parameters(
        max_bin=int(params["max_bin"]),
        num_leaves=int(params["num_leaves"]),
        learning_rate=params["learning_rate"],
        min_data_in_leaf=int(params["min_data_in_leaf"]) or by_rows,
        feature_fraction=params["feature_fraction"],
        bagging_fraction=params["bagging_fraction"],
        bagging_freq=1,
        lambda_l1=params["lambda_l1"],
        lambda_l2=params["lambda_l2"],
        seed=seed,
    )
    weight = date_weights(own, days)
    booster = lgb.Booster(told, lgb.Dataset(X, own, weight=weight, params=told))
    for _ in range(int(params["n_trees"])):
        booster.update()
    text: str = booster.model_to_string()
    return text.encode(), gains_of(booster)


def less_market(
    moves: NDArray[np.float64], scales: NDArray[np.float64], days: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Moves less what the market did on their date, shape (n,).

    The market moves stocks in two ways: all by the same return, and each in
    proportion to its typical move. Both are estimated for every date by a
    regression over its stocks, as Fama and MacBeth, "Risk, return, and
    equilibrium: empirical tests", JPE 81 (1973), do it with betas; the ridge
    holds them back where stocks are few. Left in, a model learns which kind of
    stock happened to do well, and is wrong when that changes.

    Parameters are those of :func:`fit_pooled`.
    """
    # A return that all stocks share, in units of each one's typical move.
    shared = np.minimum(np.median(scales) / scales, _CALMEST)
    n, total = np.bincount(days) + _UNMOVED, np.bincount(days, moves)
    sums, squares = np.bincount(days, shared), np.bincount(days, shared * shared) + _UNMOVED
    products = np.bincount(days, shared * moves)
    determinant = n * squares - sums * sums
    in_proportion = (squares * total - sums * products) / determinant
    alike = (n * products - sums * total) / determinant
    result: NDArray[np.float64] = moves - in_proportion[days] - alike[days] * shared
    return result


def clip_by_date(own: NDArray[np.float64], days: NDArray[np.int64]) -> NDArray[np.float64]:
    """Moves clipped at the quantiles of their date, shape (n,).

    A takeover or a failed trial says nothing of the next one. Of fewer than 51 stocks none is
    clipped.
    """
    in_order = own[np.lexsort((own, days))]
    n = np.bincount(days)
    outside = (_CLIPPED_BY_DATE * np.maximum(n - 1, 0)).astype(np.int64)
    stop = np.cumsum(n)
    # Dates without rows have no place of their own; nothing asks for theirs.
    last = len(own) - 1
    low = in_order[np.minimum(stop - n + outside, last)]
    high = in_order[np.minimum(stop - 1 - outside, last)]
    result: NDArray[np.float64] = np.clip(own, low[days], high[days])
    return result


def date_weights(own: NDArray[np.float64], days: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights of rows, shape (n,): the inverse variance of the moves on their date.

    Generalized least squares (Aitken, 1935) with one variance per date: on a wild date a row
    says less of what its features are worth. Spreads are shrunk toward the mean one, for a
    handful of stocks that hardly moved is no calm date.
    """
    n, total = np.bincount(days), np.bincount(days, np.abs(own))
    usual = np.abs(own).mean()
    spread = (total + _UNMOVED * usual) / (n + _UNMOVED)
    result: NDArray[np.float64] = np.square(usual / spread)[days] if usual else np.ones(len(own))
    return result


def _fit(rows: TrainingRows, params: Params, seed: int, rounds: int | None) -> FittedMember:
    return PooledMember(_read(rows.lent.model))


def _load(blob: bytes, lent: Lent) -> FittedMember:
    return PooledMember(_read(lent.model))


# A universe has one model per fold and one more; a worker reads them once for all stocks.
@lru_cache(maxsize=16)
def _read(model: bytes | None) -> "lgb.Booster | None":
    import lightgbm as lgb

    return None if model is None else lgb.Booster(model_str=model.decode())


POOLED = Learner(
    "pooled",
    _fit,
    _load,
    needs=Needs.RELATIVE,
    needs_history=False,
    is_shared=True,
    library="lightgbm",
    parameters={
        "n_trees": trees(_ROUNDS),
        "learning_rate": rate(0.08),
        "num_leaves": leaves(15),
        # 0: a hundredth of the rows, within _MIN_LEAF and _MAX_LEAF.
        "min_data_in_leaf": leaf_rows(0, least=0),
        "feature_fraction": share(0.5),
        "bagging_fraction": share(0.7),
        "lambda_l1": penalty(0.0),
        "lambda_l2": penalty(0.0),
        "max_bin": bins(63),
    },
)
