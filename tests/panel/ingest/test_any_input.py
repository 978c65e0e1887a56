"""Whatever is thrown at ingest: a row is taken as it is, dropped and counted, or all is refused."""

import contextlib
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bmastore import Store
from tests.panel.ingest.helpers import prices, take_or_refuse

EASY = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
NAMES = st.sampled_from(
    ["ticker", "date", "open", "high", "low", "close", "volume", "Adj Close", "symbol", "name",
     "Date", "time", "", "Unnamed: 0", "f0", "y", "select", 'a"b', "x'; --", "日期", "代码"]
)  # fmt: skip
CELLS = st.one_of(
    st.sampled_from(
        ["", "NA", "2023-01-02", "2023-01-03", "03/04/2023", "13/04/2023", "1,234", "1.234,5",
         "$5", "5%", "(3)", "AAA", "BBB", "1e400", "nan", "inf", "-1", "0", "44928", "1672635600",
         "20230102", "True", '"', "a\nb", "\x00", "é", "99999999999999999999", "0001-01-01"]
    ),
    st.floats(width=64).map(repr),
    st.text(max_size=6),
)  # fmt: skip


@pytest.fixture
def fresh(tmp_path_factory):
    return lambda: Store(tmp_path_factory.mktemp("any") / "bma.duckdb")


@EASY
@given(st.data())
def test_any_text_file_is_taken_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("text")
    names = data.draw(st.lists(NAMES, min_size=1, max_size=8))
    rows = data.draw(st.lists(st.lists(CELLS, max_size=9), max_size=8))
    separator = data.draw(st.sampled_from([",", ";", "\t", "|", " "]))
    text = "\n".join(separator.join(row) for row in [names, *rows])
    encoding = data.draw(st.sampled_from(["utf-8", "utf-16", "latin-1", "gb18030"]))
    (folder / "any.csv").write_bytes(text.encode(encoding, "ignore"))
    for options in ({}, {"target": "y", "horizon": 2}):
        take_or_refuse(Store(folder / "bma.duckdb"), folder / "any.csv", **options)


@EASY
@given(st.binary(max_size=400), st.sampled_from(["csv", "parquet", "zip", "csv.gz", "feather"]))
def test_any_bytes_are_taken_or_refused(tmp_path_factory, content, ending):
    folder = tmp_path_factory.mktemp("bytes")
    (folder / f"any.{ending}").write_bytes(content)
    take_or_refuse(Store(folder / "bma.duckdb"), folder / f"any.{ending}")


COLUMNS = st.sampled_from(
    [
        lambda n: np.arange(n, dtype=float),
        lambda n: np.full(n, np.nan),
        lambda n: np.array([1e39, -np.inf, np.inf, 0.0, -1.0] * n)[:n],
        lambda n: ["A", "B", None, "C", "A"][:n] + ["A"] * max(0, n - 5),
        lambda n: pd.date_range("2023-01-02", periods=n),
        lambda n: pd.date_range("2023-01-02", periods=n, tz="Asia/Tokyo"),
        lambda n: pd.period_range("2023-01", periods=n, freq="M"),
        lambda n: pd.to_timedelta(np.arange(n), unit="D"),
        lambda n: pd.Categorical(["x"] * n),
        lambda n: [True, False] * n if n % 2 else [True] * n,
        lambda n: [[1, 2]] * n,
        lambda n: [b"raw"] * n,
        lambda n: [1, "two", 3.0, None, complex(1, 1)][:n] + [5] * max(0, n - 5),
        lambda n: ["2023-01-02", "03/04/2023", "soon", None, "20230105"][:n] + [""] * max(0, n - 5),
        lambda n: np.arange(n, dtype="uint64") + 2**63,
        lambda n: pd.array([1, None] * n, dtype="Int64")[:n],
    ]
)


@EASY
@given(st.data())
def test_any_frame_is_taken_or_refused(tmp_path_factory, data):
    n = data.draw(st.integers(0, 7))
    names = data.draw(st.lists(NAMES, min_size=1, max_size=7))
    columns = [data.draw(COLUMNS)(n) for _ in names]
    parts = [pd.Series(column[:n]) for column in columns]
    frame = pd.concat(parts, axis=1, keys=range(len(parts))) if parts else pd.DataFrame()
    frame.columns = names
    store = Store(tmp_path_factory.mktemp("frame") / "bma.duckdb")
    for options in ({}, {"target": names[-1], "horizon": 1}, {"aggregate": "daily"}):
        take_or_refuse(store, frame, **options)


NUMBERS = st.one_of(
    st.floats(0.01, 1e6), st.sampled_from([math.nan, math.inf, -1.0, 0.0, 1e300, 1e-300])
)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", "O'Neil", "日本"]), st.integers(0, 40), NUMBERS, NUMBERS, NUMBERS
    ),
    min_size=1,
    max_size=25,
)


@EASY
@given(ROWS, st.sampled_from(["frame", "csv", "parquet"]))
def test_a_row_that_is_taken_equals_the_last_of_its_key(tmp_path_factory, rows, how):
    folder = tmp_path_factory.mktemp("rows")
    frame = pd.DataFrame(rows, columns=["ticker", "day", "open", "close", "volume"])
    frame["date"] = pd.Timestamp("2023-01-02") + pd.to_timedelta(frame.pop("day"), unit="D")
    # The last row of each key has a close that tells whether it is taken.
    data = frame
    if how == "csv":
        frame.to_csv(folder / "p.csv", index=False)
        data = folder / "p.csv"
    elif how == "parquet":
        frame.to_parquet(folder / "p.parquet")
        data = folder / "p.parquet"
    store = Store(folder / "bma.duckdb")
    report = take_or_refuse(store, data)
    good = frame[frame["close"].between(1e-30, 1e30)]
    last = good.drop_duplicates(["ticker", "date"], keep="last").sort_values(["ticker", "date"])
    if report is None:
        many = good.drop_duplicates()
        assert good.empty or len(many) > 1.5 * len(last)
        return
    found = prices(store)
    assert found[["ticker", "date"]].values.tolist() == last[["ticker", "date"]].values.tolist()
    assert found["close"].tolist() == last["close"].tolist()
    for name, low in (("open", 1e-30), ("volume", 0)):
        wanted = last[name].where(last[name].between(low, 1e30))
        np.testing.assert_array_equal(found[name].to_numpy(float), wanted.to_numpy(float))


def test_objects_that_are_no_tables_are_refused(fresh):
    for data in (7, object(), b"x", {"A": 1}, [1, 2], {"A": None}, pd.Index([1]), "", [""]):
        assert take_or_refuse(fresh(), data) is None
    with contextlib.suppress(ModuleNotFoundError):
        import polars as pl

        assert take_or_refuse(fresh(), pl.DataFrame()) is None
