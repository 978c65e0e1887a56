"""The mathematics of error scales and mixtures."""

import numpy as np
import pytest
import scoringrules
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats

from bmastore.models import mixture
from bmastore.models.mixture import QUANTILES


def test_log_density_is_that_of_scipys_student_t():
    errors = np.linspace(-3, 3, 14).reshape(7, 2)
    scales = np.array([0.5, 2.0])
    expected = stats.t.logpdf(errors, mixture.ERROR_DF, scale=scales)
    assert mixture.log_densities(errors, scales) == pytest.approx(expected)


def test_error_scale_recovers_the_scale_of_student_t_errors():
    errors = stats.t.rvs(mixture.ERROR_DF, scale=0.03, size=(600, 400), random_state=2)
    assert mixture.error_scales(errors).mean() == pytest.approx(0.03, rel=0.03)


def test_newer_errors_weigh_more_for_the_scale():
    errors = stats.t.rvs(mixture.ERROR_DF, scale=0.03, size=(300, 200), random_state=3)
    errors[:150] *= 4
    calm_at_the_end = mixture.error_scales(errors).mean()
    assert 0.03 < calm_at_the_end < 0.5 * mixture.error_scales(errors[::-1]).mean()


def test_a_stock_that_hardly_moves_still_has_a_scale():
    errors = np.zeros((10, 1))
    errors[0] = 0.1
    assert mixture.error_scales(errors)[0] > 0


def mixtures(smallest_scale=1e-3):
    """Centres, shape (3, k), scales and weights of k members."""
    return st.integers(1, 5).flatmap(
        lambda k: st.tuples(
            arrays(np.float64, (3, k), elements=st.floats(-0.5, 0.5)),
            arrays(np.float64, (k,), elements=st.floats(smallest_scale, 1)),
            arrays(np.float64, (k,), elements=st.floats(1e-3, 1)).map(lambda w: w / w.sum()),
        )
    )


@settings(max_examples=50)
@given(mixtures())
def test_quantiles_invert_the_distribution_function(drawn):
    centres, scales, weights = drawn
    quantiles = mixture.mixture_quantiles(centres, scales, weights)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    for i, level in enumerate(QUANTILES):
        reached = mixture.mixture_cdf(quantiles[:, i], centres, scales, weights)
        assert reached == pytest.approx(np.full(3, level), abs=1e-6)


@settings(max_examples=50)
@given(mixtures())
def test_what_is_forecast_to_be_positive_lies_above_zero(drawn):
    centres, scales, weights = drawn
    p_up = mixture.mixture_p_up(centres, scales, weights)
    assert ((p_up >= 0) & (p_up <= 1)).all()
    # A forecast turned around: what was up is down.
    assert mixture.mixture_p_up(-centres, scales, weights) == pytest.approx(1 - p_up)
    median = mixture.mixture_quantiles(centres, scales, weights, (0.5,))[:, 0]
    is_clear = np.abs(median) > 1e-9
    assert ((p_up > 0.5) == (median > 0))[is_clear].all()


def test_mean_and_sd_are_those_of_a_large_sample():
    centres, scales = np.array([[0.1, -0.2]]), np.array([0.05, 0.1])
    weights = np.array([0.3, 0.7])
    random = np.random.default_rng(0)
    member = random.choice(2, p=weights, size=400_000)
    sample = centres[0, member] + scales[member] * random.standard_t(mixture.ERROR_DF, 400_000)
    assert mixture.mixture_mean(centres, weights)[0] == pytest.approx(sample.mean(), abs=1e-3)
    assert mixture.mixture_sd(centres, scales, weights)[0] == pytest.approx(sample.std(), rel=0.01)


def test_the_crps_of_one_member_is_that_of_its_student_t():
    y, centres = np.linspace(-2, 2, 9), np.linspace(0, 1, 9)[:, None]
    expected = scoringrules.crps_t(y, mixture.ERROR_DF, centres[:, 0], 0.7)
    found = mixture.mixture_crps(y, centres, np.array([0.7]), np.ones(1))
    assert found == pytest.approx(expected)


@settings(max_examples=25, deadline=None)
@given(st.tuples(arrays(np.float64, (3,), elements=st.floats(-2, 2)), mixtures(0.1)))
def test_the_crps_of_a_mixture_is_the_integral_that_defines_it(drawn):
    y, (centres, scales, weights) = drawn
    found = mixture.mixture_crps(y, centres, scales, weights)
    x = np.linspace(-60, 60, 240_001)
    for i in range(3):
        below = mixture.mixture_cdf(
            x, np.broadcast_to(centres[i], (len(x), len(weights))), scales, weights
        )
        integral = np.trapezoid(np.square(below - (x >= y[i])), x)
        assert found[i] == pytest.approx(integral, abs=1e-3)


def test_the_constants_of_the_students_t_are_scipys():
    """A member with unit scale and errors at the upper quartile has that scale."""
    errors = np.full((1, 1), special.stdtrit(mixture.ERROR_DF, 0.75))
    assert mixture.error_scales(errors)[0] == 1.0
