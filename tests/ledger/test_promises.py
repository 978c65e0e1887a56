"""What a ledger promises, wherever it lies."""

import duckdb
import numpy as np
import pytest

from bmastore import TrainConfig
from bmastore.storage.session import open_writer
from bmastore.storage.views import VIEWS
from tests.helpers import FAST, cli, in_background, statuses, wait_until


def test_a_pass_records_weights_metrics_and_forecasts_of_every_stock(kept):
    kept.train(FAST)
    weights = kept.sql("select ticker, sum(weight) as total from v_weights group by ticker")
    assert weights["total"].to_numpy() == pytest.approx(np.ones(6))
    metrics = kept.sql("select ticker, count(*) as n from v_metrics group by ticker")
    assert (metrics["n"] == metrics["n"][0]).all()
    assert kept.sql("select count(distinct ticker) as n from v_predictions")["n"][0] == 6
    run = kept.sql("select * from v_runs").iloc[0]
    assert (run["status"], run["selected"], run["trained"]) == ("finished", 6, 6)


def test_stored_models_forecast_what_the_pass_forecast(kept):
    kept.train(FAST)
    stored = kept.sql("select ticker, date, mean, sd from v_predictions order by ticker, date")
    again = kept.predict(since=stored["date"].min().date()).frame
    assert again[["ticker", "date", "mean", "sd"]].equals(stored)


def test_a_run_that_was_killed_is_marked_by_the_next_pass(kept):
    ledger = () if kept.ledger is None else ("--ledger", kept.ledger)
    one_by_one = ("--preset", "high", "--batch-size", 1, "--workers", 1)
    child = in_background("train", *one_by_one, "--store", kept.path, *ledger)
    results = kept.path.with_name("kept.results.duckdb")

    def has_begun():
        with duckdb.connect(str(results), read_only=True) as duck:
            return duck.execute("select count(*) from runs").fetchall() != [(0,)]

    wait_until(has_begun)
    child.kill()
    child.wait()
    kept.train(TrainConfig(preset="high"))
    runs = kept.sql("select status from v_runs")["status"].tolist()
    assert runs[-1] == "finished"
    assert "running" not in runs
    assert kept.sql("select ticker from ledger group by ticker having count(*) > 1").empty
    assert set(statuses(kept).values()) == {"trained"}


def test_one_coordinator_at_a_time(kept):
    ledger = () if kept.ledger is None else ("--ledger", kept.ledger)
    with open_writer(kept.path, ledger_url=kept.ledger):
        refused = cli("train", "--lock-timeout", 0, "--store", kept.path, *ledger, check=3)
    assert "is held by" in refused.stderr
    assert kept.train(FAST).trained == 6


def test_a_backtest_is_recorded_and_shown(kept):
    report = kept.backtest(FAST, cutoffs=1, every=30)
    shown = kept.sql("select backtest_id, n_stocks from v_backtests")
    assert shown.to_numpy().tolist() == [[report.backtest_id, 6]]
    assert len(kept.sql("from v_backtest")) == len(report.scores.rows)


@pytest.mark.parametrize("view", VIEWS)
def test_views_have_the_same_columns_everywhere(kept, trained, view):
    kept.train(FAST)
    assert list(kept.sql(f"from {view}").columns) == list(trained.sql(f"from {view}").columns)
