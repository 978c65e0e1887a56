"""Forecasts, as of a cutoff, of rows that came after it, by every forecaster of a backtest.

Runs in workers; reads and writes nothing. Of each stock, the fits see what was
known on the cutoff and no more.
"""

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from bmastore import bma
from bmastore.arrays import StockArrays
from bmastore.config import FitConfig
from bmastore.ensemble import predict_with
from bmastore.errors import TooFewRowsError
from bmastore.evaluate import ALWAYS_ZERO, EQUAL, Matrix, mixture_crps
from bmastore.exchange import FitOutcome, Hindcast, Scored, Work
from bmastore.fit import attempt, average, for_history
from bmastore.members import REGISTRY, drift
from bmastore.oof import fit_members, training_rows
from bmastore.universe import Universe, open_shared

ENSEMBLE, RECIPE = "ensemble", "recipe"
_RECIPE_MEMBERS = ("rf", "xgb", "lgbm")
_RECIPE_SHARE = 0.8
_RECIPE_XGB_LEAF = 1.0  # XGBoost's own default

# Predictive means, log densities of the targets, CRPS and PIT; each of shape (n,).
_Columns = tuple[Matrix, Matrix, Matrix, Matrix]


def forecasters(config: FitConfig) -> tuple[str, ...]:
    """The forecasters that are compared, in the order of :class:`Scored`'s columns."""
    return (ENSEMBLE, EQUAL, *config.members, RECIPE, ALWAYS_ZERO)


def hindcast_chunk(
    work: Work, config: FitConfig, cutoff: np.datetime64
) -> list[FitOutcome[Hindcast]]:
    """Forecast several stocks; one that fails is an outcome of its own."""
    universe = open_shared(work.shared)
    return [
        attempt(stock, partial(hindcast_stock, stock, cutoff, config, universe))
        for stock in work.rows
    ]


def hindcast_stock(
    stock: StockArrays, cutoff: np.datetime64, config: FitConfig, universe: Universe | None
) -> Hindcast:
    """Train as of ``cutoff``, forecast the rows after it, and score the forecasts.

    Parameters
    ----------
    stock:
        All rows; those after the cutoff that have a target are scored.

    Raises
    ------
    TooFewRowsError
        If the history is too short for all members, for forecasters are
        compared on the same rows; or if no row comes after the cutoff.
    ConstantTargetError
        See :func:`bmastore.fit.fit_stock`.
    """
    seen = stock.as_of(cutoff).labelled()
    later = stock.take(stock.dates > cutoff).labelled()
    if not len(later.y):
        raise TooFewRowsError(f"no labelled row comes after {cutoff}")
    if for_history(seen, config, universe) is not config:
        raise TooFewRowsError(
            f"{len(seen.y)} rows labelled by {cutoff} are too few for all members"
        )
    found = average(seen, config, universe)
    pooled = None if universe is None else universe.newest_member(seen.y)
    members = fit_members(seen, config, config.members, pooled, found.rounds)
    X, y = np.ascontiguousarray(later.X), later.y
    relative = None if universe is None else universe.relative(later.dates, X)
    centres = predict_with(members, X, relative)
    k = len(members)
    log_density = bma.log_densities(y[:, None] - centres, found.scales)
    columns = [
        _of_mixture(y, centres, found.scales, log_density, weights)
        for weights in (found.weights, np.full(k, 1 / k), *np.eye(k))
    ]
    columns.append(_of_recipe(seen, X, y, config))
    spread = float(np.sqrt(np.mean(np.square(seen.y))))
    columns.append(_of_gaussian(y, np.zeros(len(y)), spread))
    stacked = (np.column_stack(part).astype(np.float32) for part in zip(*columns, strict=True))
    return Hindcast(Scored(forecasters(config), later.dates, y, *stacked), found.weights)


def _of_mixture(
    y: Matrix, centres: Matrix, scales: Matrix, log_density: Matrix, weights: Matrix
) -> _Columns:
    return (
        bma.mixture_mean(centres, weights),
        bma.mixture_log_density(log_density, weights),
        mixture_crps(y, centres, scales, weights),
        bma.mixture_cdf(y, centres, scales, weights),
    )


def _of_gaussian(y: Matrix, means: Matrix, sd: float) -> _Columns:
    import scoringrules

    crps = scoringrules.crps_normal(y, means, sd)
    return means, norm.logpdf(y, means, sd), crps, norm.cdf(y, means, sd)


def _of_recipe(seen: StockArrays, X: NDArray[np.float32], y: Matrix, config: FitConfig) -> _Columns:
    """The plain recipe: three members, all their rounds, equal weights.

    Its error is a Gaussian with the root mean square error on the last fifth
    of the rows, forecast by models of the first four fifths.
    """
    cut = int(len(seen.y) * _RECIPE_SHARE)
    first, last = seen.take(slice(0, cut)), seen.take(slice(cut, None))
    errors = last.y - _mean_of_three(first, last.X, config)
    # No error at all: a stock that did not trade in that fifth.
    sd = float(np.sqrt(np.mean(np.square(errors)))) or float(seen.y.std())
    return _of_gaussian(y, _mean_of_three(seen, X, config), sd)


def _mean_of_three(seen: StockArrays, X: NDArray[np.float32], config: FitConfig) -> Matrix:
    rows = training_rows(seen, config)
    preset = replace(config.preset, xgb_min_child_weight=_RECIPE_XGB_LEAF)
    rounds = {"xgb": preset.xgb_rounds, "lgbm": preset.lgbm_rounds}
    predictions = [
        REGISTRY[name].fit(rows, preset, config.seed, rounds.get(name)).predict(X)
        for name in _RECIPE_MEMBERS
    ]
    # Whoever writes the recipe lets the trees start from the plain mean.
    plain = seen.y.mean() - drift(seen.y, config.horizon)
    result: Matrix = np.mean(predictions, axis=0) + plain
    return result
