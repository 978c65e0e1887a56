"""Targets given in Python: they match their frames, or it is said."""

import numpy as np
import pandas as pd
import pytest

from bmastore.errors import InputError
from tests.panel.ingest.helpers import note, take

DAYS = pd.bdate_range("2023-01-02", periods=30)


@pytest.fixture
def frames():
    random = np.random.default_rng(0)
    return {t: pd.DataFrame({"f": random.standard_normal(30)}, index=DAYS) for t in "AB"}


@pytest.fixture
def targets():
    random = np.random.default_rng(1)
    return {t: pd.Series(random.standard_normal(30), index=DAYS) for t in "AB"}


def stored(store):
    query = "select ticker, list(value order by date) from targets group by 1 order by 1"
    return {ticker: list(values) for ticker, values in store.sql(query).values}


def as_lists(targets):
    return {ticker: series.tolist() for ticker, series in targets.items()}


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s,
        lambda s: s.tz_localize("Asia/Tokyo"),
        lambda s: s.set_axis(s.index + pd.Timedelta(hours=16)),
        lambda s: s.set_axis(s.index.strftime("%Y-%m-%d")),
        lambda s: s.set_axis(s.index.date),
        lambda s: s.to_period("D"),
        lambda s: s.sample(frac=1, random_state=0),
        lambda s: s.to_frame(),
        lambda s: s.to_numpy(),
        lambda s: s.tolist(),
    ],
)
def test_targets_are_joined_by_the_markets_date_or_in_the_order_of_rows(
    store, frames, targets, change
):
    take(store, frames, target={t: change(s) for t, s in targets.items()}, horizon=5)
    assert stored(store) == as_lists(targets)


def test_frames_in_another_zone_than_their_targets(store, frames, targets):
    zoned = {t: f.tz_localize("Asia/Tokyo") for t, f in frames.items()}
    take(store, zoned, target=targets, horizon=5)
    assert stored(store) == as_lists(targets)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.reset_index(drop=True), "not indexed by date"),
        (lambda s: pd.concat([s, s.head(1)]), "have 2023-01-02 twice"),
        (lambda s: s.set_axis(s.index + pd.Timedelta(days=4000)), "no date of the targets"),
        (lambda s: s.to_numpy()[:7], "arrays as long as their frames"),
        (lambda s: "text", "no numbers"),
    ],
)
def test_targets_that_do_not_match_are_refused(store, frames, targets, change, message):
    with pytest.raises(InputError, match=message):
        store.ingest(frames, target={t: change(s) for t, s in targets.items()}, horizon=5)


def test_other_tickers_are_refused_and_some_others_counted(store, frames, targets):
    with pytest.raises(InputError, match="no features have the tickers"):
        store.ingest(frames, target={t.lower(): s for t, s in targets.items()}, horizon=5)
    report = take(store, frames, target={"A": targets["A"], "Z": targets["B"]}, horizon=5)
    assert note(report, "have no targets").examples == ("B",)
    assert note(report, "no features").examples == ("Z",)
    assert stored(store) == {"A": targets["A"].tolist()}


def test_dates_that_only_targets_have_are_counted(store, frames, targets):
    later = pd.Series([1.0], index=[pd.Timestamp("2024-01-02")])
    report = take(store, frames, target={t: pd.concat([s, later]) for t, s in targets.items()},
                  horizon=5)  # fmt: skip
    assert note(report, "dates that have no features").n == 2


def test_targets_beside_a_frame(store, frames):
    panel = pd.concat(frames, names=["ticker", "date"]).reset_index()
    y = np.arange(60.0)
    assert take(store, panel, target=y, horizon=5).rows_new == 60
    assert take(store, panel, target=pd.Series(y), horizon=5).rows_unchanged == 60
    with pytest.raises(InputError, match="index is not that"):
        store.ingest(panel, target=pd.Series(y).iloc[::-1], horizon=5)


def test_groups_of_a_frame_by_ticker(store, frames):
    panel = pd.concat(frames, names=["ticker", "date"]).reset_index().assign(y=1.0)
    groups = dict(iter(panel.groupby("ticker")))
    assert take(store, groups, target="y", horizon=5).tickers == 2
    groups["A"] = groups["A"].assign(ticker="Q")
    with pytest.raises(InputError, match="frame of 'A' has 'Q'"):
        store.ingest(groups, target="y", horizon=5)
