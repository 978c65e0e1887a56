"""Reasons: forecasts as sums of what features add, and what splits have gained."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from bmastore import Estimator
from bmastore.models.ensemble import Ensemble, FoldModels, dump, load
from bmastore.models.inputs import Inputs
from bmastore.models.members.base import Lent, TrainingRows
from bmastore.models.members.pooled import fit_pooled
from bmastore.models.members.registry import REGISTRY, params_of
from bmastore.models.width import Moves

UNDIVIDED = {"rf-sklearn"}
N, P = 260, 4


def rows(seed=0, missing=0.0, signal=0.5):
    """Training rows whose first feature explains a part of the target, and what all stocks share.

    Where ``missing`` is 1, no feature is known anywhere.
    """
    random = np.random.default_rng(seed)
    X = random.standard_normal((N, P)).astype(np.float32)
    y = 0.03 * (signal * X[:, 0] + random.standard_normal(N))
    X[random.random(X.shape) < missing] = np.nan
    days = np.arange(N) // 10
    pooled, _ = fit_pooled(
        X, y / 0.02, np.full(N, 0.02), days, params_of("pooled", "ultrafast"), seed
    )
    head, tail = np.arange(0, 200), np.arange(205, N)
    return TrainingRows(X, y, head, tail, 5, Lent(pooled, 0.02))


def ensemble_of(names, learnt, weights, rounds=8):
    members = [
        REGISTRY[name].fit(learnt, params_of(name, "ultrafast"), 0, rounds)
        if name in REGISTRY
        else Estimator(name, make_pipeline(SimpleImputer(), Ridge())).fit(learnt, 0)
        for name in names
    ]
    moves = Moves.of(None, Inputs.alone(learnt.X), learnt.y, learnt.lent.scale)
    features = tuple(f"f{i}" for i in range(P))
    ones = np.ones(len(names))
    return Ensemble(tuple(names), tuple(members), np.asarray(weights), ones, moves, features)


def inputs_of(X):
    """Rows among stocks: what is relative is told apart from what is not."""
    return Inputs(X, (X * 0.5).astype(np.float32), X)


def days(n):
    return np.datetime64("2024-01-01") + np.arange(n)


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 2**16),
    st.sampled_from([0.0, 0.1, 0.6, 1.0]),
    st.sampled_from([0.0, 0.7]),
    st.sampled_from([None, 0, 1, 30]),
)
def test_what_features_and_bases_add_sums_to_the_forecast(seed, missing, signal, rounds):
    names = sorted(REGISTRY.keys() - UNDIVIDED)
    weights = np.random.default_rng(seed).dirichlet(np.ones(len(names)))
    learnt = rows(seed, missing, signal)
    ensemble = ensemble_of(names, learnt, weights, rounds)
    inputs, dates = inputs_of(learnt.X), days(N)
    mean = ensemble.forecast(dates, inputs).mean
    found = ensemble.contributions(dates, inputs)
    np.testing.assert_allclose(found.parts.sum(axis=(1, 2)), mean, rtol=1e-6, atol=1e-15)
    np.testing.assert_allclose(found.centres @ found.weights, mean, rtol=1e-6, atol=1e-15)
    of_members = found.centres * found.weights
    np.testing.assert_allclose(found.parts.sum(axis=2), of_members, rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize("name", ["rf", "xgb", "lgbm", "pooled"])
def test_the_base_is_the_same_for_all_rows_and_the_feature_that_tells_adds_most(name):
    learnt = rows(signal=1.5)
    found = ensemble_of([name], learnt, [1.0], 30).contributions(days(N), inputs_of(learnt.X))
    base, features = found.parts[:, 0, -1], found.parts[:, 0, :-1]
    # XGBoost tells them as 32-bit floats.
    assert np.ptp(base) < 1e-6 * np.abs(found.centres).max()
    assert np.abs(features).mean(axis=0).argmax() == 0


@pytest.mark.parametrize("name", ["rf", "xgb", "lgbm"])
def test_a_member_that_is_read_back_gives_the_same_reasons(name):
    learnt = rows(missing=0.1)
    made = ensemble_of([name, "zero"], learnt, [0.4, 0.6])
    again = load(dump(made, FoldModels(0, ())), lambda sha256: b"")
    inputs = inputs_of(learnt.X)
    np.testing.assert_allclose(
        again.contributions(days(N), inputs).parts,
        made.contributions(days(N), inputs).parts,
        atol=1e-9,
    )


def test_what_a_booster_learnt_after_its_best_round_has_no_part_in_it():
    learnt = rows(signal=1.0)
    for name in ("xgb", "lgbm"):
        ensemble = ensemble_of([name], learnt, [1.0], None)
        (member,) = ensemble.members
        again = REGISTRY[name].from_bytes(member.to_bytes(), learnt.lent)
        assert member.rounds > 0
        found = member.contributions(learnt.X)
        np.testing.assert_allclose(found, again.contributions(learnt.X), atol=1e-8)


@pytest.mark.parametrize("name", ["rf-sklearn", "own"])
def test_of_just_any_regressor_nothing_is_guessed(name):
    learnt = rows()
    ensemble = ensemble_of([name, "lgbm"], learnt, [0.5, 0.5])
    inputs = inputs_of(learnt.X)
    found = ensemble.contributions(days(N), inputs)
    assert np.isnan(found.parts[:, 0]).all()
    assert not np.isnan(found.parts[:, 1]).any()
    told = found.weights[0] * found.centres[:, 0] + found.parts[:, 1].sum(axis=1)
    np.testing.assert_allclose(told, ensemble.forecast(days(N), inputs).mean, rtol=1e-6)


def test_forecasts_of_no_rows_have_no_reasons():
    learnt = rows()
    ensemble = ensemble_of(["rf", "xgb", "lgbm", "pooled"], learnt, [0.25] * 4)
    found = ensemble.contributions(days(0), inputs_of(learnt.X[:0]))
    assert found.parts.shape == (0, 4, P + 1)


def test_importances_are_shares_of_the_gain_and_those_without_trees_have_none():
    learnt = rows(signal=1.5)
    names = sorted({*REGISTRY, "own"})
    found = ensemble_of(names, learnt, np.full(len(names), 1 / len(names)), 20).importances()
    assert set(found) == {"rf", "xgb", "lgbm"}
    for shares in found.values():
        assert shares.sum() == pytest.approx(1)
        assert shares.argmax() == 0
    nothing = ensemble_of(["lgbm"], rows(missing=1.0), [1.0], 5).importances()
    assert not nothing["lgbm"].any()
