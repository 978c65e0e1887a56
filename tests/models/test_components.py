"""Mixtures written out row by row are judged as mixtures whose members are the same in all rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bmastore.models import mixture
from bmastore.models.components import (
    components_of,
    judge,
    judge_zero,
    unpacked,
    with_entry,
    with_zero_first,
    without_entry,
)
from tests.models.test_mixture import mixtures


@settings(max_examples=40, deadline=None)
@given(st.tuples(arrays(np.float64, (3,), elements=st.floats(-2, 2)), mixtures(0.05)))
def test_row_by_row_scores_are_those_of_the_mixture(drawn):
    y, (centres, scales, weights) = drawn
    parts = components_of(centres, scales, weights).astype(np.float64)
    found = judge(y, parts)
    assert found.pit == pytest.approx(mixture.mixture_cdf(y, centres, scales, weights), abs=1e-6)
    expected = mixture.mixture_crps(y, centres, scales, weights)
    assert found.crps == pytest.approx(expected, abs=1e-5)
    density = mixture.log_densities(y[:, None] - centres, scales)
    expected = mixture.mixture_log_density(density, weights)
    assert found.log_score == pytest.approx(expected, abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(mixtures(0.05), mixtures(0.05))
def test_forecasts_of_more_and_fewer_members_are_judged_together(one, other):
    parts = [components_of(*drawn) for drawn in (one, other)]
    y = np.linspace(-1, 1, 3)
    rows = [row.ravel().tolist() for part in parts for row in part]
    together = judge(np.tile(y, 2), unpacked(rows))
    for i, part in enumerate(parts):
        alone = judge(y, part.astype(np.float64))
        for name in ("pit", "crps", "log_score"):
            mine = getattr(together, name)[3 * i : 3 * i + 3]
            assert mine == pytest.approx(getattr(alone, name), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    mixtures(0.05),
    st.sampled_from([("rf", "zero", "lgbm"), ("zero", "rf", "lgbm"), ("rf", "xgb", "lgbm")]),
    st.floats(0.2, 5),
    st.lists(st.booleans(), min_size=3, max_size=3).filter(any),
)
def test_a_mixture_is_told_by_its_entry_and_what_is_kept_of_it(drawn, names, width, has_weight):
    centres, scales, weights = (np.resize(part, (3,)) for part in drawn)
    centres = np.where(np.array(names) == "zero", 0.0, centres)
    weights = np.where(has_weight, weights + 0.1, 0.0)
    used = np.flatnonzero(weights)
    parts = components_of(centres[None, used], width * scales[used], weights[used])
    at = names.index("zero") if "zero" in names else None
    zero_scale = None if at is None else scales[at] * width
    (whole,) = with_zero_first(parts, [names[i] for i in used], zero_scale)
    entry = (names, weights.tolist(), scales.tolist())
    again = with_entry(*entry, *without_entry(whole.ravel().tolist(), *entry))
    assert np.reshape(again, (-1, 3)) == pytest.approx(whole, rel=1e-5, nan_ok=True)


def test_where_the_entry_does_not_tell_the_mixture_nothing_is_left_out():
    whole = [0.2, 0.0, 0.1, 0.5, 0.02, 0.2, 0.3, -0.01, 0.3]
    members, weights, scales = ("zero", "rf", "lgbm"), (0.2, 0.5, 0.3), (0.1, 0.2, 0.3)
    assert without_entry(whole, members, weights, scales) == ([0.02, -0.01], 0.1)
    # In another order, by other scales, with more members or fewer.
    for entry in (
        (members, (0.2, 0.3, 0.5), (0.1, 0.3, 0.2)),
        (members, weights, (0.1, 0.2, 0.2)),
        (members[:2], (0.2, 0.8), scales[:2]),
        ((*members, "xgb"), (0.2, 0.4, 0.3, 0.1), (*scales, 0.1)),
    ):
        assert without_entry(whole, *entry) is None
    assert (
        without_entry([0.0, 0.0, 0.1], *((part[:1]) for part in (members, (0.0,), scales))) is None
    )


def test_what_belongs_to_another_entry_makes_no_mixture():
    entry = (("zero", "rf"), (0.5, 0.5), (0.1, 0.1))
    assert with_entry(*entry, [0.02], 0.1) is not None
    assert with_entry(*entry, [0.02, 0.03], 0.1) is None
    assert with_entry(("zero",), (0.0,), (0.1,), [], 0.1) is None


def test_zero_is_judged_whatever_its_weight():
    centres, scales = np.array([[0.02, 0.0], [-0.01, 0.0]]), np.array([0.03, 0.04])
    y = np.array([0.05, -0.02])
    expected = judge(y, components_of(np.zeros((2, 1)), scales[1:], np.ones(1)).astype(float))
    for names, weights in ((("rf", "zero"), [0.7, 0.3]), (("rf",), [1.0])):
        k = len(names)
        parts = components_of(centres[:, :k], scales[:k], np.array(weights))
        full = with_zero_first(parts, names, scales[1]).astype(float)
        assert judge(y, full).crps == pytest.approx(judge(y, parts.astype(float)).crps)
        assert judge_zero(y, full).crps == pytest.approx(expected.crps)
        assert judge_zero(y, full).pit == pytest.approx(expected.pit)


def test_without_the_member_zero_there_is_nothing_to_compare_with():
    parts = with_zero_first(components_of(np.zeros((2, 1)), np.ones(1), np.ones(1)), ("rf",), None)
    assert np.isnan(judge_zero(np.zeros(2), parts.astype(float)).crps).all()
    assert np.isfinite(judge(np.zeros(2), parts.astype(float)).crps).all()
