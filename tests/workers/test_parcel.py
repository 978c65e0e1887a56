"""A chunk that goes over a network is there what it was here."""

import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays, datetime64_dtypes

from bmastore.arrays import PanelArrays
from bmastore.workers.chunks import Chunk
from bmastore.workers.parcel import Parcel
from tests.helpers import stock

DAYS = datetime64_dtypes(max_period="D", min_period="D", endianness="=")


@given(st.data(), st.integers(1, 40))
def test_any_dates_arrive(data, n):
    kind = data.draw(DAYS)
    dates, label_ends = (data.draw(arrays(kind, n)) for _ in range(2))
    X, y = np.zeros((n, 1), np.float32), np.zeros(n)
    rows = PanelArrays(("A",), np.array([0, n]), dates, label_ends, X, y)
    there = Parcel.of(Chunk(rows, (None,))).unpacked(b"", None).rows
    np.testing.assert_array_equal(there.dates, dates)
    np.testing.assert_array_equal(there.label_ends, label_ends)
    assert there.dates.dtype == there.label_ends.dtype == rows.dates.dtype


def test_all_else_arrives_and_what_is_shared_is_not_sent():
    rows = PanelArrays.of([stock(ticker=name, missing=0.1) for name in "AB"])
    chunk = Chunk(rows, (None, None), universe=bytes(10_000_000))
    sent = Parcel.of(chunk)
    there = sent.unpacked(chunk.universe, None)
    assert len(pickle.dumps(sent)) < rows.X.nbytes + rows.y.nbytes + 4000
    assert there.rows.tickers == rows.tickers
    for name in ("offsets", "dates", "label_ends", "X", "y"):
        np.testing.assert_array_equal(getattr(there.rows, name), getattr(rows, name))
    assert there.universe == chunk.universe
