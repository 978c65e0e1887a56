"""How many digits the ledger keeps: enough for anybody, and few enough to be small."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmastore.ledger.digits import by_size, to_decimals, to_sum

sizes = st.floats(1e-12, 1e12)
digits = st.integers(3, 8)


def decimals_of(value):
    """Decimals with which a float is written."""
    return max(0, -Decimal(repr(float(value))).normalize().as_tuple().exponent)


@given(st.floats(-10, 10), sizes, digits)
def test_what_is_left_out_is_smaller_than_the_last_digit_of_the_size(times, size, n):
    value = times * size
    assert abs(by_size(value, size, n) - value) <= 10.0 ** (1 - n) * size


@given(st.floats(-10, 10), sizes, digits)
def test_no_more_decimals_are_written_than_the_size_has(times, size, n):
    most = max(0, n - 1 - int(np.floor(np.log10(size))))
    assert decimals_of(by_size(times * size, size, n)) <= most


@given(st.lists(st.floats(-1e3, 1e3), min_size=2), sizes)
def test_order_is_kept(values, size):
    told = by_size(sorted(values), size)
    assert (np.diff(told) >= 0).all()


@given(st.floats(allow_nan=False), st.sampled_from([0.0, np.nan, np.inf, -1.0]))
def test_without_a_size_a_value_is_told_by_its_own(value, size):
    assert by_size(value, size) == pytest.approx(value, rel=1e-5)


@given(sizes)
def test_what_was_told_is_told_the_same_again(size):
    once = by_size(size, size)
    assert by_size(once, once) == once


@pytest.mark.parametrize("value", [1e308, -1e308, 1e-308, 0.0])
def test_what_no_decimals_tell_stays(value):
    assert to_decimals(value) == pytest.approx(value, abs=1e-4)
    assert by_size(value, 1.0) == pytest.approx(value, abs=1e-5)


def test_rows_of_shares_are_told_as_each_of_them_alone():
    rows = np.vstack([np.random.default_rng(0).dirichlet(np.ones(6), 20), np.zeros((1, 6))])
    assert to_sum(rows).tolist() == [to_sum(row).tolist() for row in rows]


def test_nan_stays():
    assert np.isnan(by_size([np.nan, 1.0], [1.0, 1.0])).tolist() == [True, False]
    assert np.isnan(to_decimals([np.nan])).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12).filter(lambda shares: sum(shares) > 0.01))
def test_shares_sum_to_one_to_the_last_decimal(shares):
    shares = np.array(shares) / sum(shares)
    told = to_sum(shares)
    assert sum(Decimal(repr(share)) for share in told.tolist()) == 1
    # All but the largest are the closest there are, and it gives way for them.
    assert np.abs(told - shares).max() <= 0.5e-4 * len(shares) + 1e-12
    assert (told >= 0).all()


@given(st.floats(-1e-9, 0.0), st.floats(0.1, 10))
def test_what_is_told_as_zero_has_no_sign(value, size):
    assert repr(float(by_size(value, size))) == repr(float(to_decimals(value))) == "0.0"
