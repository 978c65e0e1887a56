"""BMARegressor is a scikit-learn estimator like any other."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from bmastore import BMARegressor
from bmastore.errors import BmastoreError, ConfigError, InputError


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


def test_the_folds_do_not_see_targets_that_were_not_known():
    """With targets known only after 50 rows, the newest 50 of a fold's past cannot help it."""
    X, y = series(n=300)
    model = BMARegressor(members=("xgb", "zero"), horizon=50)
    changed = y.copy()
    changed[200:] *= -1  # the newest fold begins at row 250: it may learn from rows up to 199
    before, after = model.fit(X, y), clone(model).fit(X, changed)
    assert not np.array_equal(before.weights_, after.weights_)
    assert after.weights_[0] < before.weights_[0]


def test_equal_seeds_give_equal_models_and_pickles_keep_them():
    X, y = series(n=200)
    one, other = BMARegressor(random_state=3).fit(X, y), BMARegressor(random_state=3).fit(X, y)
    assert np.array_equal(one.predict(X), other.predict(X))
    kept = pickle.loads(pickle.dumps(one))
    assert np.array_equal(kept.predict(X), one.predict(X))
    assert np.array_equal(kept.predict_interval(X), one.predict_interval(X))


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
