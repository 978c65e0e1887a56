"""The formulas of the weights, against their promises, ArviZ and brute force."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import optimize, stats

from bmastore import PassOptions
from bmastore.models import mixture
from bmastore.models import weights as formulas
from bmastore.models.config import WEIGHTINGS
from tests.helpers import FAST

errors_of_members = arrays(
    np.float64, st.tuples(st.integers(5, 60), st.integers(1, 5)), elements=st.floats(0.01, 3)
)


def gaussian(errors, horizon=1, seed=0):
    """Evidence on members whose errors have these values and a unit Gaussian's density."""
    return formulas.Evidence(errors, stats.norm.logpdf(errors), horizon, seed)


def densities(log_density, horizon=1, seed=0):
    """Evidence of log densities alone, for the formulas that look at nothing else."""
    log_density = np.asarray(log_density, dtype=np.float64)
    return formulas.Evidence(np.ones_like(log_density), log_density, horizon, seed)


def members_around(truth, offsets, n, seed):
    """Evidence on members that forecast ``truth`` plus an offset each."""
    y = np.random.default_rng(seed).normal(truth, 1.0, size=n)
    return gaussian(y[:, None] - (truth + np.asarray(offsets)))


def test_config_and_formulas_know_the_same_names():
    assert set(WEIGHTINGS) == set(formulas.WEIGHTINGS)


@given(errors_of_members, st.sampled_from(WEIGHTINGS), st.integers(1, 20))
def test_every_weighting_gives_a_probability_vector(errors, name, horizon):
    weights = formulas.WEIGHTINGS[name](gaussian(errors, horizon))
    assert weights.shape == (errors.shape[1],)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)


@given(errors_of_members, st.sampled_from(WEIGHTINGS))
def test_the_order_of_the_members_does_not_matter(errors, name):
    weights = formulas.WEIGHTINGS[name](gaussian(errors))
    turned = formulas.WEIGHTINGS[name](gaussian(errors[:, ::-1]))
    assert turned[::-1] == pytest.approx(weights, abs=1e-6)


@pytest.mark.parametrize("name", [name for name in WEIGHTINGS if name != "equal"])
def test_one_true_member_takes_the_weight(name):
    weights = formulas.WEIGHTINGS[name](members_around(0.0, [0.0, 2.0, -3.0], n=2000, seed=3))
    assert weights[0] > 0.97


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_two_members_that_are_equal_share_alike(name):
    evidence = members_around(0.0, [0.0, 0.0], n=500, seed=7)
    assert formulas.WEIGHTINGS[name](evidence) == pytest.approx([0.5, 0.5])


def test_where_all_are_wrong_mixtures_use_both_sides_and_evidence_chooses_one():
    evidence = members_around(0.0, [1.0, -1.02], n=4000, seed=5)
    assert formulas.stacking(evidence)[0] == pytest.approx(0.5, abs=0.05)
    assert formulas.em(evidence)[0] == pytest.approx(0.5, abs=0.1)
    assert max(formulas.pseudo_bma(evidence)) > 0.99
    assert max(formulas.bic(evidence)) > 0.99


@given(errors_of_members, st.floats(-50, 50), st.sampled_from(("pseudo-bma", "stacking")))
def test_only_differences_between_log_densities_count(errors, shift, name):
    evidence = gaussian(errors)
    shifted = replace(evidence, log_density=evidence.log_density + shift)
    weights = formulas.WEIGHTINGS[name](evidence)
    assert formulas.WEIGHTINGS[name](shifted) == pytest.approx(weights, abs=1e-9)


def test_pseudo_bma_weights_are_the_softmax_of_the_summed_scores_over_the_horizon():
    log_density = np.log([[0.2, 0.4], [0.5, 0.25], [0.1, 0.3]])
    odds = (0.2 * 0.5 * 0.1) / (0.4 * 0.25 * 0.3)
    assert formulas.pseudo_bma(densities(log_density))[0] == pytest.approx(odds / (1 + odds))
    by_two = formulas.pseudo_bma(densities(log_density, horizon=2))[0]
    assert by_two == pytest.approx(odds**0.5 / (1 + odds**0.5))


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_repeating_each_row_h_times_with_horizon_h_gives_the_weights_of_the_single_rows(name):
    errors = np.random.default_rng(0).normal(size=(40, 3))
    repeated = np.repeat(errors, 5, axis=0)
    once = formulas.WEIGHTINGS[name](gaussian(errors))
    assert formulas.WEIGHTINGS[name](gaussian(repeated, horizon=5)) == pytest.approx(once)


