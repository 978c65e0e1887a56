"""The mathematics of weights and mixtures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from bmastore import bma
from bmastore.exchange import QUANTILES

log_scores = arrays(
    np.float64, st.tuples(st.integers(5, 60), st.integers(1, 5)), elements=st.floats(-8, 4)
)


@given(log_scores, st.sampled_from(sorted(bma.WEIGHTINGS)), st.integers(1, 20))
def test_every_weighting_gives_a_probability_vector(log_density, name, horizon):
    weights = bma.WEIGHTINGS[name](log_density, horizon, 0)
    assert weights.shape == (log_density.shape[1],)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)


@given(log_scores, st.floats(-50, 50))
def test_pseudo_bma_sees_only_differences_between_members(log_density, shift):
    weights = bma.pseudo_bma(log_density, 5, 0)
    assert bma.pseudo_bma(log_density + shift, 5, 0) == pytest.approx(weights, abs=1e-9)


def test_pseudo_bma_weights_are_the_softmax_of_the_summed_scores_over_the_horizon():
    log_density = np.log([[0.2, 0.4], [0.5, 0.25], [0.1, 0.3]])
    odds = (0.2 * 0.5 * 0.1) / (0.4 * 0.25 * 0.3)
    assert bma.pseudo_bma(log_density, 1, 0)[0] == pytest.approx(odds / (1 + odds))
    assert bma.pseudo_bma(log_density, 2, 0)[0] == pytest.approx(odds**0.5 / (1 + odds**0.5))


def test_repeating_each_row_h_times_with_horizon_h_gives_the_weights_of_the_single_rows():
    log_density = np.random.default_rng(0).normal(size=(40, 3))
    repeated = np.repeat(log_density, 5, axis=0)
    assert bma.pseudo_bma(repeated, 5, 0) == pytest.approx(bma.pseudo_bma(log_density, 1, 0))


def test_the_one_true_model_takes_the_weight():
    random = np.random.default_rng(3)
    truth = random.normal(size=400)
    y = truth + stats.t(bma.ERROR_DF).rvs(400, random_state=1)
    errors = y[:, None] - np.column_stack([truth, np.zeros(400), -truth])
    weights = bma.pseudo_bma(bma.log_densities(errors, bma.error_scales(errors)), 1, 0)
    assert weights[0] > 0.99


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


def test_stacking_weights_maximise_the_mixtures_likelihood():
    random = np.random.default_rng(4)
    y = random.normal(size=800)
    log_density = np.column_stack(
        [stats.norm.logpdf(y, centre, 1.0) for centre in (-1.0, 0.5, 3.0)]
    )
    found = bma.stacking(log_density, 5, 0)
    step = 0.01
    grid = [
        (a, b, 1 - a - b) for a in np.arange(0, 1 + step, step) for b in np.arange(0, 1 - a, step)
    ]
    best = max(bma.mixture_log_density(log_density, np.array(w)).mean() for w in grid)
    assert bma.mixture_log_density(log_density, found).mean() >= best - 1e-6


def test_stacking_weights_give_all_to_the_one_true_model():
    y = np.random.default_rng(5).normal(size=3000)
    log_density = np.column_stack([stats.norm.logpdf(y), stats.norm.logpdf(y, 2.0)])
    assert bma.stacking(log_density, 5, 0)[0] > 0.98


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


def test_two_members_that_are_equal_share_alike():
    y = np.random.default_rng(7).normal(size=500)
    log_density = np.column_stack([stats.norm.logpdf(y)] * 2)
    for name, formula in bma.WEIGHTINGS.items():
        assert formula(log_density, 5, 0) == pytest.approx([0.5, 0.5]), name


def test_the_bootstrap_keeps_weights_from_one_member_where_the_evidence_is_thin():
    random = np.random.default_rng(8)
    log_density = random.normal(loc=(0.1, 0.0), size=(200, 2))
    sharp, soft = bma.pseudo_bma(log_density, 1, 0), bma.pseudo_bma_plus(log_density, 1, 0)
    assert abs(soft[0] - 0.5) < abs(sharp[0] - 0.5)
    assert not np.array_equal(soft, bma.pseudo_bma_plus(log_density, 1, 1))


def test_the_bootstrap_counts_overlapping_rows_h_times_less():
    log_density = np.random.default_rng(9).normal(size=(60, 3))
    repeated = np.repeat(log_density, 5, axis=0)
    once = bma.pseudo_bma_plus(log_density, 1, 0)
    assert bma.pseudo_bma_plus(repeated, 5, 0) == pytest.approx(once)
