"""The prior of the weights, and how a stock's own evidence is shrunk toward the universe's."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from bmastore.models.prior import advantages, compare, posterior, shrink
from bmastore.models.weights import Evidence, pseudo_bma


def test_shrinkage_trusts_a_stock_as_far_as_stocks_differ_beyond_noise():
    own, shared = np.array([0.3, 0.3, 0.3]), np.array([0.1, 0.1, 0.1])
    shrunk = shrink(own, np.array([1.0, 1.0, 0.0]), shared, np.array([0.0, 1.0, 1.0]))
    assert shrunk == pytest.approx([0.1, 0.2, 0.3])


def test_the_variance_of_an_advantage_counts_overlapping_rows_h_times_less():
    log_density = np.random.default_rng(6).normal(size=(60, 2))
    once = advantages(log_density, 0, 1)
    five = advantages(log_density, 0, 5)
    assert five[0] == pytest.approx(once[0])
    assert five[1] == pytest.approx(5 * once[1])
    assert once[0][0] == once[1][0] == 0


def test_without_any_scores_all_members_are_alike():
    prior = compare([], ("a", "b"), 5)
    assert prior.weights == pytest.approx([0.5, 0.5])
    assert (prior.advantage == 0).all()
    assert (prior.spread == 0).all()


def test_without_a_prior_the_weights_are_the_formulas():
    errors = np.random.default_rng(0).normal(size=(50, 3))
    evidence = Evidence(errors, -np.square(errors), 5, 0)
    found = posterior(evidence, "pseudo-bma", ("a", "b", "c"), None)
    np.testing.assert_array_equal(found, pseudo_bma(evidence))


# --- one stock of many --------------------------------------------------------------------

MEMBERS = ("a", "b", "c", "d")
N_STOCKS, N_ROWS = 240, 120
# How far one stock of 240 or more may move the prior weight of a member.
MOST_MOVED = 0.1


def made_up_scores(seed, n_stocks=N_STOCKS):
    """Log densities of stocks that differ a little in how good their members are."""
    random = np.random.default_rng(seed)
    skill = np.array([0.0, 0.02, 0.05, -0.05]) + 0.02 * random.standard_normal((n_stocks, 4))
    common = random.standard_normal((n_stocks, N_ROWS, 1))
    own = 0.3 * random.standard_normal((n_stocks, N_ROWS, 4))
    return list(common + own + skill[:, None, :])


def wild(seed, level, spread, member):
    """Log densities of a stock as no other: one member is far above or below, and all jump."""
    noise = spread * np.random.default_rng(seed).standard_normal((N_ROWS, 4))
    return noise + level * (np.arange(4) == member)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 50),
    level=st.floats(-200, 200),
    spread=st.floats(0, 50),
    member=st.integers(0, 3),
)
def test_no_stock_however_wild_moves_a_weight_by_more_than_a_tenth(seed, level, spread, member):
    scores = made_up_scores(seed)
    before = compare(scores, MEMBERS, 5)
    after = compare([wild(seed, level, spread, member), *scores[1:]], MEMBERS, 5)
    assert np.abs(after.weights - before.weights).max() <= MOST_MOVED
    if np.argmax(after.weights) == np.argmax(before.weights):
        assert np.abs(after.advantage - before.advantage).max() < 0.002
        assert np.abs(np.sqrt(after.spread) - np.sqrt(before.spread)).max() < 0.005


def test_one_stock_that_hardly_trades_does_not_set_the_spread_for_all():
    scores = made_up_scores(3)
    scores[0] = scores[0] + np.array([5.0, 0, 0, 0])
    assert compare(scores, MEMBERS, 5).spread.max() < 0.002


def test_the_prior_finds_the_member_that_is_best_for_most():
    prior = compare(made_up_scores(8), MEMBERS, 5)
    assert np.argmax(prior.weights) == 2
    assert np.argmax(prior.advantage) == 2
    assert prior.weights.sum() == pytest.approx(1)
