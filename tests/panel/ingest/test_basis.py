"""One basis per stock: adjusted closes that an update lacks, restated histories, splits."""

import numpy as np
import pandas as pd
import pytest

from bmastore.errors import InputError
from tests.panel.ingest.helpers import note, prices, take


def history(n=100, ticker="A", share=0.93, seed=3):
    """Prices with an adjusted close that is a constant share of the close."""
    random = np.random.default_rng(seed)
    close = np.round(50 * np.exp(np.cumsum(0.01 * random.standard_normal(n))), 4)
    days = pd.bdate_range("2023-01-02", periods=n)
    frame = pd.DataFrame({"ticker": ticker, "date": days, "open": close, "high": close * 1.01})
    frame["low"], frame["close"], frame["volume"] = close * 0.99, close, np.arange(n) + 100
    return frame.assign(adj_close=share * close)


def returns_agree(store, truth):
    """Whether adjusted closes of the store move as those that are true."""
    found = prices(store)
    moves = np.diff(np.log(found["adj_close"].fillna(found["close"])))
    np.testing.assert_allclose(moves, np.diff(np.log(truth)), atol=1e-6)


def test_an_update_without_adjusted_closes_never_overwrites_them(store):
    truth = history()
    take(store, truth.head(95))
    report = take(store, truth.tail(15).drop(columns="adj_close"))
    assert (report.rows_new, report.rows_unchanged) == (5, 10)
    assert note(report, "the store's is kept").n == 10
    assert note(report, "newest known share").n == 5
    returns_agree(store, truth["adj_close"])


def test_an_update_whose_close_is_the_adjusted_one_is_taken_as_such(store):
    truth = history()
    take(store, truth.head(95))
    update = truth.tail(15).drop(columns="adj_close").assign(close=lambda d: 0.93 * d["close"])
    assert note(take(store, update), "agree with the store's adjusted ones").n == 15
    returns_agree(store, truth["adj_close"])


def test_an_update_that_does_not_tell_its_basis_is_refused_with_the_reason(store):
    truth = history()
    take(store, truth.head(90))
    with pytest.raises(InputError, match="give adjusted closes, or a few days again"):
        store.ingest(truth.tail(10).drop(columns="adj_close"))
    both = pd.concat([truth.tail(10).drop(columns="adj_close"), history(ticker="B")])
    report = take(store, both)
    assert note(report, "no adjusted close, and no day").examples == ("A",)
    assert report.rows_new == 100


def test_adjusted_closes_that_begin_with_an_update_reach_the_older_rows(store):
    truth = history()
    take(store, truth.head(95).drop(columns="adj_close"))
    report = take(store, truth.tail(15))
    assert note(report, "older rows in the store were rescaled").examples == ("A (0.93)",)
    returns_agree(store, truth["adj_close"])
    found = prices(store)
    assert len(found) == 100
    assert not found.duplicated(["ticker", "date"]).any()


def test_gaps_in_adjusted_closes_are_filled_and_counted(store):
    truth = history()
    gaps = truth.assign(adj_close=truth["adj_close"].where(truth.index % 4 > 0))
    assert note(take(store, gaps), "newest known share").n == 25
    returns_agree(store, truth["adj_close"])


def test_a_split_that_restates_the_overlap_rescales_the_older_rows(store):
    before = history().drop(columns="adj_close")
    after = before.assign(volume=before["volume"] * 2)
    after[["open", "high", "low", "close"]] /= 2
    take(store, before.head(95))
    report = take(store, after.tail(10))
    assert note(report, "rescaled").examples == ("A (0.5)",)
    found = prices(store)
    np.testing.assert_allclose(found["close"], after["close"])
    np.testing.assert_allclose(found["volume"], after["volume"])
    assert take(store, after).rows_new == 0


def test_a_dividend_that_restates_adjusted_closes_rescales_those_alone(store):
    before = history()
    after = before.assign(adj_close=before["adj_close"] * 0.98)
    take(store, before.head(95))
    take(store, after.tail(10))
    np.testing.assert_allclose(prices(store)["adj_close"], after["adj_close"])
    np.testing.assert_allclose(prices(store)["close"], before["close"])


