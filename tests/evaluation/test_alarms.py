"""Alarms: few where nothing has changed, however often one looks, and soon where something has."""

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from bmastore.evaluation import alarms
from bmastore.evaluation.alarms import Days
from bmastore.evaluation.scores import rank_correlations
from bmastore.models.drift import Reference, stability_index

HORIZON, STOCKS, TESTED, BEFORE = 5, 60, 80, 60
BETA = 0.4  # a rank correlation of .36


def overlapping(random, days, stocks=STOCKS):
    """Standard normal sums over the horizon, shape (days, stocks): neighbouring days overlap."""
    shocks = random.standard_normal((days + HORIZON - 1, stocks))
    sums = np.lib.stride_tricks.sliding_window_view(shocks, HORIZON, axis=0).sum(axis=2)
    return sums / np.sqrt(HORIZON)


def history(seed, days, change=None, at=0):
    """Scores by day, and PIT by day and stock, of honest forecasts until day ``at``."""
    random = np.random.default_rng(seed)
    means = BETA * overlapping(random, days)
    noise = overlapping(random, days)
    y = means + noise
    if change == "volatility":
        y[at:] = means[at:] + 2 * noise[at:]
    if change == "signal":
        y[at:] = np.sqrt(1 + BETA**2) * noise[at:]
    pit = scipy.special.ndtr(y - means)
    ic = [
        rank_correlations(m[:, None].astype("f4"), came)[0]
        for m, came in zip(means, y, strict=True)
    ]
    squared, of_zero = np.square(y - means).mean(axis=1), np.square(y).mean(axis=1)
    return Days(np.array(ic), squared, of_zero, (abs(pit - 0.5) <= 0.4).mean(axis=1)), pit


def stabilities(seed, days, broken_at=None):
    """Stability by day of two features, the second of which breaks."""
    random = np.random.default_rng(seed)
    window = Reference.of(random.standard_normal(5_000).astype(np.float32))
    found = []
    for day in range(days):
        sound, other = random.standard_normal((2, STOCKS)).astype(np.float32)
        if broken_at is not None and day >= broken_at:
            other = other * 100
        found.append([stability_index(sound, window), stability_index(other, window)])
    return np.array(found)


def is_alarmed(days, pit, until):
    """What `monitor` says of a history that it knows up to a day."""
    live = days.take(slice(TESTED, until))
    reference = alarms.reference_of(live, days.take(slice(0, TESTED)))
    p = [alarms.interval_p(one, HORIZON) for one in pit[max(TESTED, until - 60) : until].T]
    return any(one.is_alarming for one in alarms.skills(live, reference, HORIZON)) or (
        alarms.many_decayed(alarms.decayed(np.array(p)))
    )


def test_of_200_stationary_histories_at_most_one_in_twenty_is_ever_alarming():
    """Looked at on each of 60 days: features, skill, coverage and the stocks together."""
    alarmed = 0
    for seed in range(200):
        days, pit = history(seed, TESTED + 2 * BEFORE)
        stability = stabilities(seed, 2 * BEFORE)
        alarmed += any(
            is_alarmed(days, pit, TESTED + day) or alarms.drifting(stability[:day]).any()
            for day in range(BEFORE, 2 * BEFORE)
        )
    assert alarmed <= 10


@pytest.mark.parametrize("change", ["volatility", "signal"])
def test_doubled_volatility_and_a_vanished_signal_are_found_within_30_days(change):
    found = 0
    for seed in range(40):
        at = TESTED + BEFORE
        days, pit = history(seed, at + 30, change, at)
        found += any(is_alarmed(days, pit, at + day) for day in range(1, 31))
    assert found >= 36


def test_a_broken_feature_is_found_within_30_days_and_it_is_that_one():
    found = [alarms.drifting(stabilities(seed, BEFORE + 30, BEFORE)) for seed in range(40)]
    assert np.sum([which[1] for which in found]) >= 36
    assert not any(which[0] for which in found)


