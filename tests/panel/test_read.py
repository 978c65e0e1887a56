"""Rows of the panel come stock after stock, oldest first, in whatever order they lie."""

from datetime import date

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmastore.panel.read import read_rows

DAYS = [date(1960, 1, 1), date(1970, 1, 1), date(2024, 2, 29), date(2024, 3, 1)]
STOCKS = ["A", "B'", "ZZ", "é"]
NUMBERS = st.none() | st.floats(-1e6, 1e6, width=32)
ROWS = st.dictionaries(st.tuples(st.sampled_from(STOCKS), st.sampled_from(DAYS)), NUMBERS)


@pytest.fixture(scope="module")
def duck():
    with duckdb.connect() as connection:
        connection.execute("create table features (ticker varchar, date date, x float)")
        connection.execute(
            "create table targets "
            "(ticker varchar, date date, target varchar, value double, label_end date)"
        )
        yield connection


@settings(max_examples=80, deadline=None)
@given(
    features=ROWS,
    labels=ROWS,
    asked=st.lists(st.sampled_from([*STOCKS, "none"]), unique=True),
    since=st.sampled_from([date.min, *DAYS]),
    draw=st.randoms(),
)
def test_rows_are_in_order_with_their_labels(duck, features, labels, asked, since, draw):
    duck.execute("truncate features")
    duck.execute("truncate targets")
    for (ticker, day), x in sorted(features.items(), key=lambda row: draw.random()):
        duck.execute("insert into features values ($1, $2, $3)", [ticker, day, x])
    for (ticker, day), y in sorted(labels.items(), key=lambda row: draw.random()):
        duck.execute("insert into targets values ($1, $2, 'up', $3, $2)", [ticker, day, y])
        duck.execute("insert into targets values ($1, $2, 'other', 9, $2)", [ticker, day])
    found = read_rows(duck, asked, "up", ["x"], since)
    assert found.tickers == tuple(asked)
    for ticker, stock in zip(asked, found, strict=True):
        days = [day for one, day in sorted(features) if one == ticker and day >= since]
        assert stock.dates.tolist() == days
        ends = [day if (ticker, day) in labels else None for day in days]
        assert stock.label_ends.tolist() == ends
        for values, known in ((stock.X[:, 0], features), (stock.y, labels)):
            expected = [known.get((ticker, day)) for day in days]
            assert values == pytest.approx(np.array(expected, float), nan_ok=True)
