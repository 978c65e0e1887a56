"""Scores of forecasts, against the libraries and formulas that define them."""

import json
from dataclasses import replace

import numpy as np
import pytest
import scoringrules
from scipy import stats

from bmastore.evaluation import scores
from bmastore.evaluation.scores import Scored

NAMES = ("ensemble", "equal", "always_zero")


def scored(y, means, sd=1.0, days=None, sizes=None):
    """Rows forecast by Gaussians around ``means``, shape (n, 3), one column a name above."""
    y, means = np.asarray(y, float), np.asarray(means, float)
    observed = y[:, None]
    days = np.arange(len(y)) // 10 if days is None else days
    return Scored(
        NAMES,
        np.datetime64("2020-01-01") + days,
        y,
        means.astype(np.float32),
        stats.norm.logpdf(observed, means, sd).astype(np.float32),
        scoringrules.crps_normal(observed, means, sd).astype(np.float32),
        stats.norm.cdf(observed, means, sd).astype(np.float32),
        stats.norm.sf(0.0, means, sd).astype(np.float32),
        np.ones(len(y), np.float32) if sizes is None else sizes.astype(np.float32),
    )


def test_a_forecaster_that_knows_the_mean_is_calibrated_and_beats_zero():
    random = np.random.default_rng(0)
    truth = random.normal(size=20_000)
    y = truth + random.normal(size=20_000)
    found = scores.score(scored(y, np.column_stack([truth, 0 * y, 0 * y])), horizon=1)
    ensemble, equal, zero = found
    assert ensemble.mse_vs_zero == pytest.approx(0.5, abs=0.02)
    assert ensemble.crps_vs_zero < 0.9
    assert ensemble.ic == pytest.approx(0.67, abs=0.04)
    assert ensemble.ic_t > 30
    assert (ensemble.dm, ensemble.dm_p) < (-30, 1e-6)
    assert ensemble.coverage_50 == pytest.approx(0.5, abs=0.01)
    assert ensemble.coverage_80 == pytest.approx(0.8, abs=0.01)
    assert ensemble.coverage_90 == pytest.approx(0.9, abs=0.01)
    assert np.array(json.loads(ensemble.pit)) == pytest.approx(0.1, abs=0.01)
    assert (zero.mse_vs_zero, zero.crps_vs_zero) == (1, 1)
    # Two Gaussians of correlation one half in variance have one sign in three of four pairs.
    assert ensemble.signs_right == pytest.approx(0.75, abs=0.01)
    assert ensemble.brier_vs_half < 0.75
    assert (zero.brier_vs_half, zero.signs_right) == (1, None)  # a half says nothing
    assert zero.ic is zero.icir is zero.ic_t is None  # it tells no stock from another
    assert equal.dm is equal.dm_p is None
    assert (ensemble.n_rows, ensemble.n_days) == (20_000, 2_000)


def test_days_are_scored_one_by_one_whatever_the_order_of_the_rows():
    random = np.random.default_rng(1)
    y, means, days = random.normal(size=60), random.normal(size=(60, 3)), np.repeat([0, 1, 2], 20)
    rows = scored(y, means, days=days)
    found = scores.daily(rows)
    assert found.n.tolist() == [20, 20, 20]
    for day in range(3):
        mine = days == day
        expected = [stats.spearmanr(means[mine, i], y[mine]).statistic for i in range(3)]
        assert found.ic[day] == pytest.approx(expected)
        squares = np.square(y[mine, None] - means[mine]).mean(axis=0)
        assert found.squared_error[day] == pytest.approx(squares, rel=1e-5)
        inside = np.abs(rows.pit[mine] - 0.5) <= 0.4
        assert found.coverage[day, :, 1] == pytest.approx(inside.mean(axis=0))
        brier = np.square(rows.p_up[mine] - (y[mine, None] > 0)).mean(axis=0)
        assert found.brier[day] == pytest.approx(brier)
    shuffled = scores.daily(rows.take(random.permutation(60)))
    assert shuffled.ic == pytest.approx(found.ic)


