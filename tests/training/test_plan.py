"""A dry run shows the plan that a pass would carry out, and changes nothing anywhere."""

import json

import numpy as np
import pytest

from bmastore import PassOptions, Splits, Store, TrainConfig
from bmastore.errors import ConfigError
from tests.helpers import FAST, HORIZON, TARGET, cli, cli_json, files_below, statuses


def revise(store, panel, ticker):
    changed = panel[panel["ticker"] == ticker].tail(HORIZON + 1).copy()
    changed["momentum"] += 1
    store.ingest(changed, target=TARGET, horizon=HORIZON)


def test_it_counts_stocks_by_cause_and_says_what_is_used_again(trained, panel):
    revise(trained, panel, "DEMO01")
    (plan,) = trained.plan(FAST)
    assert plan.stocks_by_cause == {"data": 1}
    assert [stock.ticker for stock in plan.stocks] == ["DEMO01"]
    assert plan.folds_remembered == 3
    assert plan.universe.blob
    assert plan.seconds > 0
    (everything,) = trained.plan(FAST, PassOptions(force=True))
    assert everything.stocks_by_cause == {"forced": 5, "data": 1}
    assert not everything.universe.blob


def test_the_plan_is_what_a_pass_then_does(trained, panel):
    revise(trained, panel, "DEMO01")
    revise(trained, panel, "DEMO03")
    planned = {stock.ticker: stock.cause for stock in trained.plan(FAST)[0].stocks}
    run = trained.train(FAST)
    rows = trained.sql("select ticker, cause from ledger where run_id = $r", {"r": run.run_id})
    assert dict(rows.itertuples(index=False)) == planned


def test_a_dry_run_changes_no_file(trained, panel):
    revise(trained, panel, "DEMO01")
    before = files_below(trained.path.parent)
    done = cli("train", "--dry-run", "--preset", "ultrafast", "--store", trained.path)
    assert "would train 1 stocks (1 data) for forward_return by preset ultrafast" in done.stdout
    assert "universe: stored, as of" in done.stdout
    assert "nothing was trained or stored" in done.stdout
    assert files_below(trained.path.parent) == before


def test_a_dry_run_as_json(trained):
    outline = cli_json("train", "--dry-run", "--all", "--json", "--store", trained.path)
    assert outline["selected"] == 6
    assert outline["causes"] == {"config": 6}
    assert outline["preset"] == "standard"
    text = cli("train", "--dry-run", "--preset", "ultrafast", "--store", trained.path).stdout
    assert text == "nothing is pending for forward_return: no stock would be trained\n"


def test_a_dry_run_of_a_ledger_on_a_server_asks_the_published_results(tmp_path, panel, url, server):
    store = Store(tmp_path / "bma.duckdb", ledger=url)
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    store.train(FAST)
    revise(store, panel, "DEMO02")
    store.ingest(panel[panel["ticker"] == "DEMO03"], target=TARGET, horizon=HORIZON)
    before = files_below(tmp_path)
    assert store.plan(FAST)[0].stocks_by_cause == {"data": 1}
    assert files_below(tmp_path) == before


def test_a_time_budget_plans_with_the_preset_of_the_last_run_that_had_it(filled):
    options = PassOptions(time_per_stock=1e-9, limit=1)
    assert filled.plan(TrainConfig(), options)[0].config.preset == "standard"
    filled.train(TrainConfig(), options)
    assert filled.plan(TrainConfig(), options)[0].config.preset == "ultrafast"


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--members", "lgbm,zero", ["lgbm", "zero"]),
        ("--features", "momentum,carry", ["momentum", "carry"]),
        ("--seed", "3", 3),
    ],
)
def test_what_changes_a_result_can_be_said_on_the_command_line(filled, option, value, expected):
    cli("train", "--preset", "ultrafast", option, value, "--store", filled.path)
    config = json.loads(filled.sql("select config from v_runs")["config"][0])
    assert config[option.removeprefix("--")] == expected


def test_options_of_a_pass_are_checked_before_it_begins():
    assert PassOptions(tickers="AAPL").tickers == ("AAPL",)
    assert PassOptions(workers=np.int64(2)).workers == 2
    for odd in ({"workers": "two"}, {"batch_size": 1.5}, {"limit": 0}):
        with pytest.raises(ConfigError, match=next(iter(odd))):
            PassOptions(**odd)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("--features", ","), "'--features': ',' names none; write A,B"),
        (("--n-folds", 5000), "at most 100 folds of at most 36,525 days, not 5,000 of 126"),
        (("--fold-days", 999_999), "at most 100 folds of at most 36,525 days, not 3 of 999,999"),
        (("--max-age", "1e9"), "max_age must be at most 36,525 days"),
    ],
)
def test_what_no_store_can_have_is_refused_in_a_sentence(filled, asked, message):
    done = cli("train", "--dry-run", *asked, "--store", filled.path, check=2)
    assert message in " ".join(done.stderr.split())


@pytest.mark.parametrize("asked", [("--n-folds", 100), ("--n-folds", 100, "--fold-days", 36_525)])
def test_what_is_allowed_is_planned_and_trained(filled, asked):
    cli("train", "--preset", "ultrafast", *asked, "--store", filled.path)
    assert set(statuses(filled).values()) <= {"trained", "skipped"}


def test_less_memory_than_one_worker_takes_is_refused(filled):
    with pytest.raises(ConfigError, match=r"9 MB are too little memory: .* takes 600 MB"):
        filled.plan(FAST, PassOptions(max_memory=10_000_000))


def test_numbers_of_things_are_whole():
    for make in (
        lambda: TrainConfig(seed=1.5),
        lambda: TrainConfig(seed="a"),
        lambda: TrainConfig(splits=Splits(n_folds="a")),
    ):
        with pytest.raises(ConfigError, match="must be a whole number"):
            make()


def test_what_are_no_settings_is_refused(filled):
    for call in (
        lambda: filled.train("fast"),
        lambda: filled.train(PassOptions()),
        lambda: filled.plan({"preset": "fast"}),
        lambda: filled.train(FAST, options=FAST),
        lambda: filled.backtest("fast"),
    ):
        with pytest.raises(ConfigError, match=r"is no (TrainConfig|PassOptions); write bmastore"):
            call()