def dividends(before, *shares):
    """Adjusted closes after dividends that were paid on some days: all before them are less."""
    closes = before["adj_close"].to_numpy(copy=True)
    for day, share in shares:
        closes[:day] *= share
    return before.assign(adj_close=closes)


@pytest.mark.parametrize(
    ("paid", "common", "is_said"),
    [
        ([(97, 0.98)], 1, True),
        ([(97, 0.98)], 2, False),
        ([(90, 0.98), (97, 0.97)], 10, True),
        ([(80, 0.98)], 10, False),
        ([], 10, False),
    ],
)
def test_what_may_be_restated_and_is_not_rescaled_is_said(store, paid, common, is_said):
    before = history()
    known = before.head(95)
    take(store, dividends(known, *((day, share) for day, share in paid if day < 86)))
    report = take(store, dividends(before, *paid).tail(5 + common))
    found = note(report, "since, ingest their whole history")
    assert (found is not None) == is_said
    if not is_said:
        truth = dividends(before, *paid)["adj_close"].to_numpy()
        returns_agree(store, truth)


def test_an_older_file_on_another_basis_is_not_laid_over_newer_rows(store):
    before = history().drop(columns="adj_close")
    after = before.copy()
    after[["open", "high", "low", "close"]] /= 2
    take(store, after)
    with pytest.raises(InputError, match="ingest the whole history"):
        store.ingest(before.head(60))


def test_scattered_corrections_are_no_restatement(store):
    frame = history().drop(columns="adj_close")
    take(store, frame)
    fixed = frame.iloc[[20, 40, 70]].assign(close=[51.0, 49.0, 50.5])
    report = take(store, fixed)
    assert report.rows_revised == 3
    assert note(report, "rescaled") is None


@pytest.mark.parametrize(
    ("ratio", "text"), [(2, "2:1"), (1.5, "3:2"), (1 / 10, "1:10"), (4, "4:1")]
)
def test_a_move_by_the_ratio_of_a_split_is_noted(store, ratio, text):
    frame = history().drop(columns="adj_close")
    late = frame.index >= 60
    frame.loc[late, ["open", "high", "low", "close"]] /= ratio
    frame["volume"] = frame["volume"].astype(float)
    frame.loc[late, "volume"] *= ratio
    found = note(take(store, frame), "ratio of a split")
    assert found.examples == (f"A 2023-03-27 ({text})",)


def test_a_crash_with_a_rush_of_volume_is_no_split(store):
    frame = history().drop(columns="adj_close")
    frame.loc[frame.index >= 60, ["open", "high", "low", "close"]] /= 2
    frame.loc[frame.index == 60, "volume"] *= 30
    assert note(take(store, frame), "ratio of a split") is None


def test_spellings_of_one_column_in_several_files_are_one(store, tmp_path):
    for ticker, spelling in (("A", "Adj Close"), ("B", "adjClose"), ("C", "close_adj")):
        frame = history(30, ticker).drop(columns="ticker")
        frame.rename(columns={"adj_close": spelling}).to_csv(
            tmp_path / f"{ticker}.csv", index=False
        )
    take(store, tmp_path)
    counts = store.sql("select ticker, count(adj_close) from prices group by 1 order by 1")
    assert counts.values.tolist() == [["A", 30], ["B", 30], ["C", 30]]


@pytest.mark.parametrize("shown", [["adj_close"], []])
def test_newest_rows_that_were_wrong_by_a_factor_are_mended_and_older_ones_stay(store, shown):
    truth = history(n=70).drop(columns=shown)
    levels = [name for name in truth.columns if name not in ("ticker", "date", "volume")]
    slipped = truth.copy()
    slipped.loc[60:, levels] *= 100
    take(store, slipped)
    report = take(store, truth.tail(10))
    assert (report.rows_revised, note(report, "were rescaled")) == (10, None)
    found = prices(store)
    np.testing.assert_allclose(found["close"], truth["close"])
    np.testing.assert_allclose(found["open"], truth["open"])


def test_a_split_between_updates_still_rescales_what_is_older(store):
    truth = history(n=70)
    take(store, truth.head(65).assign(close=4 * truth["close"], adj_close=4 * truth["adj_close"]))
    report = take(store, truth.tail(10))
    assert note(report, "were rescaled").n == 60
    returns_agree(store, truth["adj_close"])
