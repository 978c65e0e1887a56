"""Widths: how large a target may be expected to be, by what is known on its date."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmastore.models.inputs import Inputs
from bmastore.models.width import Moves, WidthModel, fit_widths

N_STOCKS, N_DAYS = 80, 200


def made_up(seed=0, following=1.0):
    """Rows of stocks whose volatility comes in spells of their own and of the market.

    The first feature tells today's volatility, with an error; the second tells nothing.
    """
    random = np.random.default_rng(seed)
    own = np.exp(random.normal(0, 0.5, N_STOCKS))
    spells = np.exp(0.6 * np.sin(np.arange(N_DAYS) / 15))
    phases = random.uniform(0, 2 * np.pi, N_STOCKS)
    own_spells = np.exp(0.6 * np.sin(np.arange(N_DAYS)[:, None] / 10 + phases))
    volatility = 0.02 * own * (own_spells * spells[:, None]) ** following
    y = volatility * random.standard_t(5, volatility.shape)
    X = np.stack([volatility * np.exp(random.normal(0, 0.3, y.shape)), random.normal(size=y.shape)])
    X = np.moveaxis(X, 0, 2).astype(np.float32)
    market = np.broadcast_to(np.median(np.abs(X), axis=1, keepdims=True), X.shape)
    scales = np.broadcast_to(np.median(np.abs(y), axis=0), y.shape)
    rows = (X.reshape(-1, 2), market.reshape(-1, 2), (y / scales).ravel(), scales.ravel())
    return rows, volatility.ravel()


def fitted(rows):
    X, market, moves, scales = rows
    return fit_widths(X, market, np.arange(len(X)), moves, scales)


def test_rows_of_a_date_share_what_its_stocks_do():
    rows, _ = made_up()
    X, market, moves, scales = rows
    by_date = market.reshape(N_DAYS, N_STOCKS, 2)[:, 0]
    days = np.repeat(np.arange(N_DAYS), N_STOCKS)
    shared = fit_widths(X, by_date, days, moves, scales)
    assert (widths(shared, rows) == widths(fitted(rows), rows)).all()


def widths(model, rows):
    """Of all rows, each with its own stock's typical move."""
    X, market, _, scales = rows
    inputs = Inputs(X, np.full_like(X, np.nan), market)
    found = np.empty(len(X))
    for move in np.unique(scales):
        mine = scales == move
        found[mine] = model.widths(inputs, move)[mine]
    return found


def test_widths_follow_the_market_and_the_stock():
    rows, _ = made_up()
    unseen, truth = made_up(seed=1)
    model = fitted(rows)
    found = widths(model, unseen)
    assert np.corrcoef(np.log(found), np.log(truth))[0, 1] > 0.9
    # A wild spell against a calm one: as much wider as it is wilder, or nearly.
    day = np.repeat(np.arange(N_DAYS), N_STOCKS)
    wild, calm = (np.median((found / truth)[day == d]) for d in (23, 71))
    assert 0.8 < wild / calm < 1.25


def test_a_width_is_the_median_absolute_target():
    rows, _ = made_up()
    y = rows[2] * rows[3]
    assert np.median(np.abs(y) / widths(fitted(rows), rows)) == pytest.approx(1, abs=0.02)


def test_where_features_tell_nothing_all_widths_of_a_stock_are_nearly_the_same():
    rows, _ = made_up(following=0.0)
    noise = np.random.default_rng(3).normal(size=rows[0].shape).astype(np.float32)
    blind = (noise, np.abs(noise), *rows[2:])
    found = widths(fitted(blind), blind) / rows[3]
    within = np.log(found).reshape(N_DAYS, N_STOCKS).std(axis=0)
    assert within.max() < 0.1


