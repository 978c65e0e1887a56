"""The prior of the weights, and how a stock's own evidence is shrunk toward the universe's."""

import numpy as np
import pytest

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
