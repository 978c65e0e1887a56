"""Fits one stock: arrays and config in, result out; reads and writes nothing."""

import time

import numpy as np
from numpy.typing import NDArray

from bmastore import artifacts, bma, ensemble
from bmastore.arrays import StockArrays
from bmastore.clock import utc_now
from bmastore.config import FitConfig
from bmastore.ensemble import Ensemble
from bmastore.errors import ConstantTargetError, TooFewRowsError
from bmastore.exchange import FitOutcome, FitResult, MemberScore, OutOfFold, Remembered, Work
from bmastore.members import REGISTRY
from bmastore.oof import boosting, out_of_fold, training_rows
from bmastore.splits import walk_forward


def fit_stock(
    stock: StockArrays, config: FitConfig, remembered: Remembered | None = None
) -> FitResult:
    """Train one stock's ensemble and forecast its newest rows.

    Parameters
    ----------
    stock:
        All rows up to the cutoff. Rows with a target are learnt from; rows
        without one, or else the last row, are forecast.
    config:
        Members, folds, weighting and seed.
    remembered:
        Out-of-fold predictions of an earlier fit by the same config; they save
        time and change nothing.

    Raises
    ------
    TooFewRowsError
        If the history is too short for the folds.
    ConstantTargetError
        If all labels are the same.
    """
    labelled = stock.labelled()
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

    oof, newest_fold = out_of_fold(labelled, folds, config, remembered)
    centres = oof.predictions.astype(np.float64)
    errors = oof.y[:, None] - centres
    scales = bma.error_scales(errors)
    if not scales.all():
        raise ConstantTargetError(f"all {n_oof} out-of-fold labels are {oof.y[0]!r}")
    log_density = bma.log_densities(errors, scales)
    weights = bma.occams_window(bma.WEIGHTINGS[config.weighting](log_density, config.horizon))

    rounds = _final_rounds(oof, config)
    trained = _fit_ensemble(labelled, config, weights, scales, rounds)
    newest = np.isnan(stock.y)
    newest[-1] = True
    blob = ensemble.dump(trained, newest_fold)
    rmse = np.sqrt(np.mean(np.square(errors), axis=0))
    columns = zip(config.members, weights, log_density.mean(axis=0), rmse, scales, strict=True)
    return FitResult(
        tuple(MemberScore(name, *map(float, numbers)) for name, *numbers in columns),
        _metrics(oof.y, centres, log_density, scales, weights, rounds),
        trained.forecast(stock.dates[newest], stock.X[newest]),
        oof,
        blob,
        artifacts.digest(blob),
    )


def fit_chunk(work: Work, config: FitConfig) -> list[FitOutcome]:
    """Train several stocks, one after another; a stock that fails is an outcome of its own."""
    return [
        _attempt(stock, config, remembered)
        for stock, remembered in zip(work.rows, work.remembered, strict=True)
    ]


def _attempt(stock: StockArrays, config: FitConfig, remembered: Remembered | None) -> FitOutcome:
    started_at, cpu = utc_now(), time.process_time()
    result, failure = None, None
    try:
        result = fit_stock(stock, config, remembered)
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


def _fit_ensemble(
    labelled: StockArrays,
    config: FitConfig,
    weights: NDArray[np.float64],
    scales: NDArray[np.float64],
    rounds: dict[str, int],
) -> Ensemble:
    """The members that have weight, fitted on all labelled rows."""
    rows = training_rows(labelled, config)
    used = np.flatnonzero(weights)
    names = tuple(config.members[i] for i in used)
    members = tuple(
        REGISTRY[name].fit(rows, config.preset, config.seed, rounds.get(name)) for name in names
    )
    return Ensemble(names, members, weights[used], scales[used], config.features)


def _metrics(
    y: NDArray[np.float64],
    centres: NDArray[np.float64],
    log_density: NDArray[np.float64],
    scales: NDArray[np.float64],
    weights: NDArray[np.float64],
    rounds: dict[str, int],
) -> tuple[tuple[str, float], ...]:
    """The ensemble's scores on its out-of-fold rows, the rows that also set the weights."""
    squares = np.square(y - bma.mixture_mean(centres, weights))
    below = bma.mixture_cdf(y, centres, scales, weights)
    return (
        ("oof_rows", float(len(y))),
        ("oof_rmse", float(np.sqrt(squares.mean()))),
        ("oof_mse_vs_zero", float(squares.mean() / np.square(y).mean())),
        ("oof_log_score", float(bma.mixture_log_density(log_density, weights).mean())),
        ("oof_coverage_80", float(np.mean(np.abs(below - 0.5) <= 0.40))),
        ("oof_coverage_90", float(np.mean(np.abs(below - 0.5) <= 0.45))),
        *((f"rounds_{name}", float(n)) for name, n in rounds.items()),
    )