@settings(deadline=None, max_examples=25)
@given(
    unit=st.floats(1e-3, 1e3), of_feature=st.floats(1e-3, 1e3), sign=st.sampled_from([1.0, -1.0])
)
def test_units_of_targets_and_features_do_not_matter(unit, of_feature, sign):
    rows, _ = made_up()
    X, market, moves, scales = rows
    by = np.array([sign * of_feature, 1.0], np.float32)
    other = (X * by, market * np.abs(by), moves, scales * unit)
    found = widths(fitted(other), other)
    assert found / unit == pytest.approx(widths(fitted(rows), rows), rel=1e-3)


@given(st.data())
def test_whatever_a_row_holds_its_width_is_positive_and_finite(data):
    model = fitted(made_up()[0])
    number = st.floats(width=32) | st.just(float("nan"))
    X, market = (
        np.array([data.draw(st.lists(number, min_size=2, max_size=2))], np.float32)
        for _ in range(2)
    )
    found = model.widths(Inputs(X, X, market), 0.02)
    assert np.isfinite(found).all()
    assert (found > 0).all()


def test_a_feature_that_is_missing_or_mostly_zero_says_nothing():
    rows, _ = made_up()
    X, market, moves, scales = rows
    with_nothing = np.column_stack([X, np.zeros(len(X)), np.full(len(X), np.nan)])
    same = np.column_stack([market, np.zeros(len(X)), np.full(len(X), np.nan)])
    found = widths(fitted((with_nothing, same, moves, scales)), (with_nothing, same, moves, scales))
    assert found == pytest.approx(widths(fitted(rows), rows), rel=1e-6)


def test_a_model_is_the_same_after_its_way_through_json():
    rows, _ = made_up()
    model = fitted(rows)
    again = WidthModel.from_head(json.loads(json.dumps(model.to_head())))
    assert (widths(again, rows) == widths(model, rows)).all()


def test_stocks_that_all_move_alike_have_widths_all_the_same():
    """Their typical moves differ by rounding alone, of which nothing may be learnt."""
    (X, market, moves, scales), _ = made_up()
    rounded = 0.02 * (1 + 1e-16 * np.random.default_rng(0).integers(-3, 4, len(scales)))
    rows = (X, market, moves, rounded)
    model = fitted(rows)
    for move in (0.02, 0.03):
        found = model.widths(Inputs(X, np.full_like(X, np.nan), market), move)
        assert np.isfinite(found).all()
        assert ((found > 1e-4) & (found < 1)).all()


def one_stock(rows, i=0):
    X, market, moves, scales = (part.reshape(N_DAYS, N_STOCKS, -1)[:, i] for part in rows)
    return Inputs(X, np.full_like(X, np.nan), market), (moves * scales)[:, 0]


def test_a_stock_that_a_takeover_has_pinned_moves_no_more():
    rows, _ = made_up()
    inputs, y = one_stock(rows)
    moves = Moves.of(fitted(rows), inputs, y, lent=0.02)
    assert (moves.now(moves.widths(inputs)) <= moves.usual).all()
    pinned = Inputs(inputs.X * np.float32(0.1), inputs.relative, inputs.market)
    assert np.median(moves.now(moves.widths(pinned))) < 0.6 * np.median(
        moves.now(moves.widths(inputs))
    )


def test_a_stock_too_young_moves_as_the_universe_does():
    rows, _ = made_up()
    inputs, y = one_stock(rows)
    young = Moves.of(fitted(rows), inputs, y[:19], lent=0.03)
    assert (young.usual, young.level) == (0.03, 1.0)


def test_a_stock_that_never_moved_has_a_width():
    rows, _ = made_up()
    inputs, y = one_stock(rows)
    still = Moves.of(fitted(rows), inputs, 0 * y, lent=0.02)
    assert (still.widths(inputs) > 0).all()
    assert (still.now(still.widths(inputs)) == 0).all()


def test_without_a_universe_all_widths_are_1():
    inputs, y = one_stock(made_up()[0])
    alone = Moves.of(None, inputs, y, lent=0.0)
    assert (alone.widths(inputs) == 1).all()
    assert (alone.now(alone.widths(inputs)) == np.median(np.abs(y))).all()
