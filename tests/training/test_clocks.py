"""Weekly, monthly and round-the-clock data get members of their own, as daily data do."""

import numpy as np
import pandas as pd
import pytest

from bmastore import Splits, TrainConfig
from bmastore.datasets import planted_panel
from tests.helpers import FAST, HORIZON, TARGET, cli

CLOCKS = {
    # Rows per stock, and the days on which they lie.
    "daily": (420, lambda n: pd.bdate_range("2022-01-03", periods=n)),
    "round the clock": (500, lambda n: pd.date_range("2022-01-03", periods=n)),
    "weekly": (20 * 52, lambda n: pd.date_range("2003-01-03", periods=n, freq="7D")),
    "monthly": (30 * 12, lambda n: pd.date_range("1994-01-31", periods=n, freq="ME")),
}


def panel_by(clock):
    n, days = CLOCKS[clock]
    panel = planted_panel(n_stocks=6, n_days=n, signal=0.6)
    at = days(n)
    return panel.assign(date=at[panel.groupby("ticker").cumcount()])


@pytest.mark.parametrize("clock", CLOCKS)
def test_stocks_get_members_of_their_own_whatever_the_clock(store, clock):
    store.ingest(panel_by(clock), target=TARGET, horizon=HORIZON)
    run = store.train(FAST)
    assert (run.trained, run.skipped) == (6, 0)
    weights = store.sql("select member, avg(weight) as weight from v_weights group by member")
    by_member = weights.set_index("member")["weight"]
    assert set(by_member.index) == set(FAST.members)
    assert by_member[["rf", "xgb", "lgbm"]].sum() > 0.3
    folds = store.sql("select ticker, count(*) as n, min(n_test) as smallest from folds group by 1")
    assert (folds["n"] >= 2).all()


@pytest.mark.parametrize(("clock", "factor"), [("daily", 1), ("weekly", 5), ("monthly", 21)])
def test_cells_are_as_many_times_as_long_as_rows_lie_apart(store, clock, factor):
    store.ingest(panel_by(clock), target=TARGET, horizon=HORIZON)
    splits = store.plan(FAST)[0].config.splits
    assert splits == Splits(fold_days=126 * factor, refresh_days=21 * factor)


def test_a_row_that_is_appended_moves_no_cell(store):
    panel = panel_by("weekly")
    last = panel["date"].max()
    store.ingest(panel[panel["date"] < last], target=TARGET, horizon=HORIZON)
    before = store.plan(FAST)[0].config
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    assert store.plan(FAST)[0].config == before


def test_a_stock_that_stopped_for_a_year_has_the_folds_of_all(store):
    panel = panel_by("daily")
    days = np.unique(panel["date"])
    gap = (panel["ticker"] == "DEMO02") & panel["date"].between(days[50], days[300])
    store.ingest(panel[~gap], target=TARGET, horizon=HORIZON)
    assert store.plan(FAST)[0].config.splits == Splits()


def test_folds_can_be_set_on_the_command_line(filled):
    args = ("--preset", "ultrafast", "--n-folds", 2, "--fold-days", 100, "--store", filled.path)
    cli("train", *args)
    config = TrainConfig(preset="ultrafast", splits=Splits(n_folds=2, fold_days=100))
    assert filled.train(config).selected == 0
    assert filled.sql("select count(*) as n from folds group by ticker")["n"].max() <= 2
