"""The population stability index: nothing where nothing has changed, much where something has."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmastore.models.drift import Reference, feature_day, stability_index

WINDOW = np.random.default_rng(0).standard_normal(5_000).astype(np.float32)
REFERENCE = Reference.of(WINDOW)


def a_day(n=400, seed=1):
    return np.random.default_rng(seed).standard_normal(n).astype(np.float32)


def test_a_day_like_all_others_is_stable():
    found = [stability_index(a_day(seed=i), REFERENCE) for i in range(50)]
    # Of equal distributions its mean is the number of parts less one, by their sizes.
    assert np.mean(found) == pytest.approx(9 * (1 / 400 + 1 / 5_000), rel=0.4)
    assert max(found) < 0.1


@pytest.mark.parametrize(
    "broken",
    [lambda x: x * 100, lambda x: 0 * x, lambda x: x + 2, lambda x: np.full_like(x, np.nan)],
    ids=["scaled", "stuck", "moved", "missing"],
)
def test_a_broken_feature_is_not(broken):
    assert stability_index(broken(a_day()), REFERENCE) > 1


@settings(max_examples=50)
@given(st.floats(0.01, 100), st.floats(-100, 100))
def test_its_units_do_not_matter(factor, shift):
    # Powers of two, so that no value crosses an edge by rounding.
    factor = 2.0 ** round(np.log2(factor))
    day = a_day() * 1.5
    scaled = Reference.of((WINDOW * factor).astype(np.float32))
    found = stability_index((day * factor).astype(np.float32), scaled)
    assert found == pytest.approx(stability_index(day, REFERENCE))
    assert stability_index(-day - shift, Reference.of(-WINDOW - shift)) >= 0


def test_a_small_window_tells_nothing():
    assert Reference.of(WINDOW[:100]) is None
    assert feature_day(a_day(), None).stability is None


def test_a_day_says_where_its_stocks_stood():
    found = feature_day(np.array([1, 2, 3, 4, 5, np.nan], np.float32), REFERENCE)
    assert (found.stocks, found.median, found.quartile_distance) == (6, 3.0, 2.0)
    assert found.share_missing == pytest.approx(1 / 6)
    nothing = feature_day(np.full(3, np.nan, np.float32), REFERENCE)
    assert (nothing.median, nothing.quartile_distance, nothing.share_missing) == (None, None, 1.0)


def test_few_stocks_that_lie_like_the_window_are_stable_though_none_misses_anything():
    tenths = (np.arange(20) + 0.5) / 20
    day = np.quantile(WINDOW, tenths).astype(np.float32)
    assert stability_index(day, REFERENCE) < 0.001
