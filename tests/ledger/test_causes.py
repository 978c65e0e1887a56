"""What is pending and why: only what is new or stale, never anything twice."""

import datetime as dt

import pytest

from bmastore import PassOptions, TrainConfig
from bmastore.errors import ConfigError, UnknownTickerError
from tests.helpers import FAST, HORIZON, TARGET, causes, statuses


def revise(store, panel, ticker, rows=1):
    changed = panel[panel["ticker"] == ticker].tail(rows + HORIZON).copy()
    changed["momentum"] += 1
    store.ingest(changed, target=TARGET, horizon=HORIZON)


def trained_causes(store, run_id):
    rows = store.sql("select ticker, cause from ledger where run_id = $r", {"r": run_id})
    return dict(rows.itertuples(index=False))


def test_everything_is_new_at_first_and_nothing_after_a_pass(filled):
    assert set(causes(filled).values()) == {"new"}
    assert filled.train(FAST).trained == 6
    assert set(statuses(filled).values()) == {"trained"}
    assert filled.train(FAST).selected == 0


def test_revised_stocks_are_stale_and_only_they_are_trained(trained, panel):
    revise(trained, panel, "DEMO01")
    revise(trained, panel, "DEMO04")
    assert causes(trained) == {"DEMO01": "data", "DEMO04": "data"}
    assert statuses(trained)["DEMO01"] == "stale"
    run = trained.train(FAST)
    assert trained_causes(trained, run.run_id) == {"DEMO01": "data", "DEMO04": "data"}


def test_another_config_makes_all_stale_whatever_changes_a_result(trained):
    for config in (TrainConfig(preset="fast"), TrainConfig(preset="ultrafast", seed=1)):
        run = trained.train(config, PassOptions(limit=2))
        assert set(trained_causes(trained, run.run_id).values()) == {"config"}
    # v_status compares with the last run's config.
    assert sorted(statuses(trained).values()) == ["stale"] * 4 + ["trained"] * 2


def test_workers_and_batch_size_are_no_part_of_the_config(trained):
    assert trained.train(FAST, PassOptions(workers=1, batch_size=3)).selected == 0


def test_new_code_makes_all_stale(trained, monkeypatch):
    monkeypatch.setattr("bmastore.models.config.RECIPE", 1_000)
    run = trained.train(FAST)
    assert set(trained_causes(trained, run.run_id).values()) == {"code"}
    assert trained.train(FAST).selected == 0


def test_all_forces_and_says_so(trained, panel):
    revise(trained, panel, "DEMO01")
    run = trained.train(FAST, PassOptions(force=True))
    expected = dict.fromkeys(statuses(trained), "forced") | {"DEMO01": "data"}
    assert trained_causes(trained, run.run_id) == expected


def test_tickers_and_limit_narrow_the_pass(filled):
    run = filled.train(FAST, PassOptions(tickers=("DEMO02", "DEMO05"), limit=1))
    assert trained_causes(filled, run.run_id) == {"DEMO02": "new"}
    with pytest.raises(UnknownTickerError, match="NOPE"):
        filled.train(FAST, PassOptions(tickers=("NOPE",)))


def test_skipped_and_failed_stocks_stay_so_until_their_inputs_change(store, panel):
    flat = panel[panel["ticker"] == "DEMO00"].copy()
    flat[TARGET] = flat[TARGET].where(flat[TARGET].isna(), 0.1)
    short = panel[panel["ticker"] == "DEMO01"].tail(20)
    good = panel[panel["ticker"] == "DEMO02"]
    for part in (flat, short, good):
        store.ingest(part, target=TARGET, horizon=HORIZON)
    run = store.train(FAST)
    assert (run.trained, run.failed, run.skipped) == (1, 1, 1)
    assert statuses(store) == {"DEMO00": "failed", "DEMO01": "skipped", "DEMO02": "trained"}
    reasons = store.sql("select ticker, error_type, error_message from v_failures order by ticker")
    assert reasons["error_type"].tolist() == ["ConstantTargetError", "TooFewRowsError"]
    assert reasons["error_message"].str.len().min() > 20
    assert store.train(FAST).selected == 0

    run = store.train(FAST, PassOptions(retry_failed=True))
    assert trained_causes(store, run.run_id) == {"DEMO00": "retry"}

    store.ingest(panel[panel["ticker"] != "DEMO02"].query("ticker < 'DEMO02'"),
                 target=TARGET, horizon=HORIZON)  # fmt: skip
    assert statuses(store) == {"DEMO00": "pending", "DEMO01": "pending", "DEMO02": "trained"}
    assert store.train(FAST).trained == 2


def test_as_of_uses_what_was_known_and_is_stale_afterwards(filled, panel):
    day = panel["date"].unique()[280].date()
    filled.train(FAST, PassOptions(as_of=day))
    entry = filled.sql("select * from v_latest").iloc[0]
    assert entry["cutoff"].date() == day
    assert entry["last_date"].date() < day
    forecasts = filled.sql("select max(date) as last, count(*) / 6 as n from v_predictions")
    assert (forecasts["last"][0].date(), forecasts["n"][0]) == (day, HORIZON)
    assert filled.train(FAST, PassOptions(as_of=day)).selected == 0
    assert set(causes(filled).values()) == {"data"}


def test_as_of_equals_a_store_that_ends_there(filled, panel, store, tmp_path):
    cutoff = panel["date"].unique()[300]
    filled.train(FAST, PassOptions(as_of=cutoff.date()))
    truncated = panel[panel["date"] <= cutoff].copy()
    late = truncated.groupby("ticker").cumcount(ascending=False) < HORIZON
    truncated.loc[late, TARGET] = float("nan")
    other = type(store)(tmp_path / "other.duckdb")
    other.ingest(truncated, target=TARGET, horizon=HORIZON)
    other.train(FAST)
    query = "select ticker, artifact_sha256, data_digest from v_latest order by ticker"
    assert filled.sql(query).equals(other.sql(query))


def test_as_of_before_all_data_skips_every_stock(filled):
    run = filled.train(FAST, PassOptions(as_of=dt.date(1999, 1, 1)))
    assert (run.selected, run.skipped) == (6, 6)


def test_names_that_do_not_exist_are_refused(filled):
    with pytest.raises(ConfigError, match="unknown preset 'slow'; choose from"):
        TrainConfig(preset="slow")
    with pytest.raises(ConfigError, match="no target 'x'; it has forward_return"):
        filled.train(TrainConfig(target="x"))
    with pytest.raises(ConfigError, match="no feature 'x'"):
        filled.train(TrainConfig(features=("x",)))
