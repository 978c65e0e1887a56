"""Ingest of daily prices: what is taken, computed, dropped and reported."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmastore import Store
from bmastore.errors import InputError
from tests.helpers import digests, make_prices
from tests.panel.ingest.helpers import note

FEATURES = {
    "ret_1", "ret_5", "ret_20", "ret_60", "vol_20", "vol_60", "volume_surprise",
    "daily_range", "overnight_gap", "dist_ma_50", "rsi_14", "illiq_20",
}  # fmt: skip


def features(store):
    return store.sql(
        "select features.*, value, label_end from features left join targets using (ticker, date) "
        "order by ticker, date"
    )


def test_prices_give_twelve_features_and_the_forward_log_return(store):
    prices = make_prices(n_stocks=1)
    report = store.ingest(prices)
    assert (report.kind, report.rows_new, report.tickers) == ("prices", 120, 1)
    found = features(store)
    assert set(found.columns) == {"ticker", "date", "value", "label_end"} | FEATURES
    assert len(found) == 60  # the first sixty days lack history
    close = prices["Close"].astype("float32").astype(float).to_numpy()
    log_return = np.diff(np.log(close))
    row = 70  # a day in the middle, by hand
    at = found.iloc[row - 60]
    assert at["ret_1"] == pytest.approx(log_return[row - 1], rel=1e-5)
    assert at["ret_60"] == pytest.approx(np.log(close[row] / close[row - 60]), rel=1e-5)
    assert at["vol_20"] == pytest.approx(log_return[row - 20 : row].std(ddof=1), rel=1e-5)
    assert at["dist_ma_50"] == pytest.approx(np.log(close[row] / close[row - 49 : row + 1].mean()))
    moves = log_return[row - 14 : row]
    rsi = 100 * moves[moves > 0].sum() / np.abs(moves).sum()
    assert at["rsi_14"] == pytest.approx(rsi, rel=1e-5)
    assert at["value"] == pytest.approx(np.log(close[row + 5] / close[row]), rel=1e-6)
    assert at["label_end"] == prices["Date"][row + 5]
    assert found["value"].isna().sum() == 5


def test_features_do_not_change_when_the_future_does(store, tmp_path):
    prices = make_prices()
    cutoff = prices["Date"].unique()[90]
    changed = prices.copy()
    later = changed["Date"] > cutoff
    changed.loc[later, ["Open", "High", "Low", "Close", "Adj Close"]] *= 3
    changed.loc[later, "Volume"] = 1
    other = Store(tmp_path / "other.duckdb")
    store.ingest(prices)
    other.ingest(changed)
    one, two = features(store), features(other)
    seen = one["date"] <= cutoff
    assert one.loc[seen, sorted(FEATURES)].equals(two.loc[seen, sorted(FEATURES)])
    known = one["label_end"] <= cutoff
    assert one.loc[known, "value"].equals(two.loc[known, "value"])


def test_the_same_prices_twice_change_nothing(store):
    prices = make_prices()
    store.ingest(prices)
    before = digests(store)
    report = store.ingest(prices)
    assert (report.rows_new, report.rows_revised, report.rows_unchanged) == (0, 0, 360)
    assert digests(store) == before


def test_a_revised_row_changes_only_its_stock(store):
    prices = make_prices()
    store.ingest(prices)
    before = digests(store)
    revised = prices[(prices["Ticker"] == "T1")].tail(1).copy()
    revised[["Close", "Adj Close"]] *= 1.01
    report = store.ingest(revised)
    assert (report.rows_revised, report.tickers_changed) == (1, 1)
    changed = {ticker for ticker, value in digests(store).items() if value != before[ticker]}
    assert changed == {"T1"}


def test_a_revised_price_changes_the_digest_of_every_target_of_its_stock(store):
    prices = make_prices()
    store.ingest(prices)
    panel = store.sql("select ticker, date, 1.0 as mark, 0.5 as mine from features")
    store.ingest(panel, target="mine", horizon=3)
    query = "select ticker, digest from series where target = 'mine' order by ticker"
    before = store.sql(query)["digest"]
    revised = prices[(prices["Ticker"] == "T1")].tail(1).copy()
    revised[["Close", "Adj Close"]] *= 1.01
    store.ingest(revised)
    assert (store.sql(query)["digest"] != before).tolist() == [False, True, False]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Features of prices that came in one ingest."""
    store = Store(tmp_path_factory.mktemp("whole") / "bma.duckdb")
    store.ingest(make_prices(n_stocks=2, n_days=90))
    return features(store)


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_any_order_and_any_number_of_ingests_give_the_same_store(tmp_path_factory, whole, data):
    prices = make_prices(n_stocks=2, n_days=90)
    pieces = Store(tmp_path_factory.mktemp("pieces") / "bma.duckdb")
    order = data.draw(st.permutations(range(len(prices))))
    cuts = sorted(data.draw(st.lists(st.integers(1, len(prices) - 1), max_size=3)))
    for start, stop in zip([0, *cuts], [*cuts, len(prices)], strict=True):
        if start < stop:
            pieces.ingest(prices.iloc[order[start:stop]])
    one, two = whole, features(pieces)
    assert one[["ticker", "date", "label_end"]].equals(two[["ticker", "date", "label_end"]])
    numbers = [*sorted(FEATURES), "value"]
    np.testing.assert_allclose(one[numbers], two[numbers], rtol=1e-5, atol=1e-9)


