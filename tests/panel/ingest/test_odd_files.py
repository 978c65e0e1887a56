"""Files and frames as they come: what is understood, what is refused, and what is said of the rest.

Each of these was once stored as something else, without a word.
"""

import gzip
import zipfile

import numpy as np
import pandas as pd
import pytest

from bmastore.errors import InputError
from tests.helpers import make_prices
from tests.panel.ingest.helpers import note, prices, span, take

DAYS = pd.bdate_range("2024-01-02", periods=20)
FRAME = pd.DataFrame({"ticker": "A", "date": DAYS, "close": np.arange(1.0, 21)})


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "turned",
    [
        FRAME[::-1],
        FRAME.astype({"ticker": object})[::-1],
        {"A": FRAME[["date", "close"]][::-1]},
        {"A": FRAME.set_index("date").close[::-1]},
    ],
)
def test_frames_that_were_turned_around(store, turned):
    take(store, turned)
    assert prices(store)["close"].tolist() == FRAME["close"].tolist()


@pytest.mark.parametrize("key", [None, np.nan])
def test_no_value_is_no_ticker_of_a_dict(store, key):
    with pytest.raises(InputError, match="no ticker"):
        store.ingest({key: FRAME[["date", "close"]], "B": FRAME[["date", "close"]]})


def test_the_folder_of_rows_without_a_ticker_is_no_stock(store, tmp_path):
    for name in ("A", "__HIVE_DEFAULT_PARTITION__"):
        folder = tmp_path / f"ticker={name}"
        folder.mkdir()
        FRAME.drop(columns="ticker").to_parquet(folder / "part-0.parquet", index=False)
    report = take(store, tmp_path)
    assert set(span(store)) == {"A"}
    assert note(report, "no ticker").n == 20


def test_signs_around_tickers_that_are_no_part_of_them(store, tmp_path):
    written = ["AA\u200bPL", "\u00a0GE\u00a0", '="007"', "'008", "'B'", " C "]
    rows = [f"{ticker},2024-01-02,1" for ticker in written]
    take(store, write(tmp_path / "p.csv", "ticker,date,close", *rows))
    assert set(span(store)) == {"AAPL", "GE", "007", "008", "B", "C"}
    FRAME.drop(columns="ticker").to_csv(tmp_path / " GE .csv", index=False)
    assert take(store, tmp_path / " GE .csv").tickers == 1
    assert span(store)["GE"][0] == 20


def test_points_before_three_digits_beside_numbers_without_a_point_are_refused(store, tmp_path):
    rows = ["A;2024-01-02;998;950", "B;2024-01-02;1.002;1.250"]
    path = write(tmp_path / "p.csv", "ticker;date;close;volume", *rows)
    with pytest.raises(InputError, match="'close' may part thousands or decimals"):
        store.ingest(path)
    take(store, path, decimal=",")
    assert prices(store)["close"].tolist() == [998, 1002]
    take(store, path, decimal=".")
    assert prices(store)["close"].tolist() == [998, 1.002]


@pytest.mark.parametrize("cells", [("N/A", "950", "1.250"), ("$800", "$950", "$1.250")])
def test_points_that_may_part_thousands_are_refused_in_columns_of_other_signs_too(
    store, tmp_path, cells
):
    rows = [f"A;2024-01-0{i + 2};12;{cell}" for i, cell in enumerate(cells)]
    path = write(tmp_path / "p.csv", "ticker;date;close;volume", *rows)
    with pytest.raises(InputError, match="'volume' may part thousands or decimals"):
        store.ingest(path)
    take(store, path, decimal=",")
    assert prices(store)["volume"].iloc[-1] == 1250


def test_four_digits_without_a_sign_tell_that_points_are_decimals(store, tmp_path):
    rows = ["A,2024-01-02,998,12500", "B,2024-01-02,1.002,1250"]
    report = take(store, write(tmp_path / "p.csv", "ticker,date,close,volume", *rows))
    assert prices(store)["close"].tolist() == [998, 1.002]
    assert note(report, "three digits") is None


def test_thousands_that_another_column_tells_are_not_said_to_be_decimals(store, tmp_path):
    rows = ["A;2024-01-02;998,5;1.250", "B;2024-01-02;1002,5;1.350"]
    report = take(store, write(tmp_path / "p.csv", "ticker;date;close;volume", *rows))
    assert prices(store)["volume"].tolist() == [1250, 1350]
    assert note(report, "three digits") is None


