"""Tables as people and programs read them."""

import csv
import datetime as dt
import json

import pytest

from bmastore.reports.render import render
from bmastore.table import Table
from tests.helpers import cli

HASH = "0123456789abcdef" * 4
WIDE = Table(
    ("run_id", "started_at", "share", "n", "config", *(f"column_{i}" for i in range(12))),
    ("VARCHAR", "TIMESTAMP", "DOUBLE", "INTEGER", "VARCHAR", *["DOUBLE"] * 12),
    [(HASH, dt.datetime(2024, 1, 2, 3, 4, 5, 678), 1 / 3, 7, json.dumps({"a": "b" * 900}),
      *[1e-7] * 12)] * 3,
)  # fmt: skip
NARROW = Table(
    ("ticker", "sha", "mean"), ("VARCHAR", "VARCHAR", "DOUBLE"), [("A", HASH, 0.123456789)]
)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("table", [WIDE, NARROW])
def test_a_table_fits_the_screen(table, width):
    text = render(table, "table", width)
    assert max(map(len, text.splitlines())) <= width
    assert HASH[:8] in text
    assert HASH not in text


def test_what_is_too_wide_is_shown_row_by_row():
    lines = render(WIDE, "table", 80).splitlines()
    heads = [f"── {i} ".ljust(40, "─") for i in (1, 2, 3)]
    assert [line for line in lines if line.startswith("──")] == heads
    assert "share       0.33333" in lines


def test_into_a_pipe_nothing_is_cut():
    text = render(WIDE, "table")
    assert HASH in text
    assert "b" * 900 in text
    assert len(text.splitlines()) == 2 + 3


def test_numbers_have_five_digits_in_a_table_and_all_elsewhere():
    assert "0.12346" in render(NARROW, "table")
    assert "0.123456789" in render(NARROW, "csv")
    assert json.loads(render(NARROW, "json"))[0]["mean"] == 0.123456789


HOSTILE = Table(
    ("na\x1b[2Jme", "note"),
    ("VARCHAR", "VARCHAR"),
    [("\x1b]0;title\x07", "=cmd|' /C calc'!A0"), ("a\u202eb\x9b", "-1+1"), ("two\nlines", "é日本")],
)


def test_names_cannot_steer_a_terminal():
    text = render(HOSTILE, "table")
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert r"\x1b]0;title\x07" in text
    assert r"a\u202eb\x9b" in text
    assert r"na\x1b[2Jme" in text
    assert "two lines" in text
    assert "é日本" in text


def test_a_spreadsheet_runs_no_text_of_a_csv_file_unless_it_is_raw():
    rows = list(csv.reader(render(HOSTILE, "csv").splitlines()[1:3]))
    assert [row[1] for row in rows] == ["'=cmd|' /C calc'!A0", "'-1+1"]
    rows = list(csv.reader(render(HOSTILE, "csv", is_raw=True).splitlines()[1:3]))
    assert [row[1] for row in rows] == ["=cmd|' /C calc'!A0", "-1+1"]


def test_numbers_below_zero_stay_numbers_in_csv():
    assert render(Table(("x",), ("DOUBLE",), [(-0.5,)]), "csv") == "x\n-0.5\n"


def test_an_error_cannot_steer_a_terminal(tmp_path):
    refused = cli("status", "--store", tmp_path / "a\x1b[2J.duckdb", check=2)
    assert "\x1b" not in refused.stderr
    assert r"\x1b[2J" in refused.stderr


def test_json_has_null_for_what_is_no_number():
    odd = Table(("x", "y"), ("DOUBLE", "DOUBLE[]"), [(float("inf"), [1.0, float("nan")])])
    assert json.loads(render(odd, "json")) == [{"x": None, "y": [1.0, None]}]
