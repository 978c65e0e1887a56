"""Values as SQL writes them: whatever a user's text holds, it stays a value."""

import subprocess
import sys

import duckdb
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from bmastore.storage.statements import literal

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
VALUES = st.one_of(
    st.none(),
    TEXT,
    st.integers(-(2**63), 2**63 - 1),
    st.dates(),
    st.datetimes(),
    st.lists(TEXT, min_size=1),
    st.lists(st.none() | st.dates(), min_size=1),
)


@given(VALUES)
def test_a_literal_is_read_as_the_value_that_it_was(value):
    assert duckdb.execute(f"select {literal(value)}").fetchall() == [(value,)]


def test_an_ingest_of_a_file_does_not_wait_for_pandas(tmp_path):
    prices = {"ticker": "A", "date": pd.date_range("2024-01-01", periods=90), "close": 1.0}
    path = tmp_path / "prices.csv"
    pd.DataFrame(prices).assign(open=1.0, high=1.0, low=1.0, volume=1).to_csv(path, index=False)
    script = (
        "import sys, bmastore\n"
        f"bmastore.Store({str(tmp_path / 'bma.duckdb')!r}).ingest({str(path)!r})\n"
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["False"], done.stderr
