"""A backtest may be stopped or killed: cutoffs that are done stay done."""

import signal
import subprocess
import sys

import pandas as pd
import pytest

from bmastore import Store
from bmastore.datasets import planted_panel
from bmastore.evaluation.backtest import plan_backtest
from bmastore.storage.session import open_reader
from tests.helpers import FAST, HORIZON, TARGET, cli, in_background, wait_until

PANEL = planted_panel(n_stocks=6, n_days=420, seed=21)
OPTIONS = {"cutoffs": 4, "every": 20}


@pytest.fixture
def stocks(store):
    store.ingest(PANEL, target=TARGET, horizon=HORIZON)
    return store


def numbers_of(page):
    """What the page of a backtest shows, but for its ids and times."""
    return page.read_text().partition("<h2>Forecasters</h2>")[2].partition("<h2>About it</h2>")[0]


KILLED_AFTER_THE_SECOND = """
import os, signal, sys
from bmastore import Store, TrainConfig

def die(progress):
    if progress.committed >= 12:
        os.kill(os.getpid(), signal.SIGKILL)

Store(sys.argv[1]).backtest(TrainConfig(preset="ultrafast"), cutoffs=4, every=20, on_progress=die)
"""


def kept_hindcasts(store):
    """Artifacts of cutoffs that are done, where nothing else has been stored."""
    return list(store.path.with_suffix(".models").rglob("*.bma"))


def test_a_backtest_killed_after_its_second_cutoff_goes_on_with_the_third(stocks, tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED_AFTER_THE_SECOND, stocks.path])
    assert done.returncode == -signal.SIGKILL
    assert len(kept_hindcasts(stocks)) == 2
    told = []
    page, other_page = tmp_path / "resumed.html", tmp_path / "whole.html"
    resumed = stocks.backtest(FAST, **OPTIONS, report=page, on_progress=told.append)
    assert {progress.selected for progress in told} == {12}
    assert kept_hindcasts(stocks) == []
    whole = Store(tmp_path / "whole.duckdb")
    whole.ingest(PANEL, target=TARGET, horizon=HORIZON)
    expected = whole.backtest(FAST, **OPTIONS, report=other_page)
    assert resumed.cutoffs == expected.cutoffs
    for name in ("scores", "days", "weights", "fifths", "spreads", "months"):
        one, other = getattr(resumed, name).frame(), getattr(expected, name).frame()
        pd.testing.assert_frame_equal(one, other)
    assert numbers_of(page) == numbers_of(other_page)


def test_other_data_are_another_backtest(stocks):
    subprocess.run([sys.executable, "-c", KILLED_AFTER_THE_SECOND, stocks.path])
    revised = PANEL[PANEL["ticker"] == "DEMO01"].tail(30).assign(carry=0.5)
    stocks.ingest(revised, target=TARGET, horizon=HORIZON)
    told = []
    stocks.backtest(FAST, **OPTIONS, on_progress=told.append)
    assert {progress.selected for progress in told} == {24}


def test_a_pass_in_between_keeps_the_cutoffs_that_are_done(stocks):
    subprocess.run([sys.executable, "-c", KILLED_AFTER_THE_SECOND, stocks.path])
    stocks.train(FAST)
    told = []
    stocks.backtest(FAST, **OPTIONS, on_progress=told.append)
    assert {progress.selected for progress in told} == {12}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_stop_keeps_what_is_done_and_exits_130(store, number):
    store.ingest(planted_panel(n_stocks=16, n_days=420), target=TARGET, horizon=HORIZON)
    command = ("backtest", "--preset", "high", "--cutoffs", 4, "--every", 20, "--store", store.path)
    child = in_background(*command)
    wait_until(lambda: kept_hindcasts(store))
    child.send_signal(number)
    assert child.wait(timeout=60) == 130
    kept = len(kept_hindcasts(store))
    assert 1 <= kept < 4
    assert store.sql("select count(*) as n from backtests")["n"][0] == 0
    assert "16 stocks, 4 cutoffs" in cli(*command).stderr
    cutoffs = store.sql("select count(distinct cutoff) as n from v_backtest_weights")["n"][0]
    assert cutoffs == 4


def test_a_backtest_obeys_a_memory_limit(stocks):
    asked = {"cutoffs": 1, "every": 20, "workers": 4}
    with open_reader(stocks.path, needs_panel=True) as reader:
        assert plan_backtest(reader, FAST, **asked).workers == 4
        assert plan_backtest(reader, FAST, **asked, max_memory=700 * 2**20).workers == 1
    assert stocks.backtest(FAST, **asked, max_memory=700 * 2**20).n_stocks == 6
