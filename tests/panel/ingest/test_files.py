"""Files, folders and archives: which stock a file is of, and what of a folder does not fit."""

import bz2
import gzip
import lzma
import zipfile

import pandas as pd
import pytest

from bmastore.errors import InputError
from tests.panel.ingest.helpers import prices, span, take

DAYS = pd.bdate_range("2023-01-02", periods=20)


def bars(ticker=None, n=20, close=10.0):
    frame = pd.DataFrame({"date": DAYS[:n], "open": 9.0, "close": close, "volume": 5})
    return frame if ticker is None else frame.assign(ticker=ticker)


@pytest.mark.parametrize("column", ["Name", "ts_code", "permno", "sym", "code", "股票代码", "代码"])
def test_the_columns_of_tickers_that_vendors_use(store, tmp_path, column):
    both = pd.concat([bars("AAA"), bars("BBB", close=20.0)]).rename(columns={"ticker": column})
    both.to_csv(tmp_path / "p.csv", index=False)
    take(store, tmp_path / "p.csv")
    assert set(span(store)) == {"AAA", "BBB"}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_of_several_stocks_without_a_known_column_names_the_likely_one(
    store, tmp_path, kind
):
    both = pd.concat([bars("AAA"), bars("BBB", close=20.0)]).rename(columns={"ticker": "desk"})
    path = tmp_path / f"all.{kind}"
    both.to_csv(path, index=False) if kind == "csv" else both.to_parquet(path, index=False)
    with pytest.raises(InputError, match=r"\('all'\) cannot be the ticker .*--ticker-col 'desk'"):
        store.ingest(path)
    assert take(store, path, ticker_col="desk").tickers == 2


def test_a_panel_of_several_stocks_without_a_known_column_is_refused_too(store, tmp_path):
    both = pd.concat([bars("AAA"), bars("BBB", close=20.0)]).assign(y=1.0)
    both.rename(columns={"ticker": "desk"}).to_csv(tmp_path / "all.csv", index=False)
    with pytest.raises(InputError, match="--ticker-col 'desk'"):
        store.ingest(tmp_path / "all.csv", target="y", horizon=1, exclude=["desk"])


@pytest.mark.parametrize("pack", [(".gz", gzip), (".bz2", bz2), (".xz", lzma)])
def test_all_endings_of_a_name_go(store, tmp_path, pack):
    ending, module = pack
    text = bars().to_csv(index=False).encode()
    (tmp_path / f"AAA.csv{ending}").write_bytes(module.compress(text))
    take(store, tmp_path / f"AAA.csv{ending}")
    assert span(store) == {"AAA": (20, "2023-01-02", "2023-01-27")}


def test_two_files_of_one_stock_are_one_stock(store, tmp_path):
    bars(n=15).to_csv(tmp_path / "AAA.csv", index=False)
    (tmp_path / "AAA.csv.gz").write_bytes(gzip.compress(bars().to_csv(index=False).encode()))
    report = take(store, tmp_path)
    assert (report.rows_read, report.rows_new, report.rows_repeated) == (35, 20, 15)
    assert set(span(store)) == {"AAA"}


def test_columns_are_resolved_file_by_file(store, tmp_path):
    bars().to_csv(tmp_path / "AAA.csv", index=False)
    bars("BBB")[["ticker", "close", "date"]].to_csv(tmp_path / "other.csv", index=False)
    bars().rename(columns=str.upper).to_csv(tmp_path / "CCC.tsv", index=False, sep="\t")
    bars().to_parquet(tmp_path / "DDD.parquet")
    take(store, tmp_path)
    found = prices(store).groupby("ticker").agg(n=("close", "count"), volume=("volume", "count"))
    assert found.to_dict() == {
        "n": dict.fromkeys(["AAA", "BBB", "CCC", "DDD"], 20),
        "volume": {"AAA": 20, "BBB": 0, "CCC": 20, "DDD": 20},
    }


def test_files_that_do_not_fit_are_left_out_by_name_and_the_others_taken(store, tmp_path):
    bars().to_csv(tmp_path / "AAA.csv", index=False)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("date,open,close,volume\n")
    (tmp_path / "symbols.txt").write_text("AAA\nBBB\n")
    (tmp_path / "all.txt").write_text("SH600000\t1999-11-10\t2023-01-01\n" * 3)
    (tmp_path / "sectors.csv").write_text("symbol,sector\nAAA,Tech\n")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    (tmp_path / "notes.md").write_text("not looked at")
    bars(n=0).to_parquet(tmp_path / "none.parquet")
    report = take(store, tmp_path)
    assert span(store) == {"AAA": (20, "2023-01-02", "2023-01-27")}
    named = " ".join(" ".join(c.examples) for c in report.notes if "left out" in c.what)
    for name in ("empty", "header", "symbols", "all.txt", "sectors", "broken", "none"):
        assert name in named


def test_folders_by_ticker_and_date(store, tmp_path):
    for ticker in ("AAA", "BBB"):
        place = tmp_path / f"lake/symbol={ticker}"
        place.mkdir(parents=True)
        bars().to_parquet(place / "part-0.parquet")
    for day in DAYS[:2]:
        place = tmp_path / f"days/date={day:%Y-%m-%d}"
        place.mkdir(parents=True)
        bars("CCC", 1).drop(columns="date").to_csv(place / "part-0.csv", index=False)
    take(store, [tmp_path / "lake", tmp_path / "days"])
    assert span(store) == {
        "AAA": (20, "2023-01-02", "2023-01-27"),
        "BBB": (20, "2023-01-02", "2023-01-27"),
        "CCC": (2, "2023-01-02", "2023-01-03"),
    }


