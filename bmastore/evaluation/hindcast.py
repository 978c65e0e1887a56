"""Forecasts, as of a cutoff, of rows that came after it, by every forecaster of a backtest.

Runs in workers; reads and writes nothing. Of each stock, the fits see what was
known on the cutoff and no more.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from bmastore.arrays import StockArrays
from bmastore.errors import TooFewRowsError
from bmastore.evaluation.scores import ALWAYS_ZERO, EQUAL, Scored
from bmastore.models import mixture
from bmastore.models.config import FitConfig
from bmastore.models.ensemble import predict_with
from bmastore.models.fit import Averaged, average, final_moves, fit_final, for_history
from bmastore.models.members.base import NOTHING_LENT, drift
from bmastore.models.members.registry import REGISTRY, params_of
from bmastore.models.mixture import Matrix
from bmastore.models.oof import training_rows
from bmastore.models.results import Remembered
from bmastore.models.universe import NOTHING_SHARED, Universe, open_universe
from bmastore.workers.chunks import Chunk, Outcome, attempt

ENSEMBLE, BASELINE = "ensemble", "baseline"
_BASELINE_MEMBERS = ("rf", "xgb", "lgbm")
_BASELINE_SHARE = 0.8
_BASELINE_PARAMS = {"xgb": {"min_child_weight": 1.0}}  # XGBoost's own default
# Errors are judged in units of the root mean square of so many of the newest labels, a year's.
_TRAILING, _LEAST_SIZE = 250, 0.2

# Predictive means, log densities of the targets, CRPS, PIT and probabilities of a positive
# target; each of shape (n,).
_Columns = tuple[Matrix, Matrix, Matrix, Matrix, Matrix]


@dataclass(frozen=True)
class Hindcast:
    """What a backtest learns from one stock and cutoff; ``weights``: shape (k,), by member."""

    scored: Scored
    weights: NDArray[np.float64]


def forecasters(config: FitConfig) -> tuple[str, ...]:
    """The forecasters that are compared, in the order of :class:`Scored`'s columns."""
    return (ENSEMBLE, EQUAL, *config.members, BASELINE, ALWAYS_ZERO)


def hindcast_chunk(
    chunk: Chunk, config: FitConfig, cutoff: np.datetime64
) -> list[Outcome[Hindcast]]:
    """Forecast several stocks; one that fails is an outcome of its own."""
    universe = open_universe(chunk.universe).then(chunk.recent)
    return [
        attempt(stock, partial(hindcast_stock, stock, cutoff, config, universe, remembered))
        for stock, remembered in zip(chunk.rows, chunk.remembered, strict=True)
    ]


def hindcast_stock(
    stock: StockArrays,
    cutoff: np.datetime64,
    config: FitConfig,
    universe: Universe = NOTHING_SHARED,
    remembered: Remembered | None = None,
) -> Hindcast:
    """Train as of ``cutoff``, forecast the rows after it, and score the forecasts.

    Parameters
    ----------
    stock:
        All rows; those after the cutoff that have a target are scored.
    remembered:
        Folds that were fitted for the universe already; they save time and change nothing.

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
    if for_history(seen, config) is not config:
        raise TooFewRowsError(
            f"{len(seen.y)} rows labelled by {cutoff} are too few for all members"
        )
    found = average(seen, config, universe, remembered)
    moves = final_moves(seen, universe)
    members = fit_final(seen, config, config.members, universe, found.rounds, moves)
    X, y = np.ascontiguousarray(later.X), later.y
    inputs = universe.inputs(later.dates, X)
    widths = moves.widths(inputs)
    centres = predict_with(config.members, members, inputs, moves.now(widths))
    k = len(members)
    columns = [
        _of_mixture(y, centres, widths, found.scales, weights)
        for weights in (found.weights, np.full(k, 1 / k), *np.eye(k))
    ]
    columns.append(_of_baseline(seen, X, y, config))
    columns.append(_of_mixture(y, np.zeros((len(y), 1)), widths, _null_scale(found), np.ones(1)))
    means, log_scores, crps, pit, p_up = (
        np.column_stack(part).astype(np.float32) for part in zip(*columns, strict=True)
    )
    sizes = np.full(len(y), _size(seen.y), np.float32)
    return Hindcast(
        Scored(forecasters(config), later.dates, y, means, log_scores, crps, pit, p_up, sizes),
        found.weights,
    )


def _size(y: Matrix) -> float:
    """How large a stock's targets are, of known ones that are not all alike, oldest first.

    The root mean square of the newest; one that has come to a halt still counts as a fifth of
    what it was.
    """
    newest, all_of_them = (float(np.sqrt(np.mean(np.square(some)))) for some in (y[-_TRAILING:], y))
    return max(newest, _LEAST_SIZE * all_of_them)


def _of_mixture(
    y: Matrix, centres: Matrix, widths: Matrix, scales: Matrix, weights: Matrix
) -> _Columns:
    """Of members with ``centres``, shape (n, k), and ``scales`` in units of ``widths``."""
    means = mixture.mixture_mean(centres, weights)
    y, centres = y / widths, centres / widths[:, None]
    log_density = mixture.log_densities(y[:, None] - centres, scales)
    return (
        means,
        mixture.mixture_log_density(log_density, weights) - np.log(widths),
        mixture.mixture_crps(y, centres, scales, weights) * widths,
        mixture.mixture_cdf(y, centres, scales, weights),
        mixture.mixture_p_up(centres, scales, weights),
    )


def _null_scale(found: Averaged) -> Matrix:
    """Scale of targets out of fold, in units of their widths, shape (1,): that of the null."""
    scale = mixture.error_scales((found.oof.y / found.widths)[:, None], found.half_life)
    return np.where(scale > 0, scale, found.scales.max())


def _of_gaussian(y: Matrix, means: Matrix, sd: float) -> _Columns:
    import scoringrules

    crps = scoringrules.crps_normal(y, means, sd)
    below, p_up = norm.cdf(y, means, sd), norm.sf(0.0, means, sd)
    return means, norm.logpdf(y, means, sd), crps, below, p_up


def _of_baseline(
    seen: StockArrays, X: NDArray[np.float32], y: Matrix, config: FitConfig
) -> _Columns:
    """The plain forecaster: three members, all their rounds, equal weights.

    Its error is a Gaussian with the root mean square error on the last fifth
    of the rows, forecast by models of the first four fifths.
    """
    cut = int(len(seen.y) * _BASELINE_SHARE)
    first, last = seen.take(slice(0, cut)), seen.take(slice(cut, None))
    errors = last.y - _mean_of_three(first, last.X, config)
    # No error at all: a stock that did not trade in that fifth.
    sd = float(np.sqrt(np.mean(np.square(errors)))) or float(seen.y.std())
    return _of_gaussian(y, _mean_of_three(seen, X, config), sd)


def _mean_of_three(seen: StockArrays, X: NDArray[np.float32], config: FitConfig) -> Matrix:
    rows = training_rows(seen, config, NOTHING_LENT)
    predictions = []
    for name in _BASELINE_MEMBERS:
        # The preset's, whatever is set of the members: else it would be no plain forecaster.
        params = {**params_of(name, config.preset), **_BASELINE_PARAMS.get(name, {})}
        rounds = int(params["n_trees"]) if REGISTRY[name].boosts else None
        predictions.append(REGISTRY[name].fit(rows, params, config.seed, rounds).predict(X))
    # Whoever writes it so lets the trees start from the plain mean.
    plain = seen.y.mean() - drift(seen.y, config.horizon)
    result: Matrix = np.mean(predictions, axis=0) + plain
    return result
