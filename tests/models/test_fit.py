"""One stock's fit: what it learns, what it refuses, and that it never looks ahead."""

from dataclasses import replace

import numpy as np
import pytest

from bmastore.arrays import PanelArrays, StockArrays
from bmastore.errors import ConstantTargetError, NotFiniteError, TooFewRowsError
from bmastore.models.ensemble import load
from bmastore.models.fit import fit_stock
from bmastore.models.inputs import Inputs
from bmastore.models.members.base import NOTHING_LENT, TrainingRows, drift
from bmastore.models.members.registry import REGISTRY
from bmastore.training.jobs import fit_chunk
from bmastore.workers.chunks import Chunk
from tests.helpers import CONFIG, HORIZON, TRAIN, stock


def no_universe(sha256):
    raise AssertionError("an ensemble without the pooled member needs no universe")


def weights(result):
    return {score.member: score.weight for score in result.scores}


def test_a_planted_signal_is_found_and_the_null_members_lose():
    learned, truth, forecast = [], [], []
    for seed in range(12):
        full = stock(signal=0.6, n=560, seed=seed)
        seen = full.as_of(full.dates[459])
        result = fit_stock(seen, CONFIG)
        ensemble = load(result.artifact, no_universe)
        unseen = slice(465, 555)
        forecast.append(ensemble.forecast(full.dates[unseen], Inputs.alone(full.X[unseen])).mean)
        truth.append(full.y[unseen])
        learned.append(weights(result))
    ranks = [np.argsort(np.argsort(part, axis=0), axis=0) for part in (forecast, truth)]
    daily = [np.corrcoef(ranks[0][:, t], ranks[1][:, t])[0, 1] for t in range(90)]
    assert np.mean(daily) > 0.3
    assert np.mean([w["zero"] + w["mean"] for w in learned]) < 0.05


def test_a_forecast_that_is_no_number_is_an_error_of_its_stock():
    full = stock()
    ensemble = load(fit_stock(full, CONFIG).artifact, no_universe)
    broken = replace(ensemble, scales=ensemble.scales * np.nan)
    with pytest.raises(NotFiniteError, match="its forecast is NaN or infinite"):
        broken.forecast(full.dates[-5:], Inputs.alone(full.X[-5:]))


def test_on_pure_noise_the_null_members_take_most_of_the_weight():
    null = [
        sum(weights(fit_stock(stock(seed=seed), CONFIG))[name] for name in ("zero", "mean"))
        for seed in range(12)
    ]
    assert np.mean(null) > 0.5


def test_a_mean_within_two_standard_errors_is_no_drift():
    noise = np.random.default_rng(0).standard_normal(400)
    noise = (noise - noise.mean()) / noise.std()
    error = np.sqrt(HORIZON / 400)
    assert drift(noise + 1.9 * error, HORIZON) == 0
    assert drift(noise - 1.9 * error, HORIZON) == 0
    assert drift(noise + 4 * error, HORIZON) == pytest.approx(4 * error * (1 - 4 / 16))
    assert drift(noise + 100, HORIZON) == pytest.approx(100, rel=1e-3)


@pytest.mark.parametrize("name", ["rf", "xgb", "lgbm"])
@pytest.mark.parametrize("rounds", [None, 0, 30])
def test_trees_do_not_bet_that_a_rise_which_may_be_chance_goes_on(name, rounds):
    """They learn the same, shifted by what drift there is, whatever the stock's mean."""
    rows = stock(signal=0.5).labelled()
    flat = rows.y - rows.y.mean()
    error = flat.std() * np.sqrt(HORIZON / len(flat))
    head, tail = np.arange(300), np.arange(305, len(flat))

    def predict(y):
        learner, found = REGISTRY[name], TrainingRows(rows.X, y, head, tail, HORIZON)
        return learner.fit(found, CONFIG.params_of(name), 0, rounds).predict(rows.X)

    assert predict(flat + 0.9 * error) == pytest.approx(predict(flat), abs=1e-6)
    assert predict(flat + 1).mean() == pytest.approx(predict(flat).mean() + 1, abs=0.01)