def test_archives_workbooks_and_arrow_files(store, tmp_path):
    pytest.importorskip("pyarrow")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("../../AAA.csv", bars().to_csv(index=False))
        archive.writestr("__MACOSX/._AAA.csv", "x")
        archive.writestr("readme.md", "x")
    assert take(store, tmp_path / "all.zip").rows_new == 20
    bars().to_feather(tmp_path / "AAA.feather")
    assert take(store, tmp_path / "AAA.feather").rows_unchanged == 20
    pytest.importorskip("python_calamine")
    bars("AAA").to_excel(tmp_path / "any.xlsx", index=False)
    assert take(store, tmp_path / "any.xlsx").rows_unchanged == 20
    with pd.ExcelWriter(tmp_path / "sheets.xlsx") as book:
        for ticker in ("AAA", "BBB"):
            bars().to_excel(book, sheet_name=ticker, index=False)
    assert take(store, tmp_path / "sheets.xlsx").rows_new == 20
    assert set(span(store)) == {"AAA", "BBB"}
    assert not list(tmp_path.parent.glob("AAA.csv"))


def test_tables_that_are_streamed(store):
    pa = pytest.importorskip("pyarrow")
    pl = pytest.importorskip("polars")
    table = pa.Table.from_pandas(bars("AAA"))
    assert take(store, table.to_reader()).rows_new == 20
    assert take(store, pl.from_arrow(table).lazy()).rows_unchanged == 20
    assert take(store, {"AAA": pl.from_pandas(bars())}).rows_unchanged == 20
    assert take(store, bars("AAA").to_dict("list")).rows_unchanged == 20
    assert take(store, {"AAA": bars().set_index("date")["close"]}).rows_unchanged == 20


@pytest.mark.parametrize(
    "name", ["key_ticker", "key_date", "c0", "batch", "place", "moment", "file_path"]
)
def test_a_feature_may_have_any_name(store, name):
    panel = bars("AAA").assign(y=1.0, **{name: 2.0})
    take(store, panel, target="y", horizon=1)
    assert store.sql(f'select distinct "{name}" from features').values.tolist() == [[2.0]]


@pytest.mark.parametrize("sign", ["a[b]", "a*b", "a'b", "a b", "a?b", "日本", "$x {y}"])
def test_any_name_of_a_file(store, tmp_path, sign):
    bars().to_csv(tmp_path / f"{sign}.csv", index=False)
    bars().to_csv(tmp_path / "ab.csv", index=False)
    bars().to_parquet(tmp_path / f"{sign} 2.parquet")
    take(store, [tmp_path / f"{sign}.csv", tmp_path / f"{sign} 2.parquet"])
    assert set(span(store)) == {sign, f"{sign} 2"}


def test_a_table_with_names_of_rows_and_quotes_as_r_writes_it(store, tmp_path):
    text = '"date" "ticker" "close"\n"1" 2023-01-02 "A B" 10.5\n"2" 2023-01-03 "A B" 11.5\n'
    (tmp_path / "r.txt").write_text(text)
    take(store, tmp_path / "r.txt")
    assert prices(store)[["ticker", "close"]].values.tolist() == [["A B", 10.5], ["A B", 11.5]]


def test_an_index_of_tickers_and_dates_without_names(store):
    both = pd.concat([bars("AAA"), bars("BBB")]).set_index(["ticker", "date"])
    assert take(store, both.rename_axis([None, None])).tickers == 2


def test_a_code_goes_before_a_companys_name(store):
    both = pd.concat([bars("AAA"), bars("BBB")]).rename(columns={"ticker": "isin"})
    take(store, both.assign(name="One Corp"))
    assert set(span(store)) == {"AAA", "BBB"}


def test_names_that_say_which_part_of_the_data_a_file_is_are_no_tickers(store, tmp_path):
    for name in ("2023.csv", "2023-01.csv", "part-00000-c3.csv"):
        bars().to_csv(tmp_path / name, index=False)
        with pytest.raises(InputError, match="not of which stock"):
            store.ingest(tmp_path / name)
    bars().to_csv(tmp_path / "2018.csv", index=False)  # a share in Tokyo, for all one knows
    assert take(store, tmp_path / "2018.csv").tickers == 1


def test_one_name_in_several_folders_is_no_ticker_if_the_rows_differ(store, tmp_path):
    for folder, close in (("AAPL", 1.0), ("MSFT", 2.0)):
        (tmp_path / folder).mkdir()
        bars(close=close).to_csv(tmp_path / folder / "daily.csv", index=False)
    with pytest.raises(InputError, match=r"'daily' in .*AAPL and .*MSFT have different rows"):
        store.ingest(tmp_path)


def test_an_empty_name_does_not_mean_the_working_folder(store):
    for nothing in ("", [""], " "):
        with pytest.raises(InputError, match="name is empty"):
            store.ingest(nothing)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_an_archive_with_a_damaged_member_is_refused_in_a_sentence(store, tmp_path, method):
    whole = tmp_path / "all.zip"
    with zipfile.ZipFile(whole, "w", method) as archive:
        archive.writestr("AAA.csv", bars().to_csv(index=False))
    content = bytearray(whole.read_bytes())
    for at in range(45, 65):
        content[at] ^= 0xFF
    whole.write_bytes(content)
    with pytest.raises(InputError, match=r"all\.zip"):
        store.ingest(whole)
