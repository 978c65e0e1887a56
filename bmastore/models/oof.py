"""Out-of-fold predictions: remembered where nothing they stand on has changed, else computed."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bmastore import digests
from bmastore.arrays import StockArrays
from bmastore.errors import ArtifactError
from bmastore.models.config import FitConfig
from bmastore.models.ensemble import FoldModels, load_fold, predict_with
from bmastore.models.folds import Fold, tail_split
from bmastore.models.inputs import Inputs
from bmastore.models.members.base import FittedMember, Lent, TrainingRows
from bmastore.models.members.registry import REGISTRY, boosting_among
from bmastore.models.results import FoldRecord, OutOfFold, Remembered
from bmastore.models.universe import Universe
from bmastore.models.width import Moves


@dataclass(frozen=True)
class _Recalled:
    """One fold as it is remembered; its models only if it was the newest."""

    record: FoldRecord
    predictions: NDArray[np.float32]
    models: FoldModels | None


@dataclass(frozen=True)
class _FoldResult:
    """One fold's predictions, and whether they are just the remembered ones."""

    record: FoldRecord
    predictions: NDArray[np.float32]
    is_kept: bool
    models: FoldModels | None
    widths: NDArray[np.float64]


def out_of_fold(
    labelled: StockArrays,
    folds: list[Fold],
    config: FitConfig,
    universe: Universe,
    remembered: Remembered | None,
) -> tuple[OutOfFold, FoldModels, NDArray[np.float64]]:
    """Predictions for the n rows of all folds, the newest fold's models, and the rows' widths.

    Widths, shape (n,), are in units of the target, each as known before its fold began.

    A fold's members are fitted anew unless its training rows, its pooled model, their widths and
    the features of the rows that it predicts are those of a remembered fold. Of the newest
    fold models are remembered as well; they predict its rows where these are others.
    """
    last = len(folds) - 1
    models = None
    if remembered:
        try:
            models = load_fold(remembered.artifact)
        except ArtifactError:  # it is not needed: its fold is fitted again
            remembered = None
    results = [
        _predict(
            labelled,
            fold,
            config,
            universe,
            _recall(remembered, models, fold.number),
            is_newest=i == last,
        )
        for i, fold in enumerate(folds)
    ]
    test = np.concatenate([fold.test for fold in folds])
    oof = OutOfFold(
        config.members,
        labelled.dates[test],
        np.vstack([result.predictions for result in results]),
        tuple(result.record for result in results),
        tuple(
            result.record.number
            for result in results
            if result.is_kept and remembered is not None and remembered.is_stored
        ),
        labelled.y[test],
    )
    newest = results[-1].models
    assert newest is not None
    return oof, newest, np.concatenate([result.widths for result in results])


def training_rows(
    rows: StockArrays,
    config: FitConfig,
    lent: Lent,
    widths: NDArray[np.float64] | None = None,
) -> TrainingRows:
    """A stock's rows as its members take them; ``widths`` are those of the rows, shape (n,)."""
    head, tail = tail_split(rows.dates, rows.label_ends, config.splits.tail_share)
    weights = None
    if widths is not None:
        weights = np.square(1.0 / widths)
        weights /= weights.mean()
    return TrainingRows(rows.X, rows.y, head, tail, config.horizon, lent, weights)


def _recall(
    remembered: Remembered | None, models: FoldModels | None, number: int
) -> _Recalled | None:
    """What is remembered of one fold."""
    start = 0
    for record in remembered.records if remembered else ():
        stop = start + record.n_test
        if record.number == number:
            assert remembered is not None
            mine = models if models is not None and models.number == number else None
            return _Recalled(record, remembered.predictions[start:stop], mine)
        start = stop
    return None


def _predict(
    labelled: StockArrays,
    fold: Fold,
    config: FitConfig,
    universe: Universe,
    recalled: _Recalled | None,
    *,
    is_newest: bool,
) -> _FoldResult:
    train, test = labelled.take(fold.train), labelled.take(fold.test)
    lent, shared = universe.of_fold(fold.number), universe.digest_of_fold(fold.number)
    known, asked = (universe.inputs(rows.dates, rows.X) for rows in (train, test))
    moves = Moves.of(lent.widths, known, train.y, lent.scale)
    widths = moves.widths(asked)
    # How a stock moves stands on the cross-sections of the dates that it learns from as well.
    how = np.array([moves.usual, moves.unit, moves.level])
    train_digest = digests.of_arrays(
        train.dates, train.label_ends, train.X, train.y, how, salt=shared
    )
    test_digest = digests.of_arrays(test.dates, test.X, asked.relative, widths)
    n_train, n_test = len(fold.train), len(fold.test)
    if recalled is not None and recalled.record.train_digest == train_digest:
        old, models = recalled.record, recalled.models
        if old.test_digest == test_digest and (models is not None or not is_newest):
            return _FoldResult(old, recalled.predictions, True, models, widths)
        if models is not None:
            with suppress(ArtifactError):  # of a type that nobody trusts: it is fitted again
                members = models.members(config.members, lent, config.trusted())
                record = replace(old, n_test=n_test, test_digest=test_digest)
                predictions = _predictions(config, members, asked, moves.now(widths))
                return _FoldResult(record, predictions, False, models, widths)

    weighed = moves.widths(known) if config.asks_for_weights() else None
    members = fit_members(train, config, config.members, lent, widths=weighed)
    by_name = dict(zip(config.members, members, strict=True))
    rounds = tuple(by_name[name].rounds for name in boosting_among(config.members))
    record = FoldRecord(fold.number, n_train, n_test, train_digest, test_digest, rounds)
    models = None
    if is_newest:
        models = FoldModels(fold.number, tuple(member.to_bytes() for member in members))
    predictions = _predictions(config, members, asked, moves.now(widths))
    return _FoldResult(record, predictions, False, models, widths)


def fit_members(
    train: StockArrays,
    config: FitConfig,
    names: Sequence[str],
    lent: Lent,
    rounds: Mapping[str, int] | None = None,
    widths: NDArray[np.float64] | None = None,
) -> list[FittedMember]:
    """Members fitted on training rows; boosters without ``rounds`` of their own stop early.

    ``widths``, shape (n,), are those of the rows, for members that ask for weights.

    Raises
    ------
    MemberError
        If a member of somebody's own fails.
    """
    rows = training_rows(train, config, lent, widths)
    members: dict[str, FittedMember] = {}
    # Somebody's own come first: where one fails, nothing has been fitted in vain.
    for name in sorted(names, key=REGISTRY.__contains__):
        if name in REGISTRY:
            own = None if rounds is None else rounds.get(name)
            params = config.params_of(name)
            members[name] = REGISTRY[name].fit(rows, params, config.seed, own)
        else:
            members[name] = config.estimator(name).fit(rows, config.seed)
    return [members[name] for name in names]


def _predictions(
    config: FitConfig,
    members: Sequence[FittedMember],
    inputs: Inputs,
    now: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Members' predictions as they are stored."""
    return predict_with(config.members, members, inputs, now).astype(np.float32)