def test_the_bootstrap_keeps_weights_from_one_member_where_the_evidence_is_thin():
    log_density = np.random.default_rng(8).normal(loc=(0.1, 0.0), size=(200, 2))
    sharp = formulas.pseudo_bma(densities(log_density))
    soft = formulas.pseudo_bma_plus(densities(log_density))
    assert abs(soft[0] - 0.5) < abs(sharp[0] - 0.5)
    assert not np.array_equal(soft, formulas.pseudo_bma_plus(densities(log_density, seed=1)))


def test_bic_weights_are_those_of_the_formula():
    errors = np.random.default_rng(2).normal(size=(120, 3)) * [1.0, 1.02, 1.05]
    n = 120 / 4
    criterion = n * np.log(np.mean(errors**2, axis=0)) + np.log(n)
    odds = np.exp(-(criterion - criterion.min()) / 2)
    assert formulas.bic(gaussian(errors, horizon=4)) == pytest.approx(odds / odds.sum())


def negative_log_likelihood(parameters, errors):
    """Of a mixture of Gaussians with one variance, as equation 3 of Raftery et al. writes it."""
    *logits, log_sd = parameters
    weights = np.exp(logits) / np.exp(logits).sum()
    return -np.log(stats.norm.pdf(errors, scale=np.exp(log_sd)) @ weights).sum()


@pytest.mark.parametrize("seed", range(4))
def test_em_finds_the_brute_force_maximum_of_the_mixtures_likelihood(seed):
    random = np.random.default_rng(seed)
    y = random.normal(size=300)
    forecasts = np.column_stack([y * share + random.normal(size=300) for share in (0.8, 0.5, 0.1)])
    errors = y[:, None] - forecasts
    best = min(
        (
            optimize.minimize(negative_log_likelihood, start, errors, method="Nelder-Mead")
            for start in random.normal(size=(6, 4))
        ),
        key=lambda found: found.fun,
    )
    weights = formulas.em(gaussian(errors))
    brute = np.exp(best.x[:-1]) / np.exp(best.x[:-1]).sum()
    assert weights == pytest.approx(brute, abs=0.01)

    def with_weights(log_sd):
        return negative_log_likelihood([*np.log(weights + 1e-300), log_sd], errors)

    assert optimize.minimize_scalar(with_weights).fun <= best.fun + 1e-3


def test_stacking_weights_maximise_the_mixtures_likelihood():
    evidence = members_around(0.0, [-1.0, 0.5, 3.0], n=800, seed=4)
    step = 0.01
    grid = [
        (a, b, 1 - a - b) for a in np.arange(0, 1 + step, step) for b in np.arange(0, 1 - a, step)
    ]

    def likelihood(weights):
        return mixture.mixture_log_density(evidence.log_density, np.array(weights)).mean()

    assert likelihood(formulas.stacking(evidence)) >= max(map(likelihood, grid)) - 1e-6


def arviz_weights(log_density, method):
    """Weights that ArviZ gives members with these log densities, the same in every draw."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its future, and of draws that do not vary
        import arviz as az

        draws = 200
        members = {
            str(i): az.from_dict(
                posterior={"unused": np.zeros((2, draws))},
                log_likelihood={"y": np.broadcast_to(column, (2, draws, len(column))).copy()},
            )
            for i, column in enumerate(log_density.T)
        }
        table = az.compare(members, ic="waic", method=method, b_samples=20_000, seed=1)
    return table.loc[[str(i) for i in range(log_density.shape[1])], "weight"].to_numpy(float)


CASES = {
    "one true member": [0.0, 0.5, 1.0],
    "two that are nearly equal": [0.1, -0.12, 1.5],
    "all wrong": [0.8, -1.0, 1.3],
}


@pytest.mark.parametrize("offsets", CASES.values(), ids=CASES)
@pytest.mark.parametrize(
    ("formula", "method"),
    [(formulas.stacking, "stacking"), (formulas.pseudo_bma_plus, "BB-pseudo-BMA")],
    ids=["stacking", "pseudo-bma+"],
)
def test_weights_are_those_of_arviz(formula, method, offsets):
    evidence = members_around(0.0, offsets, n=60, seed=11)
    expected = arviz_weights(evidence.log_density, method)
    # The mean of 1,000 draws, each near 0 or 1, has a standard error of 0.016.
    tolerance = 1e-3 if method == "stacking" else 0.05
    assert formula(evidence) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_pass_weighs_by_the_formula_that_was_chosen(trained, weighting):
    run = trained.train(replace(FAST, weighting=weighting), PassOptions(tickers=("DEMO01",)))
    # The default has trained it already.
    assert run.trained == (0 if weighting == FAST.weighting else 1)
    weights = trained.sql("from v_weights where ticker = 'DEMO01'")["weight"]
    assert weights.sum() == pytest.approx(1)
    if weighting == "equal":
        # To four decimals, and so that they still sum to one.
        assert weights.to_numpy() == pytest.approx(1 / len(weights), abs=3e-4)
