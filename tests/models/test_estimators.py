"""Any scikit-learn regressor as a member: told apart, fitted alike everywhere, never a pickle."""

import sys
import types

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesRegressor,
    HistGradientBoostingRegressor,
    StackingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bmastore import BMARegressor, Estimator, TrainConfig
from bmastore.errors import ArtifactError, ConfigError, MemberError, UntrustedError
from bmastore.models.config import FitConfig
from bmastore.models.fit import fit_stock
from bmastore.models.members.estimators import own_from_bytes
from bmastore.models.members.registry import REGISTRY, params_of
from bmastore.models.oof import training_rows
from bmastore.workers.local import local_executor
from tests.helpers import CONFIG, HORIZON, TRAIN, stock

SCALED_RIDGE = make_pipeline(SimpleImputer(), StandardScaler(), Ridge())
REGRESSORS = {
    "ridge": SCALED_RIDGE,
    "elastic-net": make_pipeline(SimpleImputer(), ElasticNet(alpha=1e-3)),
    "extra-trees": ExtraTreesRegressor(20, min_samples_leaf=5),
    "hist-boosting": HistGradientBoostingRegressor(max_iter=20),
    "neighbours": make_pipeline(SimpleImputer(), KNeighborsRegressor(20)),
    "mlp": make_pipeline(SimpleImputer(), StandardScaler(),
                         MLPRegressor(hidden_layer_sizes=(8,), max_iter=30)),
    "bagging": BaggingRegressor(make_pipeline(SimpleImputer(), Ridge()), n_estimators=3),
    "stacking": make_pipeline(SimpleImputer(), StackingRegressor([("ridge", Ridge())])),
}  # fmt: skip
FEATURES = ("f0", "f1", "f2", "f3")


class Fails(RegressorMixin, BaseEstimator):
    """Fails where it is told to."""

    def __init__(self, where="fit"):
        self.where = where

    def fit(self, X, y):
        if self.where == "fit":
            raise RuntimeError("no fit today")
        self.mean_ = float(y.mean())
        return self

    def predict(self, X):
        if self.where == "predict":
            raise RuntimeError("no forecast today")
        return np.full(len(X), np.nan if self.where == "nan" else self.mean_)


def config_with(*members):
    return TrainConfig(preset="ultrafast", members=members).resolve("y", HORIZON, FEATURES)


def fitted(estimator, seed=0, **traits):
    rows = training_rows(stock(signal=0.5, missing=0.05).labelled(), CONFIG, None)
    return Estimator("own", estimator, **traits).fit(rows, seed)


@pytest.mark.parametrize("name", REGRESSORS)
def test_it_is_averaged_stored_and_read_back_as_it_was(name):
    one = stock(signal=0.6, missing=0.02)
    config = config_with("zero", Estimator(name, REGRESSORS[name]))
    result = fit_stock(one, config)
    assert [score.error for score in result.scores] == [None, None]
    assert result.artifact == fit_stock(one, config).artifact
    member = fitted(REGRESSORS[name])
    again = own_from_bytes(name, member.to_bytes(), ())
    assert np.array_equal(again.predict(one.X), member.predict(one.X))


@pytest.mark.slow
def test_catboost_is_one_too():
    catboost = pytest.importorskip("catboost")
    trees = catboost.CatBoostRegressor(iterations=20)
    one = stock(signal=0.6, missing=0.02)
    config = config_with("zero", Estimator("catboost", trees))
    result = fit_stock(one, config)
    assert {score.member: score.weight for score in result.scores}["catboost"] > 0.5
    # Its files bear the time of their fit, so that they differ where the models do not.
    assert np.array_equal(result.forecasts.mean, fit_stock(one, config).forecasts.mean)
    blob = fitted(trees).to_bytes()
    with pytest.raises(UntrustedError, match="CatBoostRegressor"):
        own_from_bytes("catboost", blob, ())
    again = own_from_bytes("catboost", blob, ["catboost.core.CatBoostRegressor"])
    assert np.array_equal(again.predict(one.X), fitted(trees).predict(one.X))


def test_a_member_that_sees_the_signal_earns_its_weight():
    result = fit_stock(stock(signal=0.6), config_with("zero", Estimator("ridge", SCALED_RIDGE)))
    weights = {score.member: score.weight for score in result.scores}
    assert weights["ridge"] > 0.9


def test_what_is_given_is_left_as_it_was():
    given = ExtraTreesRegressor(5, n_jobs=4)
    fitted(given)
    assert given.n_jobs == 4
    assert given.random_state is None
    assert not hasattr(given, "estimators_")


