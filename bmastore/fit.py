"""Fits one stock: arrays and config in, result out; reads and writes nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bmastore import bma, digests, ensemble
from bmastore.arrays import StockArrays
from bmastore.calendar import utc_now
from bmastore.config import FitConfig
from bmastore.ensemble import Ensemble, FoldModels
from bmastore.errors import ConstantTargetError, NotFiniteError, TooFewRowsError
from bmastore.exchange import (
    FitOutcome,
    FitResult,
    MemberScore,
    OutOfFold,
    Remembered,
    Result,
    Work,
)
from bmastore.oof import boosting, fit_members, out_of_fold
from bmastore.shared import MIN_MOVES
from bmastore.splits import walk_forward
from bmastore.universe import Universe, open_shared

# Members that a stock needs no history of its own for.
_NO_HISTORY = ("zero", "pooled")


@dataclass(frozen=True)
class Averaged:
    """Members compared on a stock's out-of-fold rows: n rows, k members.

    ``centres`` and ``log_density`` have shape (n, k), ``scales`` and ``weights``
    shape (k,); ``rounds`` are those of the boosters' final fits.
    """

    oof: OutOfFold
    newest_fold: FoldModels
    centres: NDArray[np.float64]
    log_density: NDArray[np.float64]
    scales: NDArray[np.float64]
    weights: NDArray[np.float64]
    rounds: dict[str, int]


def fit_stock(
    stock: StockArrays,
    config: FitConfig,
    universe: Universe | None = None,
    remembered: Remembered | None = None,
) -> FitResult:
    """Train one stock's ensemble and forecast its newest rows.

    Parameters
    ----------
    stock:
        All rows up to the cutoff. Rows with a target are learnt from; rows
        without one, or else the last row, are forecast.
    config:
        Members, folds, weighting and seed.
    universe:
        What it borrows from the other stocks; needed by the pooled member.
        With it, a stock too short for members of its own gets ``pooled`` and
        ``zero``.
    remembered:
        Out-of-fold predictions of an earlier fit by the same config; they save
        time and change nothing.

    Raises
    ------
    TooFewRowsError
        If the history is too short for the folds.
    ConstantTargetError
        If all labels are the same.
    NotFiniteError
        If a member predicts NaN or infinity.
    """
    labelled = stock.labelled()
    config = for_history(labelled, config, universe)
    found = average(labelled, config, universe, remembered)
    trained = fit_ensemble(labelled, config, universe, found)
    newest = np.isnan(stock.y)
    newest[-1] = True
    dates, X = stock.dates[newest], stock.X[newest]
    blob = ensemble.dump(trained, found.newest_fold)
    rmse = np.sqrt(np.mean(np.square(found.oof.y[:, None] - found.centres), axis=0))
    columns = zip(
        config.members,
        found.weights,
        found.log_density.mean(axis=0),
        rmse,
        found.scales,
        strict=True,
    )
    return FitResult(
        tuple(MemberScore(name, *map(float, numbers)) for name, *numbers in columns),
        _metrics(found),
        trained.forecast(dates, X, None if universe is None else universe.relative(dates, X)),
        found.oof,
        blob,
        digests.of_artifact(blob),
        trained.universe_sha256,
    )


def for_history(labelled: StockArrays, config: FitConfig, universe: Universe | None) -> FitConfig:
    """The config, or for a stock with too short a history the part of it that needs none."""
    folds = walk_forward(labelled.dates, labelled.label_ends, config.splits)
    if universe is None or sum(len(fold.test) for fold in folds) >= config.splits.min_oof_rows:
        return config
    members = tuple(name for name in config.members if name in _NO_HISTORY)
    splits = replace(config.splits, min_train_rows=0, min_oof_rows=MIN_MOVES)
    return replace(config, members=members, splits=splits)


def average(
    labelled: StockArrays,
    config: FitConfig,
    universe: Universe | None,
    remembered: Remembered | None = None,
) -> Averaged:
    """Compare the members out of fold and weigh them.

    Raises
    ------
    TooFewRowsError, ConstantTargetError, NotFiniteError
        See :func:`fit_stock`.
    """
    folds = walk_forward(labelled.dates, labelled.label_ends, config.splits)
    n_oof = sum(len(fold.test) for fold in folds)
    if n_oof < config.splits.min_oof_rows:
        raise TooFewRowsError(
            f"{len(labelled.y)} labelled rows give {n_oof} out-of-fold rows; the folds need "
            f"{config.splits.min_train_rows} rows to train on and {config.splits.min_oof_rows} "
            f"to predict"
        )
    if np.ptp(labelled.y) == 0:
        raise ConstantTargetError(f"all {len(labelled.y)} labels are {labelled.y[0]!r}")
    oof, newest_fold = out_of_fold(labelled, folds, config, universe, remembered)
    centres = oof.predictions.astype(np.float64)
    lost = [name for i, name in enumerate(config.members) if not np.isfinite(centres[:, i]).all()]
    if lost:
        raise NotFiniteError(
            f"member {lost[0]} predicted NaN or infinity; look for extreme values in the features"
        )
    errors = oof.y[:, None] - centres
    scales = bma.error_scales(errors)
    if not scales.all():
        raise ConstantTargetError(f"all {n_oof} out-of-fold labels are {oof.y[0]!r}")
    log_density = bma.log_densities(errors, scales)
    evidence = bma.Evidence(errors, log_density, config.horizon, config.seed)
    weights = bma.occams_window(_weigh(evidence, config, universe))
    rounds = _final_rounds(oof, config)
    return Averaged(oof, newest_fold, centres, log_density, scales, weights, rounds)


def _weigh(
    evidence: bma.Evidence, config: FitConfig, universe: Universe | None
) -> NDArray[np.float64]:
    """Weights by the config's formula: on the stock's evidence alone, or as posterior odds.

    With a universe, prior odds are its weights, and the formula sees log
    densities whose means are shrunk toward the universe's.
    """
    formula = bma.WEIGHTINGS[config.weighting]
    if universe is None or universe.prior is None or config.weighting in bma.ALONE:
        return formula(evidence)
    prior = universe.prior.of(config.members)
    leader = int(np.argmax(prior.weights))
    own, variance = bma.advantages(evidence.log_density, leader, config.horizon)
    shared = prior.advantage - prior.advantage[leader]
    shrunk = bma.shrink(own, variance, shared, prior.spread)
    shifted = replace(evidence, log_density=evidence.log_density - own + shrunk)
    odds = prior.weights * formula(shifted)
    result: NDArray[np.float64] = odds / odds.sum()
    return result


def fit_chunk(work: Work, config: FitConfig) -> list[FitOutcome[FitResult]]:
    """Train several stocks, one after another; a stock that fails is an outcome of its own."""
    universe = open_shared(work.shared)
    return [
        attempt(stock, partial(fit_stock, stock, config, universe, remembered))
        for stock, remembered in zip(work.rows, work.remembered, strict=True)
    ]


def score_chunk(work: Work, config: FitConfig) -> list[NDArray[np.float64]]:
    """Out-of-fold log densities, shape (n, k), of the stocks that have all members."""
    universe = open_shared(work.shared)
    scores = []
    for stock in work.rows:
        labelled = stock.labelled()
        if for_history(labelled, config, universe) is config:
            try:
                scores.append(average(labelled, config, universe).log_density)
            except Exception:  # noqa: BLE001, S112  its own fit will say what is wrong with it
                continue
    return scores


def attempt(stock: StockArrays, fit: Callable[[], Result]) -> FitOutcome[Result]:
    """What became of a stock's fit: a result, or the error that it raised."""
    started_at, cpu = utc_now(), time.process_time()
    result, failure = None, None
    try:
        result = fit()
    except Exception as error:  # noqa: BLE001  whatever a library raises is this stock's failure
        failure = error
    return FitOutcome.of(stock, started_at, time.process_time() - cpu, result, failure)


