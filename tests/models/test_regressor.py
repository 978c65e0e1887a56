"""BMARegressor is a scikit-learn estimator like any other."""

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from bmastore import BMARegressor
from bmastore.errors import BmastoreError, ConfigError, InputError
from bmastore.models.folds import walk_forward


@parametrize_with_checks([BMARegressor()])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def series(n=600, signal=1.0, seed=0):
    """Features and a target that one of them drives."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 4))
    return X, signal * X[:, 0] + random.normal(size=n)


def test_weights_sum_to_1_and_the_nulls_lose_where_there_is_a_signal():
    X, y = series()
    model = BMARegressor().fit(X, y)
    weights = dict(zip(model.members, model.weights_, strict=True))
    assert model.weights_.sum() == pytest.approx(1)
    assert weights["zero"] == weights["mean"] == 0
    assert model.score(*series(seed=1)) > 0.3


def test_the_nulls_win_where_there_is_nothing_to_learn():
    X, y = series(signal=0.0)
    model = BMARegressor(horizon=5).fit(X, y)
    weights = dict(zip(model.members, model.weights_, strict=True))
    assert weights["zero"] + weights["mean"] > 0.5
    X, y = series(signal=0.0, seed=1)
    assert np.mean((y - model.predict(X)) ** 2) < 1.02 * np.mean(y**2)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_intervals_hold_what_they_promise(coverage):
    X, y = series(n=2000)
    model = BMARegressor(preset="fast").fit(X[:1000], y[:1000])
    low, high = model.predict_interval(X[1000:], coverage).T
    assert (low < high).all()
    inside = np.mean((low <= y[1000:]) & (y[1000:] <= high))
    assert inside == pytest.approx(coverage, abs=0.05)


def test_it_serves_in_a_pipeline_and_in_cross_validation():
    X, y = series()
    model = make_pipeline(StandardScaler(), BMARegressor(preset="ultrafast", horizon=5))
    scores = cross_val_score(model, X, y, cv=TimeSeriesSplit(n_splits=3, gap=5))
    assert (scores > 0.1).all()


def test_the_folds_learn_only_from_targets_that_were_known(monkeypatch):
    """With targets known 50 rows later, a fold learns from the rows up to 50 before it."""
    seen = []

    def note(dates, label_ends, splits):
        folds = walk_forward(dates, label_ends, splits)
        seen.extend((int(fold.train[-1]), fold.test.tolist()) for fold in folds)
        return folds

    monkeypatch.setattr("bmastore.models.fit.walk_forward", note)
    X, y = series(n=300)
    BMARegressor(members=("xgb", "zero"), horizon=50).fit(X, y)
    first_rows = (150, 200, 250)
    assert seen == [(row - 51, list(range(row, row + 50))) for row in first_rows]


def test_a_signal_that_turned_around_costs_weight():
    X, y = series(n=600)
    model = BMARegressor(members=("xgb", "zero"), horizon=50)
    turned = y.copy()
    turned[400:] *= -1
    assert model.fit(X, turned).weights_[0] < clone(model).fit(X, y).weights_[0]


def test_equal_seeds_give_equal_models_in_every_process():
    X, y = series(n=200)
    model = BMARegressor(preset="ultrafast", random_state=3)
    one, other = clone(model).fit(X, y), clone(model).fit(X, y)
    assert np.array_equal(one.predict(X), other.predict(X))
    folds = TimeSeriesSplit(n_splits=2, gap=1)
    here, elsewhere = (cross_val_score(model, X, y, cv=folds, n_jobs=n) for n in (1, 2))
    assert np.array_equal(here, elsewhere)
    there, back = Parallel(n_jobs=2)(delayed(ends)(one, X) for _ in range(2))
    assert np.array_equal(there, ends(one, X))
    assert np.array_equal(back, there)


def ends(model, X):
    """What another process makes of a fitted model that it was sent."""
    return np.column_stack([model.predict(X), model.predict_interval(X)])


def test_mistakes_are_values_that_are_wrong():
    X, y = series(n=60)
    for model, error, message in (
        (BMARegressor(members=("gpt",)), ConfigError, "unknown member 'gpt'"),
        (BMARegressor(members=("pooled", "zero")), ConfigError, "pooled"),
        (BMARegressor(weighting="best"), ConfigError, "unknown weighting"),
        (BMARegressor(horizon=0), ConfigError, "horizon"),
        (BMARegressor(horizon=100), InputError, "n_samples=60: 60 labelled rows"),
    ):
        with pytest.raises(error, match=message) as caught:
            model.fit(X, y)
        assert isinstance(caught.value, ValueError)
        assert isinstance(caught.value, BmastoreError)
    with pytest.raises(InputError, match="all 60 labels"):
        BMARegressor().fit(X, np.ones(60))
    with pytest.raises(InputError, match="coverage"):
        BMARegressor().fit(X, y).predict_interval(X, 1.5)
