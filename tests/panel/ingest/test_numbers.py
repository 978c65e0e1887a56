"""Numbers in text: one way to write them per file, told by the whole column or refused."""

import numpy as np
import pandas as pd
import pytest

from bmastore.errors import InputError
from tests.panel.ingest.helpers import note, prices, take

HEAD = ("ticker", "date", "open", "close", "volume")


def write(path, rows, separator=";", encoding="utf-8", head=HEAD):
    lines = [separator.join(head)]
    lines += [separator.join(["A", f"2023-01-{i + 2:02d}", *row]) for i, row in enumerate(rows)]
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


WRITTEN = {
    "points": (["1234.5", "1234.25", "1234567"], "."),
    "commas": (["1234,5", "1234,25", "1234567"], ","),
    "commas and points": (["1.234,5", "1.234,25", "1.234.567"], ","),
    "points and commas": (["1,234.5", "1,234.25", "1,234,567"], "."),
    "lakhs": (["1,234.5", "1,234.25", "12,34,567"], "."),
    "apostrophes": (["1'234.5", "1\u2019234.25", "1'234'567"], "."),
    "spaces": (["1 234,5", "1\u202f234,25", "1\u00a0234\u00a0567"], ","),
    "currencies": (["$1,234.50", "€ 1,234.25", "1234567"], "."),
    "letters": (["1.2345K", "1.23425k", "1.234567M"], "."),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_a_number_is_what_its_column_says(store, tmp_path, how):
    cells, _ = WRITTEN[how]
    take(store, write(tmp_path / "p.csv", [cells, cells]))
    found = prices(store)
    assert found["open"].tolist() == [1234.5, 1234.5]
    assert found["close"].tolist() == [1234.25, 1234.25]
    assert found["volume"].tolist() == [1234567, 1234567]


def test_a_column_of_whole_thousands_follows_the_others_of_its_file(store, tmp_path):
    take(store, write(tmp_path / "p.csv", [["12,50", "12,75", "1.234"]]))
    assert prices(store)["volume"].tolist() == [1234]
    take(store, write(tmp_path / "q.csv", [["12.50", "12.75", "1.234"]]))
    assert prices(store)["volume"].tolist() == [1.234]


def test_what_may_be_thousands_or_decimals_is_refused_until_told(store, tmp_path):
    path = write(tmp_path / "p.csv", [["1,234", "1,235", "1,236"]])
    with pytest.raises(InputError, match="--decimal"):
        store.ingest(path)
    take(store, path, decimal=",")
    assert prices(store)["close"].tolist() == [1.235]
    take(store, path, decimal=".")
    assert prices(store)["close"].tolist() == [1235]


def test_points_before_three_digits_in_each_cell_are_said(store, tmp_path):
    path = write(tmp_path / "p.csv", [["1.234", "1.235", "5"], ["1.236", "1.237", "6"]])
    report = take(store, path)
    assert note(report, "three digits after the point").examples == ("open", "close")
    assert prices(store)["close"].tolist() == [1.235, 1.237]
    assert note(take(store, path, decimal="."), "three digits after the point") is None
    take(store, path, decimal=",")
    assert prices(store)["close"].tolist() == [1235, 1237]
    told = write(tmp_path / "q.csv", [["1.234", "12.5", "5"]])
    assert note(take(store, told, decimal=None), "three digits after the point") is None


def test_brackets_percent_and_booleans_in_features(store, tmp_path):
    cells = [["(1.5)", "12.5%", "True", "0.1"], ["-2.5", "7%", "False", "0.2"]]
    head = ("ticker", "date", "bracket", "share", "flag", "y")
    report = take(store, write(tmp_path / "p.csv", cells, head=head), target="y", horizon=1)
    found = store.sql("from features order by date")
    assert found["bracket"].tolist() == [-1.5, -2.5]
    np.testing.assert_allclose(found["share"], [0.125, 0.07], rtol=1e-6)
    assert found["flag"].tolist() == [1, 0]
    assert note(report, "percent").n == 2


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", "   "])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_any_separator_and_line_end(store, tmp_path, separator, ending):
    path = write(tmp_path / "p.txt", [["1.5", "2.5", "30"]] * 5, separator)
    path.write_bytes(path.read_bytes().replace(b"\n", ending.encode()))
    assert take(store, path).rows_new == 5


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-8-sig", "é"), ("utf-16", "é"), ("utf-16-le", "é"), ("latin-1", "Société"),
     ("gb18030", "平安银行"), ("utf-8", "平安银行")],
)  # fmt: skip
def test_encodings_are_found_out_and_said(store, tmp_path, encoding, name):
    rows = [["1.5", "2.5", "30", name]] * 20
    path = write(tmp_path / "p.csv", rows, encoding=encoding, head=(*HEAD, name))
    report = take(store, path)
    assert report.rows_new == 20
    assert (note(report, "files read as") is None) == encoding.startswith("utf-8")
    assert note(report, "no prices").examples == (name,)
    assert take(store, path, encoding=encoding).rows_unchanged == 20


