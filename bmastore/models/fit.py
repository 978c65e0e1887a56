"""Fits one stock: arrays and config in, result out; reads and writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bmastore import digests
from bmastore.arrays import StockArrays
from bmastore.errors import (
    ConstantTargetError,
    MemberError,
    NotFiniteError,
    TooFewRowsError,
)
from bmastore.models import ensemble, mixture
from bmastore.models.components import ZERO
from bmastore.models.config import FitConfig
from bmastore.models.ensemble import Ensemble, FoldModels
from bmastore.models.folds import walk_forward
from bmastore.models.members.base import FittedMember, shares_in
from bmastore.models.members.registry import REGISTRY, boosting_among, kind_of, shared_among
from bmastore.models.oof import fit_members, out_of_fold
from bmastore.models.prior import posterior
from bmastore.models.results import (
    FitResult,
    MemberScore,
    OofScores,
    OutOfFold,
    Remembered,
)
from bmastore.models.universe import NOTHING_SHARED, Universe
from bmastore.models.weights import Evidence, occams_window
from bmastore.models.width import MIN_MOVES, Moves


@dataclass(frozen=True)
class Averaged:
    """Members compared on a stock's out-of-fold rows: n rows, k members.

    ``widths`` has shape (n,); ``centres``, ``log_density`` and ``evidence`` have shape (n, k),
    ``scales`` and ``weights`` shape (k,); ``rounds`` are those of the boosters' final fits.
    Centres and widths are in units of the target, scales in units of the widths. ``log_density``
    is by each member's scale of now, in which an error counts half as much after ``half_life``
    rows; ``evidence``, by which members are weighed, by that of all rows.
    """

    oof: OutOfFold
    newest_fold: FoldModels
    widths: NDArray[np.float64]
    centres: NDArray[np.float64]
    log_density: NDArray[np.float64]
    evidence: NDArray[np.float64]
    scales: NDArray[np.float64]
    weights: NDArray[np.float64]
    rounds: dict[str, int]
    half_life: float


def fit_stock(
    stock: StockArrays,
    config: FitConfig,
    universe: Universe = NOTHING_SHARED,
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
        What it borrows from the other stocks. A stock too young for members of its
        own gets those that need no history, if one of them is shared.
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
    MemberError
        If a member of somebody's own fails, and there is no other.
    """
    labelled = stock.labelled()
    config = for_history(labelled, config)
    fitted = _fit_without_failing(labelled, config, universe, remembered)
    config, found, trained, importances, failed = fitted
    asked = stock.to_forecast()
    inputs = universe.inputs(asked.dates, asked.X)
    blob = ensemble.dump(trained, found.newest_fold)
    rmses = np.sqrt(np.mean(np.square(found.oof.y[:, None] - found.centres), axis=0))
    columns = zip(
        config.members,
        found.weights,
        found.log_density.mean(axis=0),
        rmses,
        found.scales * trained.moves.widths(inputs)[-1],
        strict=True,
    )
    scores = [
        MemberScore(
            name, float(weight), float(score), float(rmse), float(scale), found.rounds.get(name)
        )
        for name, weight, score, rmse, scale in columns
    ]
    scores += [
        MemberScore(name, 0.0, None, None, None, None, reason) for name, reason in failed.items()
    ]
    return FitResult(
        tuple(scores),
        _oof_scores(found),
        trained.forecast(asked.dates, inputs),
        found.oof.to_store(),
        blob,
        digests.of_artifact(blob),
        trained.universe_sha256,
        importances,
    )


def _fit_without_failing(
    labelled: StockArrays,
    config: FitConfig,
    universe: Universe,
    remembered: Remembered | None,
) -> tuple[FitConfig, Averaged, Ensemble, dict[str, NDArray[np.float64]], dict[str, str]]:
    """The members compared and fitted; somebody's own that fail are left out, with the reason.

    Returns the config without them, too, and the importances.
    """
    failed: dict[str, str] = {}
    while True:
        try:
            found = average(labelled, config, universe, remembered)
            trained = fit_ensemble(labelled, config, universe, found)
            return config, found, trained, _importances(trained, labelled, config), failed
        except MemberError as error:
            left = tuple(name for name in config.members if name != error.member)
            if not set(left) - set(shared_among(left)):
                raise
            failed[error.member] = error.reason
            config, remembered = replace(config, members=left), None


def _importances(
    trained: Ensemble, labelled: StockArrays, config: FitConfig
) -> dict[str, NDArray[np.float64]]:
    """Shares of the features by member: of those with trees, and where they were asked for."""
    found = trained.importances()
    for one in config.estimators:
        if one.permuted and one.name in trained.names:
            member = trained.members[trained.names.index(one.name)]
            found[one.name] = shares_in(one.gains_of(member, labelled.X, labelled.y, config.seed))
    return found


def for_history(labelled: StockArrays, config: FitConfig) -> FitConfig:
    """The config, or for a stock with too short a history the part of it that needs none."""
    folds = walk_forward(labelled.dates, labelled.label_ends, config.splits)
    enough = sum(len(fold.test) for fold in folds) >= config.splits.min_oof_rows
    if enough or not shared_among(config.members):
        return config
    members = tuple(name for name in config.members if not kind_of(name).needs_history)
    splits = replace(config.splits, min_train_rows=0, min_oof_rows=MIN_MOVES)
    return replace(config, members=members, splits=splits)


