"""What a store answers is had by pandas, Arrow and Polars in one way, and shown by notebooks."""

import datetime as dt

import polars as pl
import pyarrow as pa
import pytest

from bmastore.table import Table, distinct
from tests.helpers import cli_json

ROWS = [("A", dt.date(2024, 1, 2), 1, 0.5, True), ("<b>", None, None, None, None)]
TABLE = Table(
    ("ticker", "date", "n", "mean", "is_current"),
    ("VARCHAR", "DATE", "INTEGER", "DOUBLE", "BOOLEAN"),
    ROWS,
)


def test_the_same_rows_come_to_pandas_arrow_and_polars():
    assert TABLE.frame()["ticker"].tolist() == ["A", "<b>"]
    assert TABLE.arrow().to_pylist() == TABLE.records()
    assert TABLE.polars().rows() == ROWS
    kinds = [pa.string(), pa.date32(), pa.int32(), pa.float64(), pa.bool_()]
    assert TABLE.arrow().schema.types == kinds


def test_a_table_without_rows_keeps_its_types():
    empty = Table(TABLE.columns, TABLE.types, [])
    assert empty.arrow().schema == TABLE.arrow().schema
    assert empty.polars().schema["mean"] == pl.Float64

    assert empty.frame()["mean"].dtype == "float64"
    assert empty.frame()["date"].dtype.kind == "M"


def test_numbers_of_a_column_without_any_are_none_of_another_kind():
    missing = Table(("mean",), ("DOUBLE",), [(None,), (None,)])
    assert missing.frame()["mean"].dtype == "float64"


def test_whole_numbers_that_no_float_holds_stay_what_they_are():
    large = 2**53 + 1
    for rows in ([(large,), (None,)], [(large,), (1,)]):
        frame = Table(("n",), ("BIGINT",), rows).frame()
        assert frame["n"].tolist() == [value for (value,) in rows]
    assert Table(("n",), ("BIGINT",), [(1,), (None,)]).frame()["n"].dtype == "float64"
    assert Table(("n",), ("UBIGINT",), [(2**64 - 1,)]).arrow().to_pylist() == [{"n": 2**64 - 1}]


def test_lists_of_times_stay_lists(trained):
    text = "select [timestamp '2024-01-02 10:00', null] as t, [date '2024-01-02'] as d"
    found = trained.sql(text)
    assert found["t"].tolist() == [[dt.datetime(2024, 1, 2, 10), None]]
    assert found["d"].tolist() == [[dt.date(2024, 1, 2)]]


def test_columns_of_one_name_are_told_apart(trained):
    assert distinct(["a", "A", "a_1", "a"]) == ("a", "A_1", "a_1_1", "a_2")
    query = "select 1 as n, 2 as n, 3 as N"
    assert trained.query(query).records() == [{"n": 1, "n_1": 2, "N_2": 3}]
    assert trained.sql(query)["n_1"].tolist() == [2]
    assert trained.query(query).polars().columns == ["n", "n_1", "N_2"]
    told = cli_json("sql", query, "--format", "json", "--store", trained.path)
    assert told == [{"n": 1, "n_1": 2, "N_2": 3}]


def test_a_notebook_shows_text_as_text():
    shown = TABLE._repr_html_()
    assert "<td>&lt;b&gt;</td>" in shown
    assert "<td>0.5</td>" in shown
    long = Table(("n",), ("INTEGER",), [(i,) for i in range(100)])._repr_html_()
    assert long.count("<tr>") == 61
    assert "and 40 rows more" in long


@pytest.mark.parametrize("what", ["predict", "status", "train", "explain", "monitor", "backtest"])
def test_every_answer_of_a_store_is_one(trained, what):
    args = {"explain": ["DEMO01"]}.get(what, [])
    options = {"backtest": {"cutoffs": 1, "every": 20}}.get(what, {})
    if what in ("train", "backtest"):
        from tests.helpers import FAST

        args = [FAST]
    answer = getattr(trained, what)(*args, **options)
    answer = answer[0] if isinstance(answer, tuple) else answer
    assert len(answer.frame) == answer.arrow().num_rows == answer.polars().height
    assert answer._repr_html_().startswith("<table>")