def test_it_is_fitted_by_one_thread_and_the_seed_of_the_config():
    one, same, other = (fitted(ExtraTreesRegressor(5, n_jobs=4), seed) for seed in (1, 1, 2))
    X = stock().X
    assert one.model.n_jobs == 1
    assert np.array_equal(one.predict(X), same.predict(X))
    assert not np.array_equal(one.predict(X), other.predict(X))


def test_a_seed_of_its_own_stays():
    one, same = (fitted(ExtraTreesRegressor(5, random_state=7), seed) for seed in (1, 2))
    assert np.array_equal(one.predict(stock().X), same.predict(stock().X))


@pytest.mark.parametrize(
    "changed",
    [
        make_pipeline(SimpleImputer(), StandardScaler(), Ridge(alpha=2)),
        make_pipeline(SimpleImputer(), Ridge()),
        make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), Ridge()),
        ElasticNet(),
    ],
)
def test_another_class_or_parameter_is_another_config(changed):
    before, after = (config_with("zero", Estimator("own", e)) for e in (SCALED_RIDGE, changed))
    assert before.digest() != after.digest()


def test_threads_and_copies_are_no_other_config():
    before, after = (
        config_with("zero", Estimator("own", ExtraTreesRegressor(5, n_jobs=n))) for n in (1, 8)
    )
    assert before.digest() == after.digest()
    with local_executor(1) as worker:
        assert worker.submit(FitConfig.digest, before).result() == before.digest()


def test_its_packages_are_part_of_the_code_that_made_an_entry(monkeypatch):
    plain, own = config_with("zero", "mean"), config_with("zero", Estimator("own", Ridge()))
    before = plain.code_version(), own.code_version()
    monkeypatch.setattr("importlib.metadata.version", lambda package: "99")
    assert (plain.code_version() == before[0], own.code_version() == before[1]) == (True, False)


def test_the_source_of_a_class_that_no_package_brings_is_part_of_it():
    version = config_with("zero", Estimator("own", Fails("nan"))).code_version()
    assert "tests.models.test_estimators.Fails=" in version


def test_weights_are_those_of_calm_rows():
    labelled = stock(signal=0.5).labelled()
    rows = training_rows(labelled, CONFIG, None, np.linspace(1, 4, len(labelled.y)))
    plain, weighted = (
        Estimator("own", SCALED_RIDGE, weighted=asked).fit(rows, 0) for asked in (False, True)
    )
    assert rows.weights.mean() == pytest.approx(1)
    assert rows.weights[0] == pytest.approx(16 * rows.weights[-1])
    assert not np.allclose(plain.predict(rows.X), weighted.predict(rows.X))


@pytest.mark.parametrize("where", ["fit", "predict", "nan"])
def test_one_that_fails_on_a_stock_is_left_out_with_the_reason(where):
    one = stock(signal=0.6)
    alone = fit_stock(one, config_with("zero", "mean"))
    result = fit_stock(one, config_with("zero", Estimator("bad", Fails(where)), "mean"))
    scores = {score.member: score for score in result.scores}
    assert scores["bad"].weight == 0
    assert scores["bad"].error
    assert scores["zero"].weight == alone.scores[0].weight
    assert np.array_equal(result.forecasts.mean, alone.forecasts.mean)


def test_where_all_members_fail_so_does_the_stock():
    with pytest.raises(MemberError, match="member bad: RuntimeError: no fit today"):
        fit_stock(stock(), config_with(Estimator("bad", Fails())))


def test_one_that_takes_no_gaps_is_told_to_bring_an_imputer():
    result = fit_stock(stock(missing=0.1), config_with("zero", Estimator("ridge", Ridge())))
    assert "make_pipeline(SimpleImputer(), …)" in result.scores[-1].error


def test_a_type_that_is_not_trusted_is_not_read():
    blob = fitted(Fails("nowhere")).to_bytes()
    with pytest.raises(UntrustedError, match=r"models\.test_estimators\.Fails, which is not"):
        own_from_bytes("own", blob, ())
    again = own_from_bytes("own", blob, ("tests.models.test_estimators.Fails",))
    assert again.predict(stock().X).std() == 0


def test_a_pickle_is_refused_and_runs_nothing(tmp_path):
    left = tmp_path / "ran"
    hostile = b"cos\nmkdir\n(V" + str(left).encode() + b"\ntR."  # makes a folder when it is loaded
    with pytest.raises(ArtifactError, match="cannot be read"):
        own_from_bytes("own", hostile, ("os.mkdir",))
    assert not left.exists()