def average(
    labelled: StockArrays,
    config: FitConfig,
    universe: Universe,
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
            + (f"{least} rows to train on and " if (least := config.splits.min_train_rows) else "")
            + f"{config.splits.min_oof_rows} to predict"
        )
    if np.ptp(labelled.y) == 0:
        raise ConstantTargetError(f"all {len(labelled.y)} labels are {labelled.y[0]:g}")
    oof, newest_fold, widths = out_of_fold(labelled, folds, config, universe, remembered)
    if not (np.isfinite(widths) & (widths > 0)).all():
        raise NotFiniteError(
            "a forecast would be of no width, or of an infinite one; look for extreme values in "
            "the features"
        )
    centres = oof.predictions.astype(np.float64)
    lost = [name for i, name in enumerate(config.members) if not np.isfinite(centres[:, i]).all()]
    for name in lost:
        if name not in REGISTRY:
            raise MemberError(name, "it predicted NaN or infinity")
    if lost:
        raise NotFiniteError(
            f"member {lost[0]} predicted NaN or infinity; look for extreme values in the features"
        )
    errors = (oof.y[:, None] - centres) / widths[:, None]
    # Where nothing else tells how wild a time is, the newest errors do.
    half_life = np.inf if universe.fits else mixture.HALF_LIFE
    scales = mixture.error_scales(errors, half_life)
    if not scales.all():
        raise ConstantTargetError(f"all {n_oof} out-of-fold labels are {oof.y[0]:g}")
    log_density = mixture.log_densities(errors, scales) - np.log(widths)[:, None]
    # Where the newest errors are calmer than the older ones, the member with the largest of them
    # would seem to have foreseen those: evidence of all rows is by the scale of all rows.
    of_all_rows = mixture.log_densities(errors, mixture.error_scales(errors, np.inf))
    evidence = Evidence(errors, of_all_rows, config.horizon, config.seed)
    weights = occams_window(posterior(evidence, config.weighting, config.members, universe.prior))
    rounds = _final_rounds(oof, config)
    return Averaged(
        oof,
        newest_fold,
        widths,
        centres,
        log_density,
        of_all_rows,
        scales,
        weights,
        rounds,
        half_life,
    )


def _final_rounds(oof: OutOfFold, config: FitConfig) -> dict[str, int]:
    """Rounds of each booster's final fit: the median over the folds.

    A tail of its own would keep the newest rows, those most like the forecast
    ones, from the final fit.
    """
    by_fold = np.array([record.rounds for record in oof.records]).reshape(len(oof.records), -1)
    return dict(
        zip(
            boosting_among(config.members),
            np.median(by_fold, axis=0).astype(int).tolist(),
            strict=True,
        )
    )


def fit_ensemble(
    labelled: StockArrays, config: FitConfig, universe: Universe, found: Averaged
) -> Ensemble:
    """The members that have weight, fitted on all labelled rows."""
    used = np.flatnonzero(found.weights)
    names = tuple(config.members[i] for i in used)
    moves = final_moves(labelled, universe)
    members = fit_final(labelled, config, names, universe, found.rounds, moves)
    return Ensemble(
        names,
        tuple(members),
        found.weights[used],
        found.scales[used],
        moves,
        config.features,
        universe.sha256,
        float(found.scales[config.members.index(ZERO)]) if ZERO in config.members else None,
    )


def fit_final(
    labelled: StockArrays,
    config: FitConfig,
    names: Sequence[str],
    universe: Universe,
    rounds: Mapping[str, int],
    moves: Moves,
) -> list[FittedMember]:
    """Members fitted on all labelled rows of a stock that moves so; boosters with ``rounds``."""
    widths = None
    if config.asks_for_weights():
        widths = moves.widths(universe.inputs(labelled.dates, labelled.X))
    return fit_members(labelled, config, names, universe.of_final_fit(), rounds, widths)


def final_moves(labelled: StockArrays, universe: Universe) -> Moves:
    """How a stock moves, by all its labelled rows."""
    lent = universe.of_final_fit()
    return Moves.of(
        lent.widths, universe.inputs(labelled.dates, labelled.X), labelled.y, lent.scale
    )


def _oof_scores(found: Averaged) -> OofScores:
    """The ensemble's scores on its out-of-fold rows, the rows that also set the weights."""
    y, centres, weights = found.oof.y, found.centres, found.weights
    squares = np.square(y - mixture.mixture_mean(centres, weights))
    widths = found.widths[:, None]
    below = mixture.mixture_cdf(y / found.widths, centres / widths, found.scales, weights)
    return OofScores(
        oof_rows=len(y),
        oof_rmse=float(np.sqrt(squares.mean())),
        oof_mse_vs_zero=float(squares.mean() / np.square(y).mean()),
        oof_log_score=float(mixture.mixture_log_density(found.log_density, weights).mean()),
        oof_coverage_80=float(np.mean(np.abs(below - 0.5) <= 0.40)),
        oof_coverage_90=float(np.mean(np.abs(below - 0.5) <= 0.45)),
    )
