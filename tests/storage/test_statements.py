"""Values as SQL writes them: whatever a user's text holds, it stays a value."""

import subprocess
import sys

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmastore.errors import InputError
from bmastore.storage.statements import Part, fill, literal, quoted

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
VALUES = st.one_of(
    st.none(),
    TEXT,
    st.integers(-(2**63), 2**63 - 1),
    st.dates(),
    st.booleans(),
    st.floats(allow_nan=False),
    st.datetimes(),
    st.lists(TEXT, min_size=1),
    st.lists(st.none() | st.dates(), min_size=1),
)


@given(VALUES)
def test_a_literal_is_read_as_the_value_that_it_was(value):
    assert duckdb.execute(f"select {literal(value)}").fetchall() == [(value,)]


@given(TEXT)
def test_a_value_stays_a_value_whatever_stands_in_it(value):
    (statement,) = fill("select $value as found -- $nothing; {nothing}", {"value": value})
    assert duckdb.execute(statement).fetchall() == [(value,)]


@given(TEXT, st.sampled_from("\0\ud800\udcc3\udfff"), TEXT)
def test_text_that_no_database_takes_is_refused(before, letter, after):
    for write in (literal, quoted):
        with pytest.raises(InputError, match="no text in a database"):
            write(f"{before}{letter}{after}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1; select 2", ["select 1", "select 2"]),
        ("select ';' as a; select 2;", ["select ';' as a", "select 2"]),
        ("select 'it''s; so' as a", ["select 'it''s; so' as a"]),
        ('select 1 as "a;b"', ['select 1 as "a;b"']),
        ("-- a; comment\nselect 1", ["-- a; comment\nselect 1"]),
        ("/* a; b */ select 1", ["/* a; b */ select 1"]),
        ("select 1; -- the end; really", ["select 1"]),
        ("select 1 - 2 / 3", ["select 1 - 2 / 3"]),
        ("", []),
    ],
)
def test_a_semicolon_ends_a_statement_only_where_it_is_one(text, expected):
    assert fill(text, {}) == expected


def test_signs_of_fields_mean_nothing_in_comments_and_strings():
    text = "select '$a {b}' as \"$a {b}\" -- $a {b}\nwhere $a /* {b} */"
    assert fill(text, {"a": 1}) == ["select '$a {b}' as \"$a {b}\" -- $a {b}\nwhere 1 /* {b} */"]


def test_a_value_is_no_part_of_sql_and_a_part_no_value():
    with pytest.raises(TypeError, match="takes a part of SQL"):
        fill("select {a}", {"a": "1; drop table runs"})
    with pytest.raises(TypeError, match="takes a value"):
        fill("select $a", {"a": Part("1")})
    with pytest.raises(KeyError, match="missing"):
        fill("select $missing", {})
    assert fill("select {a} from t", {"a": Part("x, $y")}) == ["select x, $y from t"]


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
