"""Monitoring, as users see it: what it settles, what it says, and which stocks it makes stale."""

import json

import duckdb
import numpy as np
import pytest

from bmastore import PassOptions, Store
from bmastore.datasets import planted_panel
from bmastore.errors import StoreError
from tests.helpers import FAST, HORIZON, TARGET, causes, cli, cli_json, statuses

PANEL = planted_panel(n_stocks=10, n_days=350, seed=11)
DAYS = PANEL["date"].unique()
WILD = "DEMO02"


def ingest(store, day, panel=PANEL):
    seen = panel[panel["date"] <= DAYS[day]].copy()
    seen.loc[seen["date"] > DAYS[day - HORIZON], TARGET] = np.nan
    store.ingest(seen, target=TARGET, horizon=HORIZON)


def weeks(store, panel=PANEL, first=300):
    for day in range(first, 350, 5):
        ingest(store, day, panel)
        store.train(FAST)


def with_one_wild():
    wild = PANEL.copy()
    wild.loc[(wild["ticker"] == WILD) & (wild["date"] > DAYS[300]), TARGET] *= 20
    return wild


@pytest.fixture(params=["duckdb", "postgresql"])
def decaying(request, tmp_path):
    """A store in which one stock moves twenty times as much as it did, wherever its ledger lies."""
    url = request.getfixturevalue("url") if request.param == "postgresql" else None
    store = Store(tmp_path / "bma.duckdb", ledger=url)
    weeks(store, with_one_wild())
    return store


def test_a_stock_whose_intervals_no_longer_hold_is_stale_once_per_decay(decaying):
    (report,) = decaying.monitor()
    assert [one.ticker for one in report.decayed] == [WILD]
    assert report.stocks == 10
    assert report.decayed[0].coverage_80 < 0.3
    assert report.days == 45
    assert causes(decaying) == {WILD: "decay"}
    assert statuses(decaying)[WILD] == "stale"
    told = cli("explain", WILD, "--store", decaying.path).stdout
    assert f"{WILD} is stale ({TARGET}); cause decay: its intervals were found to hold" in told
    # Looked at again before it is trained, it is still stale, and not marked again.
    assert decaying.monitor()[0].decayed == ()
    assert causes(decaying) == {WILD: "decay"}
    assert decaying.train(FAST).selected == 1
    made = decaying.sql("select ticker, cause from ledger where cause = 'decay'")
    assert made.values.tolist() == [[WILD, "decay"]]
    assert decaying.monitor()[0].decayed == ()
    assert causes(decaying) == {}
    assert decaying.train(FAST).selected == 0
    assert len(decaying.sql("from decays")) == 1


def test_a_calm_store_says_so_beside_its_backtest(tmp_path):
    store = Store(tmp_path / "bma.duckdb")
    told = cli("monitor", "--store", store.path, check=2).stderr
    assert "there is no store" in told
    ingest(store, 300)
    told = cli("monitor", "--store", store.path)
    assert "no forecast has met its label yet" in told.stderr
    store.backtest(FAST, cutoffs=1, every=40)
    store.train(FAST)
    weeks(store, first=305)
    told = cli("monitor", "--store", store.path)
    assert "beside the newest backtest" in told.stderr
    assert "no alarm" in told.stderr
    assert max(map(len, told.stdout.splitlines())) <= 80
    (report,) = cli_json("monitor", "--json", "--store", store.path)
    assert (report["target"], report["reference"], report["alarms"]) == (TARGET, "backtest", [])
    shown = {(one["measure"], one["days"]): one for one in report["skill"]}
    args = ("--format", "parquet", "--output", tmp_path / "skill.parquet", "--store", store.path)
    assert "no alarm" in cli("monitor", *args).stderr
    skill = duckdb.sql(f"from '{tmp_path / 'skill.parquet'}'").fetchall()
    assert skill == [(TARGET, *one.values()) for one in report["skill"]]
    assert cli_json("monitor", "--format", "json", "--store", store.path) == [
        {"target": TARGET, **one} for one in report["skill"]
    ]
    refused = cli("monitor", "--output", store.path, "--store", store.path, check=2)
    assert "a DuckDB database is there already" in refused.stderr
    live = store.sql("select ic_20, coverage_80_20, mse_vs_zero_20 from v_live_days").iloc[-1]
    assert shown["ic", 20]["live"] == pytest.approx(live["ic_20"])
    assert shown["coverage_80", 20]["live"] == pytest.approx(live["coverage_80_20"])
    assert shown["mse_vs_zero", 20]["live"] == pytest.approx(live["mse_vs_zero_20"])
    tested = store.sql("select ic, coverage_80 from v_backtest where forecaster = 'ensemble'").iloc[
        0
    ]
    assert shown["ic", 20]["reference"] == pytest.approx(tested["ic"])
    assert shown["coverage_80", 20]["reference"] == pytest.approx(tested["coverage_80"])


def test_a_broken_feature_is_an_alarm_that_names_it(tmp_path):
    store = Store(tmp_path / "bma.duckdb")
    # Of few stocks a day's features wander by chance.
    broken = planted_panel(n_stocks=40, n_days=350, seed=12)
    broken.loc[broken["date"] > DAYS[330], "value"] *= 100
    for day in (330, 345):
        ingest(store, day, broken)
        store.train(FAST)
    told = cli("monitor", "--store", store.path, check=1)
    assert "alarm: features are far from what models learnt from: value (" in told.stderr
    (report,) = json.loads(cli("monitor", "--json", "--store", store.path, check=1).stdout)
    assert [one["feature"] for one in report["drifting"]] == ["value"]


def test_monitoring_settles(tmp_path, url):
    store = Store(tmp_path / "bma.duckdb", ledger=url)
    ingest(store, 300)
    store.train(FAST)
    ingest(store, 310)
    assert store.monitor()[0].settled == 0  # the ingest has done it
    assert store.monitor()[0].days == 5


def test_there_is_nothing_to_monitor_in_an_empty_store(tmp_path):
    file = tmp_path / "sectors.csv"
    file.write_text("ticker,sector\nA,B\n")
    store = Store(tmp_path / "bma.duckdb")
    store.ingest_stocks(file)
    with pytest.raises(StoreError, match="holds no targets yet"):
        store.monitor()


def test_old_entries_are_stale_where_their_age_is_bounded(trained):
    assert trained.train(FAST, PassOptions(max_age=1)).selected == 0
    assert causes(trained) == {}
    # All entries are older than a moment.
    (plan,) = trained.plan(FAST, PassOptions(max_age=1e-9))
    assert plan.stocks_by_cause == {"age": 6}
    run = trained.train(FAST, PassOptions(max_age=1e-9))
    found = trained.sql("select cause from ledger where run_id = $r", {"r": run.run_id})
    assert found["cause"].tolist() == ["age"] * 6
    # The last run's bound is what the status compares with.
    assert set(causes(trained).values()) == {"age"}
    assert (
        "cause age: its last entry is older"
        in cli("explain", "DEMO01", "--store", trained.path).stdout
    )
    assert trained.train(FAST).selected == 0
    assert causes(trained) == {}
    refused = cli("train", "--max-age", 0, "--store", trained.path, check=2)
    assert "max-age" in refused.stderr