def _final_rounds(oof: OutOfFold, config: FitConfig) -> dict[str, int]:
    """Rounds of each booster's final fit: the median over the folds.

    A tail of its own would keep the newest rows, those most like the forecast
    ones, from the final fit.
    """
    by_fold = np.array([record.rounds for record in oof.records]).reshape(len(oof.records), -1)
    return dict(zip(boosting(config), np.median(by_fold, axis=0).astype(int).tolist(), strict=True))


def fit_ensemble(
    labelled: StockArrays, config: FitConfig, universe: Universe | None, found: Averaged
) -> Ensemble:
    """The members that have weight, fitted on all labelled rows."""
    used = np.flatnonzero(found.weights)
    names = tuple(config.members[i] for i in used)
    pooled = None if universe is None else universe.newest_member(labelled.y)
    members = fit_members(labelled, config, names, pooled, found.rounds)
    sha256 = universe.sha256 if universe is not None and "pooled" in names else None
    return Ensemble(
        names, tuple(members), found.weights[used], found.scales[used], config.features, sha256
    )


def _metrics(found: Averaged) -> tuple[tuple[str, float], ...]:
    """The ensemble's scores on its out-of-fold rows, the rows that also set the weights."""
    y, centres, weights = found.oof.y, found.centres, found.weights
    squares = np.square(y - bma.mixture_mean(centres, weights))
    below = bma.mixture_cdf(y, centres, found.scales, weights)
    return (
        ("oof_rows", float(len(y))),
        ("oof_rmse", float(np.sqrt(squares.mean()))),
        ("oof_mse_vs_zero", float(squares.mean() / np.square(y).mean())),
        ("oof_log_score", float(bma.mixture_log_density(found.log_density, weights).mean())),
        ("oof_coverage_80", float(np.mean(np.abs(below - 0.5) <= 0.40))),
        ("oof_coverage_90", float(np.mean(np.abs(below - 0.5) <= 0.45))),
        *((f"rounds_{name}", float(n)) for name, n in found.rounds.items()),
    )