@pytest.mark.parametrize(
    ("name", "estimator", "message"),
    [
        ("Ridge Regression", Ridge(), "cannot be a member's name"),
        ("rf", Ridge(), "comes with bmastore"),
        ("own", Ridge, "no scikit-learn regressor"),
        ("own", 3, "no scikit-learn regressor"),
        ("own", Ridge(alpha=object()), "nobody can say whether two object are the same"),
        ("own", ExtraTreesRegressor(random_state=np.random.RandomState(0)), "RandomState"),
    ],
)
def test_what_can_be_no_member_is_refused_at_once(name, estimator, message):
    with pytest.raises(ConfigError, match=message):
        Estimator(name, estimator)


def test_weights_are_refused_where_they_cannot_be_taken():
    with pytest.raises(ConfigError, match="takes no sample weights"):
        Estimator("own", make_pipeline(SimpleImputer(), KNeighborsRegressor()), weighted=True)


def test_one_is_imported_by_its_path(monkeypatch):
    module = types.ModuleType("theirs")
    module.ridge, module.make, module.number = Ridge(alpha=3), lambda: Ridge(alpha=4), 3
    monkeypatch.setitem(sys.modules, "theirs", module)
    assert TrainConfig(members=("zero", "own=theirs:ridge")).members[1].estimator.alpha == 3
    assert Estimator.imported("own", "theirs:make").estimator.alpha == 4
    for path in ("theirs:number", "theirs:nothing", "nowhere:at_all", "theirs", ""):
        with pytest.raises(ConfigError, match="member own"):
            Estimator.imported("own", path)


def test_the_scikit_learn_estimator_takes_them_too():
    one = stock(signal=0.6).labelled()
    found = BMARegressor(members=("zero", Estimator("ridge", SCALED_RIDGE)), horizon=HORIZON)
    found.fit(one.X, one.y)
    assert found.weights_[1] > 0.9
    assert found.predict(one.X).shape == (len(one.y),)


@pytest.fixture(params=["scikit-learn", "scikit-learn-intelex"])
def grower(request, monkeypatch):
    """What grows the trees of ``rf-sklearn``."""
    if request.param == "scikit-learn":
        monkeypatch.setitem(sys.modules, "sklearnex.ensemble", None)
    else:
        pytest.importorskip("sklearnex")
    return request.param


def test_the_recipes_own_forest_is_stored_and_read_back_whoever_grew_it(grower):
    one = stock(signal=0.6, missing=0.02)
    config = config_with("zero", "rf-sklearn")
    result = fit_stock(one, config)
    assert result.artifact == fit_stock(one, config).artifact
    rows = training_rows(stock(signal=0.5).labelled(), CONFIG, None)
    forest = REGISTRY["rf-sklearn"].fit(rows, params_of("rf-sklearn", "fast"), 0, None)
    assert type(forest.model).__module__ == "sklearn.ensemble._forest"
    again = REGISTRY["rf-sklearn"].from_bytes(forest.to_bytes(), None)
    assert np.array_equal(again.predict(rows.X), forest.predict(rows.X))
    assert np.corrcoef(forest.predict(rows.X), rows.X[:, 0])[0, 1] > 0.5


def test_who_grows_the_trees_is_part_of_the_code_version():
    assert "scikit-learn-intelex=" in config_with("zero", "rf-sklearn").code_version()
    assert "scikit-learn-intelex=" not in config_with("zero", "rf").code_version()


def test_the_forest_of_lightgbm_is_as_good_as_that_of_scikit_learn(grower):
    """Their errors out of sample differ by less than those of two seeds do."""
    errors = {}
    for name in ("rf", "rf-sklearn"):
        for seed in range(4):
            config = TrainConfig(members=(name, "zero"), seed=seed).resolve("y", HORIZON, FEATURES)
            errors[name, seed] = np.mean(
                [
                    fit_stock(stock(signal=0.5, seed=s, n=600), config).scores[0].oof_rmse
                    for s in range(4)
                ]
            )
    by_name = {name: [errors[name, seed] for seed in range(4)] for name in ("rf", "rf-sklearn")}
    between = abs(np.mean(by_name["rf"]) - np.mean(by_name["rf-sklearn"]))
    assert between < max(np.ptp(by_name["rf"]), np.ptp(by_name["rf-sklearn"]))


def test_the_config_of_fits_without_own_members_is_what_it_was():
    assert TRAIN.resolve("y", HORIZON, FEATURES).digest() == CONFIG.digest()
    assert "estimators" not in CONFIG.to_json()