def test_an_accent_far_behind_the_beginning_does_not_lose_its_row(store, tmp_path):
    rows = [["1.5", "2.5", "30", "x" * 40]] * 3
    path = write(tmp_path / "p.csv", rows, head=(*HEAD, "name"))
    body = "".join(f"T{i};2023-01-02;1;2;3;{'x' * 40}\n" for i in range(3000))
    path.write_bytes(path.read_bytes() + body.encode() + "Z;2023-01-02;1;2;3;é\n".encode("latin-1"))
    report = take(store, path)
    assert (report.rows_read, report.rows_new) == (3004, 3004)


def test_quotes_that_first_occur_far_behind_the_beginning(store, tmp_path):
    body = "".join(f"T{i},2023-01-02,plain,1\n" for i in range(21_000))
    (tmp_path / "p.csv").write_text(f'ticker,date,name,close\n{body}Z,2023-01-02,"Z, Inc.",2\n')
    assert take(store, tmp_path / "p.csv").rows_new == 21_001


def test_line_ends_and_stray_quotes_in_cells(store, tmp_path):
    rows = ['"Two\nlines",A,2023-01-02,1', '"Stray,A,2023-01-03,2', "x,A,2023-01-04,3"]
    text = "\n".join(["name,ticker,date,close", *rows, ""])
    (tmp_path / "p.csv").write_text(text)
    take(store, tmp_path / "p.csv")
    assert prices(store)["close"].tolist() == [1, 2, 3]


def test_footers_and_lines_of_another_width_are_counted(store, tmp_path):
    text = "ticker,date,close\nA,2023-01-02,1\nA,2023-01-03,2,extra\nA,2023-01-04,3\n\nSource: us\n"
    (tmp_path / "p.csv").write_text("Report of 2023\n\n" + text)
    report = take(store, tmp_path / "p.csv")
    assert (report.rows_read, report.rows_new) == (4, 2)
    assert note(report, "more cells than the header").n == 1
    assert note(report, "fewer cells than the header").examples == ("Source: us",)


def test_prices_are_stored_as_they_are_given(store):
    given = pd.DataFrame(
        {"ticker": "A", "date": pd.bdate_range("2023-01-02", periods=2), "close": [123.45, 1 / 3]}
    )
    take(store, given)
    assert prices(store)["close"].tolist() == [123.45, 1 / 3]


@pytest.mark.parametrize("dtype", ["Int64", "float32", "object", "string", "category"])
def test_kinds_of_pandas_columns_are_numbers_where_they_hold_some(store, dtype):
    frame = pd.DataFrame({"ticker": "A", "date": pd.bdate_range("2023-01-02", periods=3)})
    frame["close"] = pd.Series([1, 2, 3]).astype(dtype)
    take(store, frame)
    assert prices(store)["close"].tolist() == [1, 2, 3]


def test_types_that_hold_no_numbers_are_refused_by_name(store):
    frame = pd.DataFrame({"ticker": "A", "date": pd.bdate_range("2023-01-02", periods=4), "y": 1.0})
    for column in (pd.Categorical(["INTERNET", "POINT"] * 2), pd.to_timedelta([1, 2, 3, 4], "D")):
        with pytest.raises(InputError, match=r"column 'odd' holds .* values, not numbers; leave"):
            store.ingest(frame.assign(odd=column), target="y", horizon=1)


def test_values_beyond_a_feature_s_range_are_noted(store):
    frame = pd.DataFrame({"ticker": "A", "date": pd.bdate_range("2023-01-02", periods=4), "y": 1.0})
    frame["big"] = [1e39, -1e39, 1.0, np.inf]
    report = take(store, frame, target="y", horizon=1)
    assert note(report, "values beyond 3.4e38 in 'big'").n == 2
    assert note(report, "infinite values in 'big'").n == 1
