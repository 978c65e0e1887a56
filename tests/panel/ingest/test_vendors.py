"""One table of vendors: what each gives, and what of it is to be stored."""

import pandas as pd
import pytest

from bmastore.errors import ConfigError, InputError
from tests.panel.ingest.helpers import note, prices, span, take

DMY = ["02-JAN-2023", "03-JAN-2023", "04-JAN-2023"]
MDY = ["01/02/2023", "01/03/2023", "01/04/2023"]
LATER = ["01/17/2023", "01/18/2023", "01/19/2023"]
DAYS = pd.bdate_range("2023-01-02", periods=3)
ISO = [f"{day:%Y-%m-%d}" for day in DAYS]
COMPACT = [f"{day:%Y%m%d}" for day in DAYS]
MS = [int(day.timestamp() * 1000) for day in DAYS]


def lines(header, row, dates):
    """A file: the header, and a row per date with closes 10.5, 11.5, 12.5 in place of {c}."""
    body = [row.format(d=day, c=10.5 + i) for i, day in enumerate(dates)]
    return "\n".join([header, *body]) + "\n"


YF = "Price,Close,Close,High,High,Volume,Volume\nTicker,AAA,BBB,AAA,BBB,AAA,BBB\nDate,,,,,,"
YF_SWAPPED = "Ticker,AAA,AAA,BBB,BBB\nPrice,Close,Volume,Close,Volume\nDate,,,,"
YF_ONE = "Price,Close,High,Low,Open,Volume\nTicker,AAA,AAA,AAA,AAA,AAA\nDate,,,,,"
STOOQ = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>"
TUSHARE = "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount"
AKSHARE = "日期,股票代码,开盘,收盘,最高,最低,成交量,成交额,换手率"
KLINES = "{d},1,20,1,{c},700,{d},1,5,1,1,0"
NSE = "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES"
NSE_FULL = (
    "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, "
    "CLOSE_PRICE, AVG_PRICE, TTL_TRD_QNTY"
)
UDIFF = "TradDt,BizDt,TckrSymb,SctySrs,OpnPric,HghPric,LwPric,ClsPric,TtlTradgVol"
CRSP = "PERMNO,date,TICKER,PRC,VOL,BIDLO,ASKHI,OPENPRC,CFACPR"
TIINGO = "date,close,high,low,open,volume,adjClose,adjVolume,divCash,splitFactor"
INVESTING = '"Date","Price","Open","High","Low","Vol.","Change %"'
AV = "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient"

# file name, its text, tickers, and a volume that is to be stored
VENDORS = {
    "yfinance": ("d.csv", lines(YF, "{d},{c},20,13,21,700,800", ISO), {"AAA", "BBB"}, 700),
    "yfinance by ticker": (
        "d.csv",
        lines(YF_SWAPPED, "{d},{c},700,20,8", ISO),
        {"AAA", "BBB"},
        700,
    ),
    "yfinance one ticker": ("d.csv", lines(YF_ONE, "{d},{c},20,1,2,700", ISO), {"AAA"}, 700),
    "yahoo": (
        "AAA.csv",
        lines("Date,Open,High,Low,Close,Adj Close,Volume", "{d},1,20,1,{c},9,700", ISO),
        {"AAA"},
        700,
    ),
    "stooq": (
        "a.txt",
        lines(STOOQ, "AAA.US,D,{d},000000,1,20,1,{c},700,0", COMPACT),
        {"AAA.US"},
        700,
    ),
    "kaggle": (
        "all.csv",
        lines("date,open,high,low,close,volume,Name", "{d},1,20,1,{c},700,AAA", ISO),
        {"AAA"},
        700,
    ),
    "kaggle files": (
        "aaa.us.txt",
        lines("Date,Open,High,Low,Close,Volume,OpenInt", "{d},1,20,1,{c},700,0", ISO),
        {"aaa.us"},
        700,
    ),
    "tushare": (
        "t.csv",
        lines(TUSHARE, "000001.SZ,{d},1,20,1,{c},1,1,1,7,9", COMPACT),
        {"000001.SZ"},
        700,
    ),
    "akshare": ("t.csv", lines(AKSHARE, "{d},000001,1,{c},20,1,7,9,1", ISO), {"000001"}, 700),
    "polygon": (
        "2023.csv",
        lines(
            "ticker,volume,open,close,high,low,window_start,transactions",
            "AAA,700,1,{c},20,1,{d}000000,5",
            [ms + 5 * 3_600_000 for ms in MS],
        ),
        {"AAA"},
        700,
    ),
    "alpaca": (
        "a.csv",
        lines(
            "symbol,timestamp,open,high,low,close,volume,trade_count,vwap",
            "AAA,{d} 05:00:00+00:00,1,20,1,{c},700,5,1",
            ISO,
        ),
        {"AAA"},
        700,
    ),
    "binance": ("BTCUSDT-1d-2023-01.csv", lines("", KLINES, MS).lstrip(), {"BTCUSDT"}, 700),
    "binance micros": (
        "BTCUSDT-1d-2025-01.csv",
        lines("", KLINES, [ms * 1000 for ms in MS]).lstrip(),
        {"BTCUSDT"},
        700,
    ),
    "binance with header": (
        "BTCUSDT-1d-2023-01.csv",
        lines(
            "open_time,open,high,low,close,volume,close_time,quote_volume,count,a,b,ignore",
            KLINES,
            MS,
        ),
        {"BTCUSDT"},
        700,
    ),
    "crsp": ("c.csv", lines(CRSP, "10001,{d},AAA,-{c},700,1,20,1,2", COMPACT), {"10001"}, 700),
    "nse": ("b.csv", lines(NSE, "AAA,EQ,1,20,1,{c},1,1,700,1,{d},5", DMY), {"AAA"}, 700),
    "nse full": (
        "b.csv",
        lines(NSE_FULL, "AAA, EQ, {d}, 1, 1, 20, 1, 1, {c}, 1, 700", [day.title() for day in DMY]),
        {"AAA"},
        700,
    ),
    "udiff": ("b.csv", lines(UDIFF, "{d},{d},AAA,EQ,1,20,1,{c},700", ISO), {"AAA"}, 700),
    "nasdaq": (
        "AAA.csv",
        lines("Date,Close/Last,Volume,Open,High,Low", "{d},${c},700,$1.00,$20.00,$1.00", MDY),
        {"AAA"},
        700,
    ),
    "tiingo": (
        "AAA.csv",
        lines(TIINGO, "{d}T00:00:00.000Z,{c},20,1,1,700,{c},7,0,1", ISO),
        {"AAA"},
        700,
    ),
    "alphavantage": ("AAA.csv", lines(AV, "{d},1,20,1,{c},9,700,0,1", ISO), {"AAA"}, 700),
    "investing": (
        "AAA.csv",
        lines(INVESTING, '"{d}","{c}","1.0","20.0","1.0","0.70K","0.9%"', LATER),
        {"AAA"},
        700,
    ),
    "qlib": (
        "q.csv",
        lines(
            "symbol,date,open,close,high,low,volume,factor", "SH600000,{d},1,{c},20,1,700,0.5", ISO
        ),
        {"SH600000"},
        700,
    ),
    "sharadar": (
        "s.csv",
        lines(
            "ticker,date,open,high,low,close,volume,closeadj,closeunadj",
            "AAA,{d},1,20,1,{c},700,9,9",
            ISO,
        ),
        {"AAA"},
        700,
    ),
    "wide": ("w.csv", lines("Date,AAA,BBB", "{d},{c},20", ISO), {"AAA", "BBB"}, None),
    "close only": ("w.csv", lines("ticker,date,close", "AAA,{d},{c}", ISO), {"AAA"}, None),
}


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendors_file_is_taken_as_it_is(store, tmp_path, vendor):
    name, text, tickers, volume = VENDORS[vendor]
    (tmp_path / name).write_text(text, encoding="utf-8")
    report = take(store, tmp_path / name)
    assert not report.dropped
    found = prices(store)
    assert set(found["ticker"]) == tickers
    first = found[found["ticker"] == min(tickers)]
    assert first["close"].tolist() == [10.5, 11.5, 12.5]
    moved = 15 if vendor == "investing" else 0
    assert first["date"].tolist() == list(DAYS + pd.Timedelta(days=moved))
    if volume is None:
        assert first["volume"].isna().all()
    else:
        assert first["volume"].tolist() == [volume] * 3


