"""Real prices: every stock accounted for, exactly the revised ones stale, nothing looks ahead."""

import datetime as dt

import duckdb
import pytest

from bmastore import PassOptions, Store
from tests.helpers import FAST, causes, cli_json, statuses

CUTOFF = dt.date(2017, 1, 31)
TICKERS = ("AIG", "APO", "AVY")


def last_day_revised(path, tickers):
    """The last price row of some stocks, one percent higher."""
    return duckdb.sql(
        f"select * replace (close * 1.01 as close, adj_close * 1.01 as adj_close) from '{path}' "
        f"where ticker in {tickers!r} and date = (select max(date) from '{path}')"
    ).df()


def assert_accounted_for(store, run, n):
    assert run["trained"] + run["skipped"] + run["failed"] == run["selected"] == n
    found = store.sql("select status, error_type, error_message from v_status")
    assert len(found) == n
    others = found[found["status"] != "trained"]
    assert set(others["status"]) <= {"skipped", "failed"}
    assert others["error_type"].notna().all()
    assert others["error_message"].str.len().min() > 20


def test_every_stock_is_trained_or_has_a_reason(store, real60):
    report = store.ingest(real60)
    assert report.tickers == 60
    assert sum(count.n for count in report.dropped) + report.rows_new == report.rows_read
    run = cli_json("train", "--preset", "ultrafast", "--json", "--store", store.path)
    assert_accounted_for(store, run, 60)
    assert run["trained"] >= 50


def test_exactly_the_revised_stocks_are_stale(store, real60):
    store.ingest(real60)
    store.train(FAST)
    five = tuple(sorted(t for t, s in statuses(store).items() if s == "trained")[:5])
    store.ingest(last_day_revised(real60, five))
    assert causes(store) == dict.fromkeys(five, "data")
    assert store.train(FAST).selected == 5


def test_prices_after_the_cutoff_change_no_feature_fold_prediction_or_weight(tmp_path, real60):
    results = []
    for factor in (1.0, 3.0):
        store = Store(tmp_path / f"{factor}.duckdb")
        store.ingest(
            duckdb.sql(
                f"select * replace (if(date > '{CUTOFF}', close * {factor}, close) as close, "
                f"if(date > '{CUTOFF}', adj_close * {factor}, adj_close) as adj_close, "
                f"if(date > '{CUTOFF}', volume // 2, volume) as volume) "
                f"from '{real60}' where ticker in {TICKERS!r}"
            ).df()
        )
        store.train(FAST, PassOptions(as_of=CUTOFF))
        features = store.sql(
            "select * from features where date <= $day order by ticker, date", {"day": CUTOFF}
        )
        rest = [
            store.sql(query)
            for query in (
                "select ticker, date, member, fold, prediction from oof order by all",
                "select ticker, member, weight, oof_log_score from v_weights order by all",
                "select ticker, date, mean, q05, q95 from v_predictions order by all",
                "select ticker, artifact_sha256, data_digest, cutoff from v_latest order by all",
            )
        ]
        results.append([features, *rest])
    assert len(results[0][0]) > 1000
    for one, two in zip(*results, strict=True):
        assert len(one)
        assert one.equals(two)


@pytest.mark.slow
def test_the_whole_universe(store, real3800):
    store.ingest(real3800)
    run = cli_json("train", "--json", "--store", store.path)
    assert_accounted_for(store, run, 3800)
    assert cli_json("train", "--json", "--store", store.path)["selected"] == 0
    five = tuple(sorted(t for t, s in statuses(store).items() if s == "trained")[:5])
    store.ingest(last_day_revised(real3800, five))
    assert set(causes(store)) == set(five)
