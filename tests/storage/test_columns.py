"""Columns of Python's objects are stored as they are, whatever DuckDB would take them for."""

from datetime import date, datetime

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmastore.storage.columns import bulk_insert, registered

DAY = date(2026, 3, 2)
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(2**63), 2**63 - 1)
# DuckDB's type of a column, and what it may hold.
KINDS = {
    "varchar": TEXT,
    "double": FLOATS | st.integers(-(2**53), 2**53),
    "bigint": WHOLE,
    "boolean": st.booleans(),
    "date": st.dates(),
    "timestamp": st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(2200, 1, 1)),
    "double[]": st.lists(st.none() | FLOATS | st.integers(-(2**53), 2**53)),
    "bigint[]": st.lists(st.none() | WHOLE),
    "varchar[]": st.lists(st.none() | TEXT),
}


def inserted(kind, values):
    """What DuckDB has of a column of values."""
    duck = duckdb.connect()
    duck.execute(f"create table given (key bigint, value {kind})")
    bulk_insert(duck, "given", {"key": list(range(len(values))), "value": values})
    return [value for (value,) in duck.execute("select value from given order by key").fetchall()]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_values_are_stored_as_they_are(kind, data):
    few = data.draw(st.lists(st.none() | KINDS[kind], min_size=1, max_size=4))
    # Enough of them that DuckDB would not look at all.
    many = [few[0]] * data.draw(st.sampled_from([1, 2500])) + few
    assert inserted(kind, many) == many


@pytest.mark.parametrize("n_rows", [1, 1000, 2000, 5001])
@pytest.mark.parametrize(
    ("kind", "value"),
    [("varchar", "why"), ("double", 1.5), ("bigint", 3), ("double[]", [1.0, 2.5]), ("date", DAY)],
)
@pytest.mark.parametrize("where", [None, 0, 7, -1])
def test_however_few_rows_have_a_value_it_is_kept(n_rows, kind, value, where):
    values = [None] * n_rows
    if where is not None:
        values[where % n_rows] = value
    assert inserted(kind, values) == values


@pytest.mark.parametrize("kind", [np.float32, np.int64, object])
@pytest.mark.parametrize("lengths", [(3, 0, 2), (0, 0, 1), (0,)])
def test_arrays_become_lists(kind, lengths):
    arrays = [np.arange(n, dtype=kind) for n in lengths]
    duck = duckdb.connect()
    with registered(duck, "given", {"key": list(range(len(arrays))), "value": arrays}):
        found = duck.execute("select value from given order by key").fetchall()
    assert [value for (value,) in found] == [array.tolist() for array in arrays]


def test_no_rows_are_a_relation_too():
    duck = duckdb.connect()
    with registered(duck, "given", {"a": [], "b": []}):
        assert duck.execute("from given").fetchall() == []


def test_what_the_connection_looks_at_is_as_it_was_before():
    duck = duckdb.connect()
    asked = "select current_setting('pandas_analyze_sample')"
    before = duck.execute(asked).fetchall()
    with pytest.raises(duckdb.Error), registered(duck, "given", {"a": ["x"]}):
        duck.execute("select nothing from given")
    assert duck.execute(asked).fetchall() == before


def test_a_connection_that_is_locked_down_takes_what_one_value_tells_and_no_more():
    duck = duckdb.connect()
    duck.execute("set lock_configuration = true")
    names = [None] * 3000 + ["x"]
    with registered(duck, "given", {"a": names}):
        assert duck.execute("select count(*), max(a) from given").fetchall() == [(3001, "x")]
    with (
        pytest.raises(TypeError, match="cannot be told"),
        registered(duck, "given", {"a": [1, "x"]}),
    ):
        pass
