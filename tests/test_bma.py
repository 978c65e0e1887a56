"""The mathematics of error scales, shrinkage and mixtures; of weights: test_weightings.py."""

import numpy as np
import pytest
from bmastore.exchange import QUANTILES
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from bmastore import bma


def test_log_density_is_that_of_scipys_student_t():
    errors = np.linspace(-3, 3, 14).reshape(7, 2)
    scales = np.array([0.5, 2.0])
    expected = stats.t.logpdf(errors, bma.ERROR_DF, scale=scales)
    assert bma.log_densities(errors, scales) == pytest.approx(expected)


def test_error_scale_recovers_the_scale_of_student_t_errors():
    errors = stats.t.rvs(bma.ERROR_DF, scale=0.03, size=(600, 400), random_state=2)
    assert bma.error_scales(errors).mean() == pytest.approx(0.03, rel=0.03)


def test_newer_errors_weigh_more_for_the_scale():
    errors = stats.t.rvs(bma.ERROR_DF, scale=0.03, size=(300, 200), random_state=3)
    errors[:150] *= 4
    calm_at_the_end = bma.error_scales(errors).mean()
    assert 0.03 < calm_at_the_end < 0.5 * bma.error_scales(errors[::-1]).mean()


def test_a_stock_that_hardly_moves_still_has_a_scale():
    errors = np.zeros((10, 1))
    errors[0] = 0.1
    assert bma.error_scales(errors)[0] > 0


mixtures = st.integers(1, 5).flatmap(
    lambda k: st.tuples(
        arrays(np.float64, (3, k), elements=st.floats(-0.5, 0.5)),
        arrays(np.float64, (k,), elements=st.floats(1e-3, 1)),
        arrays(np.float64, (k,), elements=st.floats(1e-3, 1)).map(lambda w: w / w.sum()),
    )
)


@settings(max_examples=50)
@given(mixtures)
def test_quantiles_invert_the_distribution_function(mixture):
    centres, scales, weights = mixture
    quantiles = bma.mixture_quantiles(centres, scales, weights)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    for i, level in enumerate(QUANTILES):
        reached = bma.mixture_cdf(quantiles[:, i], centres, scales, weights)
        assert reached == pytest.approx(np.full(3, level), abs=1e-6)


def test_mean_and_sd_are_those_of_a_large_sample():
    centres, scales = np.array([[0.1, -0.2]]), np.array([0.05, 0.1])
    weights = np.array([0.3, 0.7])
    random = np.random.default_rng(0)
    member = random.choice(2, p=weights, size=400_000)
    sample = centres[0, member] + scales[member] * random.standard_t(bma.ERROR_DF, 400_000)
    assert bma.mixture_mean(centres, weights)[0] == pytest.approx(sample.mean(), abs=1e-3)
    assert bma.mixture_sd(centres, scales, weights)[0] == pytest.approx(sample.std(), rel=0.01)


def test_shrinkage_trusts_a_stock_as_far_as_stocks_differ_beyond_noise():
    own, shared = np.array([0.3, 0.3, 0.3]), np.array([0.1, 0.1, 0.1])
    shrunk = bma.shrink(own, np.array([1.0, 1.0, 0.0]), shared, np.array([0.0, 1.0, 1.0]))
    assert shrunk == pytest.approx([0.1, 0.2, 0.3])


def test_the_variance_of_an_advantage_counts_overlapping_rows_h_times_less():
    log_density = np.random.default_rng(6).normal(size=(60, 2))
    once = bma.advantages(log_density, 0, 1)
    five = bma.advantages(log_density, 0, 5)
    assert five[0] == pytest.approx(once[0])
    assert five[1] == pytest.approx(5 * once[1])
    assert once[0][0] == once[1][0] == 0