def test_one_wild_day_is_no_drift_and_hides_none():
    stability = stabilities(3, BEFORE + 10, BEFORE)
    stability[30] = 9.0
    assert alarms.drifting(stability).tolist() == [False, True]
    stability = stabilities(3, 2 * BEFORE)
    stability[-1] = 9.0
    assert not alarms.drifting(stability).any()
    assert not alarms.drifting(np.full((BEFORE, 2), np.nan)).any()


def test_what_comes_later_changes_no_judgement():
    days, _pit = history(1, TESTED + 100)
    other, _ = history(1, TESTED + 100, "volatility", TESTED + 80)
    until = slice(TESTED, TESTED + 80)
    reference = days.take(slice(0, TESTED))
    one, two = (alarms.skills(some.take(until), reference, HORIZON) for some in (days, other))
    assert one == two


def test_skill_says_what_it_is_compared_with():
    days, _ = history(2, TESTED + 160)
    live = days.take(slice(TESTED, None))
    found = {
        (s.measure, s.days): s for s in alarms.skills(live, days.take(slice(0, TESTED)), HORIZON)
    }
    ic = found["ic", 20]
    assert ic.live == pytest.approx(live.ic[-20:].mean())
    assert ic.reference == pytest.approx(days.ic[:TESTED].mean())
    mse = found["mse_vs_zero", 60]
    expected = live.squared_error[-60:].sum() / live.zero_squared_error[-60:].sum()
    assert mse.live == pytest.approx(expected)
    assert mse.z is None
    # Without a backtest, days before the last 60 are the reference; without these, nothing is.
    assert len(alarms.reference_of(live, None).ic) == 100
    assert alarms.reference_of(live.take(slice(0, 90)), None) is None
    assert all(s.z is None for s in alarms.skills(live, None, HORIZON))


@pytest.mark.parametrize(("n_days", "days"), [(5, {5}), (20, {20}), (21, {20, 21}), (90, {20, 60})])
def test_no_days_are_told_twice(n_days, days):
    live, _ = history(2, n_days)
    found = alarms.skills(live, None, HORIZON)
    assert {s.days for s in found} == days
    assert len(found) == 3 * len(days)


@pytest.mark.parametrize("horizon", [1, 5, 10])
def test_the_error_of_a_mean_allows_for_overlap(horizon):
    random = np.random.default_rng(horizon)
    shocks = random.standard_normal((2_000, 400))
    sums = np.lib.stride_tricks.sliding_window_view(shocks, horizon, axis=0).sum(axis=2)
    errors = [alarms.mean_error(sums[:400, i], horizon) for i in range(50)]
    spread = np.std([sums[i * 400 : (i + 1) * 400, j].mean() for i in range(4) for j in range(400)])
    assert np.mean(errors) == pytest.approx(spread, rel=0.2)
    assert alarms.mean_error(np.arange(3.0), 5) is None


def test_honest_intervals_have_uniform_p_values_also_where_targets_overlap():
    random = np.random.default_rng(0)
    pit = scipy.special.ndtr(overlapping(random, 60, 4_000))
    p = np.array([alarms.interval_p(one, HORIZON) for one in pit.T])
    for level in (0.01, 0.05, 0.5):
        assert np.mean(p <= level) == pytest.approx(level, rel=0.5)


def test_stocks_that_decay_are_told_from_those_that_do_not():
    random = np.random.default_rng(1)
    noise = overlapping(random, 60, 400)
    noise[:, :40] *= 3
    pit = scipy.special.ndtr(noise)
    found = alarms.decayed(np.array([alarms.interval_p(one, HORIZON) for one in pit.T]))
    assert found[:40].mean() > 0.5
    assert found[40:].sum() <= 5
    assert alarms.many_decayed(found)
    assert not alarms.many_decayed(np.arange(400) < 20)
    assert alarms.decayed(np.array([])).tolist() == []


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=20, max_size=60), st.integers(1, 20))
def test_p_values_are_probabilities_and_grow_with_distance_from_the_ends(pit, horizon):
    pit = np.array(pit)
    p = alarms.interval_p(pit, horizon)
    assert 0 <= p <= 1
    assert alarms.interval_p(0.5 + (pit - 0.5) / 2, horizon) >= p
    assert alarms.interval_p(1 - pit, horizon) == pytest.approx(p)
