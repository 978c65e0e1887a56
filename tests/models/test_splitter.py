"""The folds as a scikit-learn splitter: what is learnt from was known before what is tested."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, check_cv, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bmastore import BMARegressor, PurgedWalkForward
from bmastore.errors import InputError


def panel(n_days=500, n_stocks=3, seed=0):
    """Features, a target and dates of several stocks, in no order."""
    random = np.random.default_rng(seed)
    dates = np.repeat(np.busday_offset("2022-01-03", np.arange(n_days)), n_stocks)
    order = random.permutation(len(dates))
    X = random.standard_normal((len(dates), 3))
    return X, X[:, 0] + random.standard_normal(len(dates)), dates[order]


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 6), st.integers(20, 200), st.integers(1, 30), st.integers(0, 5))
def test_no_label_of_a_training_row_was_unknown_when_its_test_began(folds, days, horizon, seed):
    X, y, dates = panel(seed=seed)
    calendar = np.unique(dates)
    cv = PurgedWalkForward(folds, fold_days=days, horizon=horizon)
    tested = []
    for train, test in cv.split(X, y, groups=dates):
        known = calendar[np.searchsorted(calendar, dates[train]) + horizon]
        assert known.max() < dates[test].min()
        assert np.ptp(dates[test]).astype(int) < days
        tested.append(test)
    assert len(tested) == cv.get_n_splits(X, y, dates) <= folds
    assert len(np.unique(np.concatenate(tested))) == sum(map(len, tested))
    assert dates[tested[-1]].max() == calendar[-1]


def test_rows_that_are_added_leave_older_folds_as_they_were():
    X, _, dates = panel(n_stocks=1)
    order = np.argsort(dates)
    X, dates = X[order], dates[order]
    cv = PurgedWalkForward(n_folds=4, fold_days=60, horizon=5)
    before = {
        dates[test].min(): train.tolist() for train, test in cv.split(X[:480], groups=dates[:480])
    }
    after = {dates[test].min(): train.tolist() for train, test in cv.split(X, groups=dates)}
    common = before.keys() & after.keys()
    assert common
    assert all(before[day] == after[day] for day in common)


def test_without_dates_rows_are_days():
    cv = PurgedWalkForward(n_folds=2, fold_days=10, horizon=3)
    (train, test), (later, newest) = cv.split(np.zeros((40, 2)))
    assert (train.tolist(), test.tolist()) == (list(range(17)), list(range(20, 30)))
    assert (later.tolist(), newest.tolist()) == (list(range(27)), list(range(30, 40)))


def test_grid_search_and_pipelines_take_it():
    X, y, dates = panel()
    cv = PurgedWalkForward(fold_days=60, horizon=5)
    assert check_cv(cv) is cv
    model = make_pipeline(StandardScaler(), Ridge())
    search = GridSearchCV(model, {"ridge__alpha": [0.1, 1e6]}, cv=cv)
    search.fit(X, y, groups=dates)
    assert search.best_params_ == {"ridge__alpha": 0.1}
    assert cross_val_score(model, X, y, groups=dates, cv=cv).shape == (3,)


def test_dates_are_routed_as_metadata():
    X, y, dates = panel()
    cv = PurgedWalkForward(fold_days=60, horizon=5)
    plain = cross_val_score(Ridge(), X, y, groups=dates, cv=cv)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_val_score(Ridge(), X, y, params={"groups": dates}, cv=cv)
    assert routed.tolist() == plain.tolist()


def test_the_ensemble_itself_is_searched_over():
    X, y, _ = panel(n_stocks=1)
    search = GridSearchCV(
        BMARegressor(members=("zero", "mean", "lgbm"), preset="ultrafast"),
        {"weighting": ["pseudo-bma", "equal"], "horizon": [1, 5]},
        cv=PurgedWalkForward(n_folds=2, fold_days=60),
    )
    assert search.fit(X, y).best_estimator_.predict(X).shape == y.shape


@pytest.mark.parametrize(
    ("cv", "groups", "message"),
    [
        (PurgedWalkForward(n_folds=0), None, "n_folds must be at least 1"),
        (PurgedWalkForward(horizon=0), None, "horizon must be at least 1"),
        (PurgedWalkForward(), None, "30 rows give no fold of 126 days"),
        (PurgedWalkForward(), ["a"] * 30, "must be the dates"),
        (PurgedWalkForward(), pd.date_range("2024-01-01", periods=29), "30 dates, one per row"),
        (PurgedWalkForward(), [None] * 30, "none may be missing"),
    ],
)
def test_what_cannot_be_split_says_why(cv, groups, message):
    with pytest.raises(InputError, match=message):
        list(cv.split(np.zeros((30, 1)), groups=groups))
