"""What a ledger promises, wherever it lies."""

import re

import duckdb
import numpy as np
import pandas as pd
import psycopg
import pytest

from bmastore import Store, TrainConfig
from bmastore.storage.session import open_writer
from bmastore.storage.views import VIEWS
from tests.helpers import (
    FAST,
    HORIZON,
    TARGET,
    assert_as_stored,
    cli,
    in_background,
    statuses,
    wait_until,
)


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
    assert again[["ticker", "date"]].equals(stored[["ticker", "date"]])
    assert_as_stored(again[list(stored)], stored)


def test_a_run_that_was_killed_is_marked_by_the_next_pass(kept):
    ledger = () if kept.ledger is None else ("--ledger", kept.ledger)
    one_by_one = ("--preset", "high", "--batch-size", 1, "--workers", 1)
    child = in_background("train", *one_by_one, "--store", kept.path, *ledger)
    results = kept.path.with_name("bma.results.duckdb")

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


# What differs from store to store: when and under which ids it was made.
OF_ITS_OWN = re.compile(r"_id$|_at$|_s$|^stocks_per_s$|^last_run|^peak_rss_mb$|^version")


def nights(store, panel):
    """Passes over the panel as it grew, a backtest, and what people know of the stocks."""
    days = panel["date"].unique()
    for day in (300, 307, len(days) - 1):
        seen = panel[panel["date"] <= days[day]].copy()
        seen.loc[seen["date"] > days[day - HORIZON], TARGET] = np.nan
        store.ingest(seen, target=TARGET, horizon=HORIZON)
        store.train(FAST)
    store.backtest(FAST, cutoffs=1, every=20)
    sectors = store.path.with_name("sectors.csv")
    sectors.write_text("Symbol,GICS Sector\nDEMO00,Energy\nDEMO01,Energy\nDEMO02,Utilities\n")
    store.ingest_stocks(sectors)
    return store


@pytest.fixture(scope="module")
def in_duckdb(tmp_path_factory, panel):
    """What a ledger in DuckDB shows after some nights."""
    return nights(Store(tmp_path_factory.mktemp("nights") / "bma.duckdb"), panel)


def shown(frame):
    """Rows that are the same in any store of the same nights, as text, in order."""
    names = [name for name in frame.columns if not OF_ITS_OWN.search(name)]
    return sorted(tuple(map(as_text, row)) for row in frame[names].itertuples(index=False))


def as_text(value):
    if pd.isna(value):
        return ""
    # Sums over stocks are added up in any order; so late no mean of a few stocks ends in a five.
    return f"{value:.10g}" if isinstance(value, float) else str(value).removesuffix(" 00:00:00")


def on_server(url, view):
    with psycopg.connect(url) as there:
        found = there.execute(f"select * from {view}")
        return pd.DataFrame(found.fetchall(), columns=[column.name for column in found.description])


def test_views_have_the_same_columns_and_rows_everywhere(
    tmp_path, url, mirror_url, in_duckdb, panel
):
    store = nights(Store(tmp_path / "bma.duckdb", ledger=url), panel)
    published = Store(in_duckdb.path.with_name("bma.results.duckdb"))
    in_duckdb.publish(mirror_url)
    in_duckdb.publish(tmp_path / "files")
    for view in VIEWS:
        expected = in_duckdb.sql(f"from {view}")
        assert len(expected) or view in ("v_failures", "v_prices"), view
        for found in (
            published.sql(f"from {view}"),
            store.sql(f"from {view}"),
            on_server(url, view),
            on_server(mirror_url, view),
            duckdb.sql(f"from '{tmp_path}/files/{view}.parquet'").df(),
        ):
            assert list(found.columns) == list(expected.columns), view
            assert shown(found) == shown(expected), view
