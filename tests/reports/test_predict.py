"""Forecasts from stored models."""

import datetime as dt
import os

import duckdb
import numpy as np
import pytest

from bmastore import PassOptions, digests
from bmastore.errors import ConfigError, StoreError, UnknownTickerError
from bmastore.storage import artifacts
from bmastore.storage.paths import models_path
from tests.helpers import FAST, HORIZON, TARGET, assert_as_stored

COLUMNS = ["ticker", "date", "target", "mean", "sd", "q05", "q25", "q50", "q75", "q95",
           "p_up"]  # fmt: skip


def artifact_of(store, ticker):
    sha = store.sql("select artifact_sha256 from v_latest where ticker = $t", {"t": ticker})
    return store.path.parent / "bma.models" / sha.iloc[0, 0][:2] / f"{sha.iloc[0, 0]}.bma"


def test_stored_models_forecast_what_the_pass_forecast(trained):
    stored = trained.sql(f"select {', '.join(COLUMNS)} from v_predictions order by ticker, date")
    again = trained.predict(since=stored["date"].min().date())
    assert again.failures == {}
    assert_as_stored(again.frame[COLUMNS], stored)


def test_by_default_the_latest_date_of_each_stock(trained, panel):
    frame = trained.predict().frame
    assert frame["ticker"].tolist() == sorted(panel["ticker"].unique())
    assert set(frame["date"]) == {panel["date"].max()}


def test_since_and_until(trained, panel):
    days = panel["date"].unique()
    frame = trained.predict(tickers=["DEMO02"], since=days[10].date(), until=days[12].date()).frame
    assert frame["date"].tolist() == list(days[10:13])
    last = trained.predict(tickers=["DEMO02"], until=days[12].date()).frame
    assert last["date"].tolist() == [days[12]]
    assert len(trained.predict(since=dt.date(2099, 1, 1)).frame) == 0
    with pytest.raises(ConfigError, match="is after"):
        trained.predict(since=days[12].date(), until=days[10].date())


def test_rows_that_came_after_the_pass_are_forecast(trained, panel):
    new = panel[panel["ticker"] == "DEMO01"].tail(1).copy()
    new["date"] += np.timedelta64(7, "D")
    trained.ingest(new, target=TARGET, horizon=HORIZON)
    frame = trained.predict(tickers=["DEMO01"]).frame
    assert frame["date"].tolist() == new["date"].tolist()


def test_a_damaged_artifact_is_an_error_of_that_stock_alone(trained):
    path = artifact_of(trained, "DEMO02")
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    artifact_of(trained, "DEMO04").unlink()
    found = trained.predict()
    assert set(found.failures) == {"DEMO02", "DEMO04"}
    assert "corrupt" in found.failures["DEMO02"]
    assert "missing" in found.failures["DEMO04"]
    assert len(found.frame) == 4


def test_what_is_no_file_in_place_of_an_artifact_is_an_error_of_that_stock_alone(trained):
    places = {ticker: artifact_of(trained, ticker) for ticker in ("DEMO01", "DEMO02", "DEMO03")}
    for path in places.values():
        path.unlink()
    os.mkfifo(places["DEMO01"])
    places["DEMO02"].mkdir()
    places["DEMO03"].symlink_to("/dev/zero")
    found = trained.predict()
    assert set(found.failures) == set(places)
    assert all("cannot be read" in reason for reason in found.failures.values())
    assert trained.train(FAST, PassOptions(force=True)).trained == 6
    assert trained.predict().failures == {}


def test_a_malformed_artifact_with_the_right_hash_is_an_error_of_that_stock_alone(trained):
    junk = b"PK\x03\x04 and nothing more"
    sha256 = digests.of_artifact(junk)
    artifacts.write(models_path(trained.path), junk, sha256)
    with duckdb.connect(str(trained.path)) as duck:
        duck.execute(f"update universes set artifact_sha256 = '{sha256}'")
        duck.execute(f"update ensembles set artifact_sha256 = '{sha256}' where ticker = 'DEMO02'")
    found = trained.predict()
    assert set(found.failures) == {"DEMO02"}
    assert "malformed" in found.failures["DEMO02"]
    assert trained.train(FAST, PassOptions(force=True, tickers=("DEMO02",))).trained == 1
    assert trained.predict().failures == {}


def test_unknown_tickers_and_empty_stores_are_named(trained, store):
    with pytest.raises(UnknownTickerError, match="NOPE"):
        trained.predict(tickers=["NOPE"])
    with pytest.raises(StoreError, match="there is no store"):
        store.predict()
