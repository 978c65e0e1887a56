"""Tables as people and programs read them."""

import datetime as dt
import json

import pytest

from bmastore.reports.render import render
from bmastore.table import Table

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