def test_a_wild_stock_counts_as_much_as_a_calm_one():
    random = np.random.default_rng(9)
    y, means, sizes = (
        random.normal(size=400),
        random.normal(size=(400, 3)),
        np.exp(random.normal(size=400)),
    )
    plain = scored(y, means)
    wild = scored(y * sizes, means * sizes[:, None], sd=sizes[:, None], sizes=sizes)
    for calm_one, wild_one in zip(scores.score(plain, 1), scores.score(wild, 1), strict=True):
        assert wild_one.mse_vs_zero == pytest.approx(calm_one.mse_vs_zero, rel=1e-4)
        assert wild_one.crps_vs_zero == pytest.approx(calm_one.crps_vs_zero, rel=1e-4)
    assert scores.daily(wild).crps == pytest.approx(scores.daily(plain).crps, rel=1e-4)


def test_rank_correlation_is_spearmans_also_with_ties():
    random = np.random.default_rng(2)
    means = random.integers(0, 4, size=(50, 3)).astype(np.float32)
    y = random.integers(0, 6, size=50).astype(float)
    expected = [stats.spearmanr(column, y).statistic for column in means.T]
    assert scores.rank_correlations(means, y) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("p_up", "brier", "signs"),
    [([1, 0, 0], 0.0, 1.0), ([0, 1, 1], 4.0, 0.0), ([0.8, 0.5, 0.5], 0.72, 1.0)],
)
def test_a_target_of_zero_is_not_positive(p_up, brier, signs):
    rows = scored([0.02, -0.01, 0.0], np.zeros((3, 3)))
    told = replace(rows, p_up=np.repeat(np.float32(p_up)[:, None], 3, axis=1))
    found = scores.score(told, horizon=1)[0]
    assert found.brier_vs_half == pytest.approx(brier)
    assert found.signs_right == signs


def test_a_handful_of_stocks_has_no_rank_correlation():
    assert np.isnan(scores.rank_correlations(np.ones((4, 2), np.float32), np.arange(4.0))).all()


def newey_west_t(values, lag):
    """The textbook's formula."""
    centred = values - values.mean()
    n = len(values)
    variance = centred @ centred / n
    for i in range(1, lag + 1):
        variance += 2 * (1 - i / (lag + 1)) * (centred[i:] @ centred[:-i]) / n
    return values.mean() / np.sqrt(variance / n)


@pytest.mark.parametrize("horizon", [1, 5, 10])
def test_t_statistics_are_those_of_newey_and_west(horizon):
    values = np.random.default_rng(3).normal(0.2, 1.0, size=80)
    expected = newey_west_t(values, horizon - 1)
    assert scores.mean_t(values, horizon) == pytest.approx(expected)


def test_overlapping_targets_do_not_make_a_mean_more_certain():
    once = np.random.default_rng(4).normal(0.1, 1.0, size=200)
    overlapping = np.convolve(once, np.ones(5) / 5, mode="valid")
    assert scores.mean_t(overlapping, 5) < 0.7 * scores.mean_t(overlapping, 1)


def test_diebold_mariano_with_horizon_1_is_a_paired_t_test():
    random = np.random.default_rng(5)
    losses, others = random.exponential(1.0, 60), random.exponential(1.4, 60)
    expected = stats.ttest_rel(losses, others)
    statistic, p = scores.diebold_mariano(losses, others, 1)
    assert statistic == pytest.approx(expected.statistic)
    assert p == pytest.approx(expected.pvalue)


def test_harveys_correction_shrinks_the_statistic():
    losses = np.random.default_rng(6).normal(0.5, 1.0, size=40)
    plain = newey_west_t(losses, 4)
    statistic, p = scores.diebold_mariano(losses, np.zeros(40), 5)
    assert statistic == pytest.approx(plain * np.sqrt((40 + 1 - 10 + 20 / 40) / 40))
    assert p == pytest.approx(2 * stats.t.sf(abs(statistic), 39))


@pytest.mark.parametrize("n", [0, 1, 6])
def test_too_few_days_have_no_test(n):
    assert scores.mean_t(np.arange(float(n)), 5) is None
    assert scores.diebold_mariano(np.arange(float(n)), np.zeros(n), 5) == (None, None)