def test_negative_prices_of_crsp_are_noted_and_adjusted_by_its_factor(store, tmp_path):
    (tmp_path / "c.csv").write_text(VENDORS["crsp"][1])
    report = take(store, tmp_path / "c.csv")
    assert note(report, "averages of bid and ask").n == 3
    assert prices(store)["adj_close"].tolist() == [5.25, 5.75, 6.25]


def test_series_of_an_exchange_other_than_shares_are_told_apart(store, tmp_path):
    rows = "AAA,EQ,1,20,1,10.5,1,1,700,1,02-JAN-2023,5\nAAA,N1,1,20,1,99,1,1,7,1,02-JAN-2023,5\n"
    (tmp_path / "b.csv").write_text(f"{NSE}\n{rows}")
    take(store, tmp_path / "b.csv")
    assert dict(prices(store)[["ticker", "close"]].values) == {"AAA": 10.5, "AAA.N1": 99.0}


def test_a_date_in_the_files_name_is_that_of_its_rows(store, tmp_path):
    head = "SC_CODE,SC_NAME,OPEN,HIGH,LOW,CLOSE,NO_OF_SHRS"
    (tmp_path / "EQ020123.CSV").write_text(f"{head}\n500002,ABB,1,2,1,1.5,100\n")
    report = take(store, tmp_path / "EQ020123.CSV")
    assert span(store) == {"500002": (1, "2023-01-02", "2023-01-02")}
    assert note(report, "no date column")


def test_frames_of_yfinance_in_both_orders_of_levels(store):
    close = pd.DataFrame({"AAA": [1.0, 2.0, 3.0], "BBB": [4.0, 5.0, float("nan")]}, index=DAYS)
    frame = pd.concat({"Close": close, "Open": close, "Volume": close * 100}, axis=1)
    frame.columns.names = ["Price", "Ticker"]
    assert take(store, frame).rows_new == 5
    assert take(store, frame.swaplevel(axis=1).sort_index(axis=1)).rows_unchanged == 5
    assert take(store, frame.tz_localize("America/New_York")).rows_unchanged == 5


def test_melted_tables_are_put_together(store):
    wide = pd.DataFrame({"ticker": "A", "date": DAYS, "open": 1.0, "close": [2.0, 3.0, 4.0]})
    report = take(store, wide.melt(id_vars=["ticker", "date"]))
    assert (report.rows_new, note(report, "put together").n) == (3, 6)
    assert prices(store)["close"].tolist() == [2.0, 3.0, 4.0]


def test_names_that_may_be_features_are_no_tickers_unless_told(store):
    frame = pd.DataFrame({"date": DAYS, "momentum": 1.0, "carry": 2.0})
    with pytest.raises(InputError, match="ticker"):
        store.ingest(frame)
    assert take(store, frame, vendor="wide").tickers == 2


def test_an_unknown_vendor_is_named_with_those_that_are_known(store):
    with pytest.raises(ConfigError, match=r"--vendor 'yahu' is unknown; choose from .*yahoo"):
        store.ingest(pd.DataFrame(), vendor="yahu")