def test_the_future_changes_nothing_before_the_cutoff():
    full = stock(signal=0.3, n=420)
    cutoff = full.dates[350]
    later = full.dates > cutoff
    X, y = full.X.copy(), full.y.copy()
    X[later] = 99.0
    y[full.label_ends > cutoff] = -5.0
    changed = StockArrays("A", full.dates, full.label_ends, X, y)
    before = fit_stock(full.as_of(cutoff), CONFIG)
    after = fit_stock(changed.as_of(cutoff), CONFIG)
    assert weights(before) == weights(after)
    assert np.array_equal(before.folds.predictions, after.folds.predictions)
    assert np.array_equal(before.forecasts.quantiles, after.forecasts.quantiles)
    assert before.artifact_sha256 == after.artifact_sha256


def test_an_out_of_fold_prediction_does_not_see_its_own_fold_or_any_later_row():
    full = stock(signal=0.3)
    result = fit_stock(full, CONFIG)
    first_fold = slice(result.folds.records[0].n_test)
    start = result.folds.dates[0]
    changed_y = np.where(full.dates >= start, full.y * -3, full.y)
    changed_y[np.isnan(full.y)] = np.nan
    changed = StockArrays("A", full.dates, full.label_ends, full.X, changed_y)
    again = fit_stock(changed, CONFIG)
    assert np.array_equal(result.folds.predictions[first_fold], again.folds.predictions[first_fold])


def test_rows_without_a_label_are_forecast():
    full = stock(signal=0.3)
    forecasts = fit_stock(full, CONFIG).forecasts
    assert np.array_equal(forecasts.dates, full.dates[-HORIZON:])
    assert forecasts.quantiles.shape == (HORIZON, 5)
    assert (np.diff(forecasts.quantiles, axis=1) > 0).all()


def test_missing_features_are_no_obstacle():
    result = fit_stock(stock(signal=0.6, missing=0.3), CONFIG)
    assert np.isfinite(result.forecasts.mean).all()
    everywhere = stock()
    everywhere.X[:, 2] = np.nan
    assert np.isfinite(fit_stock(everywhere, CONFIG).forecasts.mean).all()


def test_too_short_a_history_says_what_is_needed():
    with pytest.raises(TooFewRowsError, match="100 rows to train on and 60 to predict"):
        fit_stock(stock(n=150), CONFIG)


def test_a_constant_target_is_refused():
    flat = stock()
    flat.y[:-HORIZON] = 0.25
    with pytest.raises(ConstantTargetError):
        fit_stock(flat, CONFIG)


def test_a_stock_that_fails_does_not_stop_the_others():
    flat = stock(ticker="FLAT")
    flat.y[:-HORIZON] = 0.0
    broken = stock(ticker="BROKEN", seed=2)
    broken.X[5, 1] = np.inf  # ingest stores no infinities; XGBoost refuses them
    chunk = PanelArrays.of([stock(ticker="GOOD"), flat, broken, stock(ticker="SHORT", n=120)])
    outcomes = {outcome.ticker: outcome for outcome in fit_chunk(Chunk(chunk, (None,) * 4), CONFIG)}
    assert {t: o.status for t, o in outcomes.items()} == {
        "GOOD": "trained",
        "FLAT": "failed",
        "BROKEN": "failed",
        "SHORT": "skipped",
    }
    assert outcomes["FLAT"].error_type == "ConstantTargetError"
    assert outcomes["BROKEN"].error_type == "XGBoostError"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    one, two = (fit_stock(stock(signal=0.5), CONFIG) for _ in range(2))
    other = replace(TRAIN, seed=1).resolve("y", HORIZON, CONFIG.features)
    assert one.artifact == two.artifact
    assert fit_stock(stock(signal=0.5), other).artifact != one.artifact


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_member_read_back_predicts_the_same(name):
    rows = stock(signal=0.6).labelled()
    training = TrainingRows(rows.X, rows.y, np.arange(300), np.arange(305, len(rows.y)), HORIZON)
    for rounds in (None, 7, 0):
        member = REGISTRY[name].fit(training, CONFIG.params_of(name), 0, rounds)
        again = REGISTRY[name].from_bytes(member.to_bytes(), NOTHING_LENT)
        assert np.array_equal(member.predict(rows.X), again.predict(rows.X))
