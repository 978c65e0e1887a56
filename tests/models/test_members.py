"""The members: what each needs, and what the pooled one learns from."""

import numpy as np
import pytest

from bmastore.models.members.pooled import clip_by_date, date_weights, less_market
from bmastore.models.members.registry import REGISTRY


def test_every_member_is_registered_under_its_name():
    assert all(learner.name == name for name, learner in REGISTRY.items())


def test_the_market_is_taken_out_of_the_pooled_targets():
    """A return that all stocks share, and one in proportion to their moves, teach it nothing."""
    random = np.random.default_rng(0)
    n_days, n_stocks = 40, 300
    days = np.repeat(np.arange(n_days), n_stocks)
    scales = np.tile(random.uniform(0.01, 0.05, n_stocks), n_days)
    own = random.normal(size=len(days))
    shared, in_proportion = random.normal(size=(2, n_days))
    moves = own + 0.1 * shared[days] / scales + 2 * in_proportion[days]
    left = less_market(moves, scales, days)
    assert np.corrcoef(left, own)[0, 1] > 0.97
    assert np.corrcoef(left, moves)[0, 1] < 0.4
    by_day = np.bincount(days, left) / n_stocks
    assert np.abs(by_day).max() < 0.3


def test_a_handful_of_stocks_is_no_market():
    moves, days = np.random.default_rng(1).normal(size=60), np.repeat(np.arange(30), 2)
    left = less_market(moves, np.full(60, 0.02), days)
    assert np.corrcoef(left, moves)[0, 1] > 0.95


def test_a_dates_extreme_moves_are_clipped_at_its_own_quantiles():
    days = np.repeat([0, 2], 101)
    moves = np.random.default_rng(3).normal(size=202) * np.where(days == 2, 5, 1)
    clipped = clip_by_date(moves, days)
    for day in (0, 2):
        low, high = np.quantile(moves[days == day], [0.02, 0.98])
        np.testing.assert_allclose(clipped[days == day], moves[days == day].clip(low, high))


def test_of_a_handful_of_stocks_no_move_is_clipped():
    moves, days = np.random.default_rng(4).normal(size=100), np.repeat([0, 1], 50)
    np.testing.assert_array_equal(clip_by_date(moves, days), moves)


def test_a_wild_date_weighs_less_by_its_variance():
    days = np.repeat([0, 2], 5_000)
    moves = np.random.default_rng(5).normal(size=10_000) * np.where(days == 2, 3, 1)
    weights = date_weights(moves, days)
    assert weights[0] / weights[-1] == pytest.approx(9, rel=0.1)


def test_a_calm_handful_of_stocks_does_not_outweigh_all_others():
    days = np.repeat([0, 1], [1_000, 2])
    moves = np.random.default_rng(6).normal(size=1_002)
    moves[-2:] = 0
    weights = date_weights(moves, days)
    assert weights[-1] < 2 * weights[0]
    np.testing.assert_array_equal(date_weights(np.zeros(4), np.array([0, 0, 1, 1])), np.ones(4))