@pytest.mark.parametrize("units", [",USD,USD,Stk", ",EUR,EUR,", ",$,$,shares"])
def test_a_line_of_units_names_no_stock(store, tmp_path, units):
    rows = [f"{day:%Y-%m-%d},9,1{i},5{i}" for i, day in enumerate(DAYS)]
    take(store, write(tmp_path / "SAP.csv", "Date,Open,Close,Volume", units, *rows))
    assert span(store) == {"SAP": (20, "2024-01-02", "2024-01-29")}
    assert prices(store)["volume"].notna().all()


def test_lines_that_lack_cells_are_dropped_and_counted(store, tmp_path):
    rows = [f"A,{day:%Y-%m-%d},10,11,9,10.5,10{i}" for i, day in enumerate(DAYS)]
    cut, lacks = "A,2024-02-05,12", "A,2024-02-06,10,11,10.5,100"
    head = "ticker,date,open,high,low,close,volume"
    report = take(store, write(tmp_path / "p.csv", head, *rows, lacks, cut))
    assert note(report, "fewer cells than the header").examples == (cut, lacks)
    assert span(store) == {"A": (20, "2024-01-02", "2024-01-29")}


def test_blank_cells_that_were_left_out_at_the_end_of_lines_are_blank(store, tmp_path):
    rows = [f"A,{day:%Y-%m-%d},10.{i},100" + (",") * (i % 2 == 0) for i, day in enumerate(DAYS)]
    report = take(store, write(tmp_path / "p.csv", "ticker,date,close,volume,note", *rows))
    assert note(report, "fewer cells") is None
    assert span(store)["A"][0] == 20


def test_a_second_line_of_names_in_another_order_is_refused(store, tmp_path):
    rows = ["A,2024-01-02,1,10", "ticker,date,close,open", "B,2024-01-02,10,1"]
    path = write(tmp_path / "p.csv", "ticker,date,open,close", *rows)
    with pytest.raises(InputError, match="names, with the columns in another order"):
        store.ingest(path)
    rows[1] = "ticker,date,open,close"
    take(store, write(path, "ticker,date,open,close", *rows))
    assert prices(store)["close"].tolist() == [10, 1]


def test_files_on_two_bases_are_refused_together_and_joined_one_after_another(store, tmp_path):
    whole = make_prices(n_stocks=1).rename(columns=str.lower)[
        ["ticker", "date", "open", "high", "low", "close", "volume"]
    ]
    older, newer = whole.head(200), whole.tail(150).copy()
    newer[["open", "high", "low", "close"]] /= 2
    older.to_csv(tmp_path / "a.csv", index=False)
    newer.to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(InputError, match=r"on two bases.*factor 0\.5"):
        store.ingest(tmp_path)
    store.ingest(tmp_path / "a.csv")
    store.ingest(tmp_path / "b.csv")
    stored = prices(store)["close"]
    assert np.allclose(stored / whole["close"].to_numpy(), 0.5)


def test_the_order_of_dates_that_other_files_tell_is_not_that_of_every_file(store, tmp_path):
    for name, days, order in (
        ("A", pd.bdate_range("2024-01-02", periods=20), "%d/%m/%Y"),
        ("B", pd.bdate_range("2024-01-02", periods=5), "%m/%d/%Y"),
    ):
        rows = [f"{day.strftime(order)},{i + 1}" for i, day in enumerate(days)]
        write(tmp_path / f"{name}.csv", "date,close", *rows)
    with pytest.raises(InputError, match=r"B\.csv can be read in more than one way"):
        store.ingest(tmp_path)
    rows = [f"{day:%d/%m/%Y},{i + 1}" for i, day in enumerate(DAYS[:5])]
    write(tmp_path / "B.csv", "date,close", *rows)
    take(store, tmp_path)
    assert span(store)["B"] == (5, "2024-01-02", "2024-01-08")


@pytest.mark.parametrize(("days", "which"), [(1, "Saturday"), (-1, "Sunday")])
def test_dates_that_lack_a_day_of_the_week_are_said(store, days, which):
    report = take(store, FRAME.assign(date=FRAME["date"] + pd.Timedelta(days=days)))
    assert note(report, which).n == 4
    assert note(take(store, FRAME), "none on a") is None


def test_closes_outside_of_their_day_are_said(store):
    """As adjusted closes are beside prices that are not adjusted."""
    prices = FRAME.assign(open=FRAME["close"], high=FRAME["close"] * 1.01, low=FRAME["close"])
    assert note(take(store, prices), "above the high") is None
    adjusted = prices.rename(columns={"close": "Adj Close"})
    adjusted.loc[adjusted["ticker"] == "A", "Adj Close"] /= 2
    found = note(take(store, adjusted), "above the high or below the low")
    assert (found.n, found.examples) == (len(FRAME[FRAME["ticker"] == "A"]), ("A",))


