"""What an update leaves as it is stored, and what is said of rows that may be wrong."""

import numpy as np
import pandas as pd
import pytest

from bmastore.errors import InputError
from tests.helpers import digests, make_prices
from tests.panel.ingest.helpers import note


@pytest.mark.parametrize("lacks", [["Open"], ["Volume"], ["Open", "High", "Low", "Volume"]])
def test_prices_that_an_input_lacks_stay_as_they_are_stored(store, lacks):
    prices = make_prices(n_stocks=2)
    store.ingest(prices)
    before, stored = digests(store), store.sql("from prices order by ticker, date")
    without = prices.tail(30).drop(columns=lacks)
    report = store.ingest(without)
    assert (report.rows_new, report.rows_revised, report.rows_unchanged) == (0, 0, 30)
    assert note(report, "features of these are missing") is None
    emptied = prices.tail(30).assign(**dict.fromkeys(lacks, np.nan))
    assert store.ingest(emptied).rows_unchanged == 30
    assert store.sql("from prices order by ticker, date").equals(stored)
    assert digests(store) == before


def test_prices_beside_another_close_are_erased_and_counted_where_the_input_lacks_them(store):
    prices = make_prices(n_stocks=1)
    store.ingest(prices)
    closes = prices.iloc[[50, 51]].drop(columns=["Open", "High", "Low", "Volume"])
    closes.loc[closes.index[0], "Close"] *= 1.01
    report = store.ingest(closes)
    assert (report.rows_revised, report.rows_unchanged) == (1, 1)
    assert note(report, "those are erased").n == 1
    missing = store.sql("select date, close from prices where open is null and volume is null")
    assert missing["close"].tolist() == [pytest.approx(closes["Close"].iloc[0])]


def test_tickers_that_differ_in_case_or_accents_alone_are_said(store):
    prices = make_prices(n_stocks=2)
    assert note(store.ingest(prices), "differ in case") is None
    report = store.ingest(prices[prices["Ticker"] == "T0"].assign(Ticker="t0"))
    assert note(report, "differ in case").examples == ("T0/t0",)
    accents = prices.assign(Ticker=np.where(prices["Ticker"] == "T0", "\u00e9", "e\u0301"))
    assert note(store.ingest(accents), "differ in case or accents").n == 1


def test_several_rows_of_a_day_are_counted_as_they_are(store):
    prices = make_prices(n_stocks=2)
    twice = pd.concat([prices, prices.assign(Close=prices["Close"] + 1)])
    with pytest.raises(InputError, match="480 different rows of 240 stocks and days") as refused:
        store.ingest(twice)
    first = prices.sort_values(["Ticker", "Date"]).iloc[0]
    assert f"(of {first['Ticker']} on {first['Date']:%Y-%m-%d}, e.g.)" in str(refused.value)


def test_a_high_below_the_low_is_blanked_with_it_and_counted(store):
    prices = make_prices(n_stocks=1)
    prices.loc[prices.index[70], ["High", "Low"]] = (1.0, 1000.0)
    report = store.ingest(prices)
    assert note(report, "high not positive, infinite or below the low").n == 1
    assert note(report, "low not positive, infinite or above the high").n == 1
    odd = store.sql("select high, low from prices where high is null or low is null")
    assert len(odd) == 1
    assert odd.isna().all(axis=None)