def test_a_new_day_computes_only_that_day_and_agrees_with_computing_all(store, tmp_path):
    prices = make_prices()
    last = prices["Date"].max()
    store.ingest(prices[prices["Date"] < last])
    report = store.ingest(prices[prices["Date"] == last])
    assert report.rows_new == 3
    whole = Store(tmp_path / "whole.duckdb")
    whole.ingest(prices)
    pd.testing.assert_frame_equal(features(store), features(whole), rtol=1e-5)


def test_another_horizon_replaces_target(store):
    store.ingest(make_prices())
    store.ingest(make_prices(), horizon=10)
    assert store.sql("select distinct target, horizon from targets").values.tolist() == [
        ["log_return_10d", 10]
    ]
    assert store.sql("select count(*) from series").iloc[0, 0] == 3


def test_dry_run_reports_and_stores_nothing(store):
    report = store.ingest(make_prices(), dry_run=True)
    assert (report.rows_new, report.dry_run) == (360, True)
    assert not store.path.exists()
    store.ingest(make_prices(n_stocks=1))
    store.ingest(make_prices(), dry_run=True)
    assert len(digests(store)) == 1


def test_a_stock_too_young_for_features_is_known_all_the_same(store):
    store.ingest(make_prices(n_days=20))
    assert store.sql("select ticker, n_rows from series order by all").values.tolist() == [
        ["T0", 0], ["T1", 0], ["T2", 0],
    ]  # fmt: skip


# --- files ------------------------------------------------------------------------------


def test_yahoo_csv_with_one_file_a_stock(store, tmp_path):
    for ticker, frame in make_prices().groupby("Ticker"):
        frame.drop(columns="Ticker").to_csv(tmp_path / f"{ticker}.csv", index=False)
    report = store.ingest(str(tmp_path / "*.csv"))
    assert report.tickers == 3
    assert note(report, "file's name") is not None
    assert set(digests(store)) == {"T0", "T1", "T2"}


def test_stooq_text(store, tmp_path):
    prices = make_prices(n_stocks=2)
    stooq = pd.DataFrame(
        {
            "<TICKER>": prices["Ticker"] + ".US",
            "<PER>": "D",
            "<DATE>": prices["Date"].dt.strftime("%Y%m%d"),
            "<TIME>": "000000",
            **{f"<{c.upper()}>": prices[c] for c in ("Open", "High", "Low", "Close")},
            "<VOL>": prices["Volume"],
            "<OPENINT>": 0,
        }
    )
    stooq.to_csv(tmp_path / "all.txt", index=False)
    assert store.ingest(tmp_path / "all.txt").rows_new == 240
    assert set(digests(store)) == {"T0.US", "T1.US"}