@pytest.mark.parametrize(
    ("volumes", "are_said"),
    [
        (["1.234", "12.345", "123.456"], True),
        (["1.23", "12.4", "123.456"], True),
        (["1.2345", "12.345", "123.456"], False),
        (["1.234", "12.345", "1123.456"], False),
        (["1", "12", "123.456"], False),
        (["", "", ""], False),
    ],
)
def test_volumes_that_may_be_thousands_are_said(store, tmp_path, volumes, are_said):
    """Where the prices tell that points are decimals, who parts thousands so is not seen else."""
    rows = [f"A,2024-01-0{day},1.5,1.5,1.5,1.5,{volume}" for day, volume in enumerate(volumes, 2)]
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(["ticker,date,open,high,low,close,volume", *rows]))
    found = note(take(store, path), "thousands of shares")
    assert (found is not None) == are_said
    if are_said:
        assert (found.n, found.examples) == (3, ("A",))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PAR1....", "is Parquet by its content"),
        (gzip.compress(b"ticker,date,close", mtime=0), "is packed by gzip"),
        (b"PK\x03\x04....", "workbook or a zip"),
        (b"\xef\xbb\xbf<!DOCTYPE html><html>", "is a web page"),
    ],
    ids=["parquet", "gzip", "zip", "web page"],
)
def test_what_a_file_is_by_its_content_is_said_where_its_name_says_otherwise(
    store, tmp_path, content, what
):
    (tmp_path / "p.csv").write_bytes(content)
    with pytest.raises(InputError, match=what):
        store.ingest(tmp_path / "p.csv")


def test_files_of_a_folder_that_cannot_be_read_are_named(store, tmp_path):
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    for name in ("b.csv.zst", "c.json", ".hidden", "_SUCCESS"):
        (tmp_path / name).write_text("x")
    named = note(take(store, tmp_path), "left out").examples
    assert named == (str(tmp_path / "b.csv.zst"), str(tmp_path / "c.json"))


def test_an_archive_in_an_archive_is_not_passed_over(store, tmp_path):
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    for name, member in (("inner.zip", "a.csv"), ("all.zip", "inner.zip")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.write(tmp_path / member, member)
            archive.write(tmp_path / "a.csv", "b.csv")
    with pytest.raises(InputError, match=r"all\.zip.*inner\.zip.*unpack"):
        store.ingest(tmp_path / "all.zip")


def test_targets_that_go_with_their_labels_are_said(store):
    given = make_prices(n_stocks=1)
    store.ingest(given, horizon=(1, 5))
    report = store.ingest(given.tail(1), horizon=20)
    said = note(report, "labels go")
    assert said.examples == ("log_return_1d", "log_return_5d")
    assert "1,5,20" in said.what
    assert note(store.ingest(given.tail(1)), "labels go") is None


def test_known_targets_that_an_update_leaves_blank_are_said_to_go(store):
    given = FRAME.assign(f=FRAME["close"] % 7, y=FRAME["close"] % 3).drop(columns="close")
    store.ingest(given, target="y", horizon=1)
    report = take(store, given.tail(5).assign(y=np.nan), target="y", horizon=1)
    assert note(report, "values of 'y' in the store are blank").n == 5
    assert note(take(store, given.tail(5), target="y", horizon=1), "blank in this input") is None


def test_the_newest_dates_of_all_stocks_are_stored_behind_their_history(store):
    store.ingest(make_prices(n_stocks=3))
    dates = store.sql("select date from features order by rowid")["date"]
    newest = dates.drop_duplicates().sort_values().iloc[-30]
    is_new = (dates >= newest).to_numpy()
    assert is_new.sum() == 90
    assert is_new[-90:].all()


def test_features_of_prices_beside_those_of_a_panel_are_said(filled):
    """A pass then learns from both, which few want."""
    report = filled.ingest(make_prices(n_stocks=2, n_days=90))
    found = note(report, "stand beside those of the panel")
    assert found.n == len(found.examples) == 12
    assert note(filled.ingest(make_prices(n_stocks=2, n_days=91)), "beside") is None


def test_prices_of_a_store_of_prices_stand_beside_nothing(store):
    for n_days in (90, 91):
        assert note(take(store, make_prices(n_stocks=2, n_days=n_days)), "beside") is None
