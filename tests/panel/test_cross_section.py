"""Where stocks stood on each date: what the pooled member sees instead of features as they are."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bmastore import Store
from bmastore.cross_section import CrossSections, quartiles
from bmastore.datasets import planted_panel as made_up
from bmastore.panel.read import read_cross_sections
from bmastore.storage.session import open_reader
from tests.helpers import FAST, HORIZON, TARGET

PANEL = made_up(n_stocks=12, n_days=420, seed=4)
FEATURES = tuple(sorted(set(PANEL.columns) - {"ticker", "date", TARGET}))
DAYS = pd.DatetimeIndex(PANEL["date"].unique())
DATES = DAYS.to_numpy().astype("datetime64[D]")
CELLS = DATES.astype(int) // FAST.splits.refresh_days
# The last day of a refresh cell: the whole cell comes after the anchor.
LAST = int(np.flatnonzero(np.diff(CELLS))[-1])


def store_of(path, rows):
    store = Store(path)
    store.ingest(rows, target=TARGET, horizon=HORIZON)
    return store


def sections_of(store, **span):
    with open_reader(store.path, needs_panel=True) as reader:
        return read_cross_sections(reader.duck, FEATURES, **span)


def assert_equal(one, two):
    for name in ("dates", "medians", "spreads"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_they_are_the_medians_and_quartile_distances_of_each_date(tmp_path):
    rows = PANEL.copy()
    rows.loc[rows.index[::7], FEATURES[0]] = np.nan
    rows.loc[rows["date"] == DAYS[3], FEATURES[1]] = np.nan
    found = sections_of(store_of(tmp_path / "bma.duckdb", rows))
    by_date = rows.astype(dict.fromkeys(FEATURES, np.float32)).groupby("date")[list(FEATURES)]
    lower, medians, upper = (by_date.quantile(level).to_numpy() for level in (0.25, 0.5, 0.75))
    np.testing.assert_array_equal(found.dates, DATES)
    np.testing.assert_allclose(found.medians, medians, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.spreads, upper - lower, rtol=1e-4, atol=1e-6)
    assert np.isnan(found.medians[3, 1])


@pytest.mark.filterwarnings("ignore:All-NaN slice")
@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 4), st.integers(1, 40)),
        elements=st.one_of(st.just(np.nan), st.floats(-1e6, 1e6, width=32)),
    )
)
def test_quartiles_are_numpys_whatever_is_missing_or_equal(features):
    expected = np.nanquantile(features.astype(np.float64), [0.25, 0.5, 0.75], axis=1)
    np.testing.assert_allclose(quartiles(features), expected, rtol=1e-12, atol=1e-9)


def test_a_span_is_read_from_the_newest_date_at_or_before_its_beginning_on(tmp_path):
    store = store_of(tmp_path / "bma.duckdb", PANEL)
    some = sections_of(store, since=DAYS[10].date(), until=DAYS[20].date())
    np.testing.assert_array_equal(some.dates, DATES[10:21])
    sunday = (DAYS[10] - timedelta(days=1)).date()
    from_friday_on = sections_of(store, since=sunday, until=DAYS[20].date())
    np.testing.assert_array_equal(from_friday_on.dates, DATES[9:21])
    joined = sections_of(store).before(DATES[15]).then(some)
    assert_equal(joined, sections_of(store, until=DAYS[20].date()))


def test_a_date_on_which_few_stocks_have_arrived_takes_the_cross_section_before_it(tmp_path):
    few = PANEL[(PANEL["date"] < DAYS[-1]) | (PANEL["ticker"] < "DEMO05")]
    found = sections_of(store_of(tmp_path / "bma.duckdb", few))
    assert found.dates[-1] == DATES[-2]
    X = np.zeros((2, len(FEATURES)), dtype=np.float32)
    newest, before = found.relative(DATES[[-1, -2]], X)
    np.testing.assert_array_equal(newest, before)


def test_what_comes_later_changes_no_cross_section(tmp_path):
    seen = PANEL["date"] <= DAYS[200]
    changed = PANEL.copy()
    changed.loc[~seen, list(FEATURES)] *= -3
    changed = changed[seen | (changed["ticker"] > "DEMO08")]
    one, two = (
        sections_of(store_of(tmp_path / f"{i}.duckdb", rows), until=DAYS[200].date())
        for i, rows in enumerate((PANEL, changed))
    )
    assert_equal(one, two)


@given(
    X=arrays.arrays(np.float32, (9, 2), elements=st.integers(-100, 100)),
    shift=st.integers(-100, 100),
    factor=st.sampled_from([0.25, 2.0, 8.0]),
)
def test_what_moves_all_stocks_of_a_date_alike_is_not_seen(X, shift, factor):
    """Whole numbers and powers of two, for which the arithmetic is exact."""
    found = relative_to_itself(X)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(relative_to_itself(X + np.float32(shift)), found)
    differ = np.diff(np.quantile(X, [0.25, 0.75], axis=0), axis=0)[0] > 0
    scaled = relative_to_itself(X * np.float32(factor))
    np.testing.assert_array_equal(scaled[:, differ], found[:, differ])


def relative_to_itself(X):
    dates = np.full(len(X), np.datetime64("2024-01-02"))
    return CrossSections.of(dates[:1], dates, list(X.T)).relative(dates, X)


def test_a_feature_in_which_stocks_do_not_differ_is_centred_and_one_that_none_has_is_missing():
    sections = CrossSections(
        np.array(["2024-01-02"], dtype="datetime64[D]"),
        np.array([[2.0, np.nan]], dtype=np.float32),
        np.array([[0.0, np.nan]], dtype=np.float32),
    )
    found = sections.relative(sections.dates, np.array([[5.0, 1.0]], dtype=np.float32))
    np.testing.assert_array_equal(found, [[3.0, np.nan]])


def test_a_neighbours_revised_row_counts_as_if_it_had_always_been_so(tmp_path):
    """Out-of-fold predictions stand on the cross-sections of their dates."""
    rows = PANEL[PANEL["date"] <= DAYS[LAST]]
    late = rows.groupby("ticker").cumcount(ascending=False)
    rows = rows.assign(**{TARGET: rows[TARGET].where(late >= HORIZON)})
    revised = rows.copy()
    revised.loc[(late == HORIZON + 2) & (rows["ticker"] < "DEMO04"), FEATURES[0]] *= -5
    store = store_of(tmp_path / "bma.duckdb", rows[late > 0])
    store.train(FAST)
    before = store.sql("select * from oof where ticker = 'DEMO07' and member = 'pooled'")
    store.ingest(revised, target=TARGET, horizon=HORIZON)
    store.train(FAST)
    whole = store_of(tmp_path / "whole.duckdb", revised)
    whole.train(FAST)
    query = "select ticker, member, weight, scale from v_weights order by all"
    pd.testing.assert_frame_equal(store.sql(query), whole.sql(query), check_exact=True)
    query = "select * from oof where ticker = 'DEMO07' and member = 'pooled'"
    after = store.sql(query).merge(before, on="date", suffixes=("", "_before"))
    changed = after["prediction"] != after["prediction_before"]
    assert after["date"][changed].tolist() == [DAYS[LAST - HORIZON - 2]]