def test_parquet_csv_and_frame_of_the_same_prices_agree(store, tmp_path):
    prices = make_prices()
    prices.to_csv(tmp_path / "p.csv", index=False)
    duckdb.sql("select * from prices").write_parquet(str(tmp_path / "p.parquet"))
    store.ingest(tmp_path / "p.csv")
    for same in (tmp_path / "p.parquet", [tmp_path / "p.csv", tmp_path / "p.parquet"], prices):
        assert store.ingest(same).tickers_changed == 0


def test_polars_and_arrow_tables(store):
    polars = pytest.importorskip("polars")
    prices = make_prices()
    frame = polars.from_pandas(prices)
    assert store.ingest(frame).rows_new == 360
    assert store.ingest(frame.to_arrow()).rows_unchanged == 360


def test_a_dict_of_frames_by_ticker(store):
    frames = {
        ticker: frame.drop(columns="Ticker").set_index("Date")
        for ticker, frame in make_prices().groupby("Ticker")
    }
    assert store.ingest(frames).tickers == 3


def test_key_columns_by_other_names(store):
    prices = make_prices().rename(columns={"Ticker": "isin", "Date": "day"})
    assert store.ingest(prices, ticker_col="isin", date_col="day").rows_new == 360


# --- dirt -------------------------------------------------------------------------------


def test_prices_that_cannot_be_are_dropped_and_counted(store):
    prices = make_prices()
    prices.loc[3, "Close"] = -1
    prices.loc[4, "Adj Close"] = 0
    prices.loc[5, "Close"] = np.nan
    prices.loc[6, "Close"] = np.inf
    prices.loc[7, "Open"] = 0
    prices.loc[8, "Volume"] = -5
    report = store.ingest(prices)
    assert report.rows_new == 356
    assert note(report, "not positive").n == 2
    assert note(report, "missing").n == 1
    assert note(report, "close or adjusted close is infinite").n == 1
    assert note(report, "open not positive").n == 1
    assert note(report, "negative or infinite volume").n == 1


def test_dates_that_cannot_be_read_are_dropped_with_an_example(store):
    prices = make_prices()
    prices["Date"] = prices["Date"].dt.strftime("%Y-%m-%d")
    prices.loc[5, "Date"] = "03/04/2023"
    prices.loc[6, "Date"] = None
    report = store.ingest(prices)
    assert note(report, "date").n == 2
    assert "T0 on 03/04/2023" in note(report, "date").examples


def test_time_zones_keep_the_date_of_the_market(store):
    prices = make_prices(n_stocks=1)
    first = prices["Date"][0].date()
    for zone in ("Asia/Tokyo", "America/New_York"):
        here = prices.assign(Ticker=zone, Date=prices["Date"].dt.tz_localize(zone))
        store.ingest(here)
        text = here.assign(Ticker=f"{zone} text", Date=here["Date"].astype(str))
        store.ingest(text)
    firsts = store.sql("select min(date) as day from prices group by ticker")["day"]
    assert set(firsts) == {pd.Timestamp(first)}


def test_repeated_rows(store):
    prices = make_prices()
    twin = prices.iloc[[10]]
    other = prices.iloc[[20]].assign(Close=1.5, **{"Adj Close": 1.5})
    report = store.ingest(pd.concat([prices, twin, other]))
    assert note(report, "same values").n == 1
    assert note(report, "the last one was taken").n == 1
    day = prices["Date"][20].date()
    close = store.sql("select close from prices where ticker = 'T0' and date = $d", {"d": day})
    assert close.iloc[0, 0] == 1.5


def test_jumps_are_kept_and_reported(store):
    prices = make_prices()
    prices.loc[prices.index >= 300, ["Close", "Adj Close", "Open"]] /= 20
    report = store.ingest(prices)
    assert report.rows_new == 360
    assert note(report, "|log return| > 1").examples[0].startswith("T2 (3.0)")


@pytest.mark.parametrize(
    "ticker",
    [
        "O'Neil",
        'say "hi"',
        "BRK/B",
        "../../etc/passwd",
        "A B",
        "日本電産",
        "x; drop table prices--",
        "é",
        "NAN",
        "NA",
        "TRUE",
    ],
)
def test_any_text_can_be_a_ticker(store, ticker):
    store.ingest(make_prices(n_stocks=1).assign(Ticker=ticker))
    assert set(digests(store)) == {ticker}


def test_columns_of_prices_cannot_be_left_out(store):
    """They have no part in features, and what is computed from them is chosen in training."""
    with pytest.raises(
        InputError, match=r"--exclude leaves out columns of a panel.*--features A,B"
    ):
        store.ingest(make_prices(), exclude=["volume"])


WORD = "a word for 'none' as the ticker (the stock NAN: in capital letters)"


@pytest.mark.parametrize(
    ("ticker", "reason"),
    [
        ("", "no ticker"),
        ("  ", "no ticker"),
        (None, "no ticker"),
        *((word, WORD) for word in ("nan", "NaN", "None", "NULL", "null", "<NA>", "N/A")),
        ("X" * 4000, "ticker longer than 255 characters"),
        ("A\nB", "control characters in the ticker"),
        ("A\x1fB", "control characters in the ticker"),
    ],
)
def test_rows_with_no_or_an_absurd_ticker_are_dropped(store, ticker, reason):
    prices = make_prices()
    prices.loc[0, "Ticker"] = ticker
    report = store.ingest(prices)
    assert [(count.what, count.n) for count in report.dropped] == [(reason, 1)]
    assert report.rows_new == len(prices) - 1
    assert set(digests(store)) == {"T0", "T1", "T2"}


HEAD = "ticker,date,open,high,low,close,volume\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (HEAD, "no rows"),
        (HEAD.replace("date", "dte") + "A,2020-01-01,1,1,1,1,1\n", "'date'; did you mean 'dte'"),
        (HEAD.replace("close,", "") + "A,2020-01-01,1,1,1,1\n", "there is no close"),
        (HEAD + "A,soon,1,1,1,1,1\n", "none of the 1 rows can be taken"),
    ],
)
def test_files_that_cannot_be_taken_say_why(store, tmp_path, content, message):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        store.ingest(path)
    assert not store.path.exists()


def test_other_files_that_cannot_be_taken_say_why(store, tmp_path):
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 this is not parquet PAR1")
    (tmp_path / "empty").mkdir()
    (tmp_path / "prices.xlsx").write_bytes(b"x")
    (tmp_path / "prices.doc").write_bytes(b"x")
    (tmp_path / "prices.csv").write_text("a")
    for path, message in {
        "bad.parquet": "cannot read",
        "empty": "no Parquet or CSV files",
        "nothing*.csv": "no file matches",
        "prices.xlsx": "no workbook that can be read",
        "prices.doc": "neither Parquet nor CSV",
        "price.csv": "did you mean 'prices.csv'",
    }.items():
        with pytest.raises(InputError, match=message):
            store.ingest(tmp_path / path)
    with pytest.raises(InputError, match="cannot read a int"):
        store.ingest(7)


def test_text_among_numbers_is_counted(store, tmp_path):
    prices = make_prices()
    prices["Open"] = prices["Open"].astype(object)
    prices.loc[4, "Open"] = "n.v."
    prices.to_csv(tmp_path / "p.csv", index=False)
    report = store.ingest(tmp_path / "p.csv")
    assert note(report, "no numbers").examples == ("n.v.",)


def test_an_ingest_that_fails_leaves_the_store_as_it_was(store, tmp_path):
    store.ingest(make_prices())
    before = store.path.stat().st_mtime, digests(store)
    with pytest.raises(InputError):
        store.ingest(make_prices(n_stocks=9), features_sql="select nonsense from prices")
    assert digests(store) == before[1]
    assert store.sql("select count(distinct ticker) from prices").iloc[0, 0] == 3
