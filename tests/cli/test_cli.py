"""The command line as users meet it: output, exit codes, errors in one line."""

import csv
import io
import json
import re

import duckdb
import pandas as pd
import pytest

from bmastore.storage.resources import sql_names
from bmastore.storage.views import VIEWS
from tests.helpers import HORIZON, TARGET, cli, cli_json, make_prices


def test_ingest_train_status_sql(tmp_path):
    make_prices(n_days=330).to_csv(tmp_path / "prices.csv", index=False)
    here = {"cwd": tmp_path}
    taken = cli("ingest", "prices.csv", **here)
    assert taken.stdout == ""
    assert "990 price rows of 3 stocks: 990 new" in taken.stderr
    summary = cli_json("train", "--preset", "ultrafast", "--json", **here)
    assert set(summary) == {
        "run_id", "selected", "trained", "failed", "skipped", "wall_s", "fit_cpu_s",
        "workers", "peak_rss_mb", "stocks_per_s", "only_forecast", "not_forecast",
        "member_failures",
    }  # fmt: skip
    assert (summary["selected"], summary["trained"]) == (3, 3)
    found = cli_json("status", "--json", **here)
    assert found.pop("last_run")["run_id"] == summary["run_id"]
    assert found.pop("size") == (tmp_path / "bma.duckdb").stat().st_size > found.pop("free")
    counts = {"pending": 0, "stale": 0, "failed": 0, "skipped": 0}
    assert found == {"tickers": 3, "trained": 3, **counts}
    assert cli_json("train", "--preset", "ultrafast", "--json", **here)["selected"] == 0


def test_the_store_may_be_named_in_the_environment(trained, monkeypatch):
    monkeypatch.setenv("BMASTORE_STORE", str(trained.path))
    assert cli_json("status", "--json")["trained"] == 6


DAY = pd.Timedelta(days=1)
QUERY = "select ticker, weight from v_weights where member = 'rf' order by ticker"


def test_every_format_holds_the_same_rows(trained, tmp_path):
    store = ("--store", trained.path)
    expected = trained.sql(QUERY)
    rows = cli_json("sql", QUERY, "--format", "json", *store)
    assert [row["weight"] for row in rows] == expected["weight"].tolist()
    text = cli("sql", QUERY, "--format", "csv", *store).stdout
    assert [r["ticker"] for r in csv.DictReader(io.StringIO(text))] == expected["ticker"].tolist()
    for fmt in ("csv", "parquet"):
        cli("sql", QUERY, "--format", fmt, "--output", tmp_path / f"o.{fmt}", *store)
        assert duckdb.sql(f"from '{tmp_path}/o.{fmt}'").df()["weight"].tolist() == pytest.approx(
            expected["weight"].tolist()
        )
    drawn = cli("sql", QUERY, *store).stdout
    assert "DEMO03" in drawn
    refused = cli("sql", QUERY, "--format", "parquet", *store, check=2)
    assert "--output" in refused.stderr


def test_export_has_one_row_a_stock(trained, tmp_path):
    rows = cli_json("export", "--store", trained.path)
    assert [row["ticker"] for row in rows] == sorted(row["ticker"] for row in rows)
    assert sum(rows[0]["weights"].values()) == pytest.approx(1)
    assert rows[0]["q05"] < rows[0]["mean"] < rows[0]["q95"]
    path = tmp_path / "results.parquet"
    cli("export", "--format", "parquet", "--output", path, "--store", trained.path)
    assert "weights_rf" in duckdb.sql(f"from '{path}'").columns


def test_export_of_the_panel_in_a_format_that_it_does_not_go_to_is_refused(trained, tmp_path):
    store = ("--output", tmp_path / "p", "--store", trained.path)
    refused = cli("export", "--features", "--format", "json", *store, check=2)
    assert "features go to Parquet or CSV" in refused.stderr
    cli("export", "--features", *store)
    assert (tmp_path / "p").read_bytes()[:4] == b"PAR1"


def test_predict_prints_the_columns_of_v_predictions(trained):
    text = cli("predict", "--format", "csv", "--store", trained.path).stdout
    assert text.splitlines()[0] == "ticker,date,target,mean,sd,q05,q25,q50,q75,q95,p_up"
    assert len(text.splitlines()) == 7


def test_explain_says_why(trained, panel):
    text = cli("explain", "DEMO01", "--store", trained.path).stdout
    assert "DEMO01 is trained" in text
    assert "weight" in text
    changed = panel[panel["ticker"] == "DEMO01"].tail(3).assign(carry=0.5)
    trained.ingest(changed, target=TARGET, horizon=HORIZON)
    text = cli("explain", "DEMO01", "--store", trained.path).stdout
    assert "cause data: its rows have changed" in text
    assert re.search(r"data_digest: then \w+, now \w+", text)


@pytest.mark.parametrize(
    "command", [["train", "--tickers", "DEMO01,NOPE"], ["predict", "--tickers", "NOPE"],
                ["explain", "NOPE"]],
)  # fmt: skip
def test_an_unknown_ticker_is_named_with_where_to_look(trained, command):
    refused = cli(*command, "--store", trained.path, check=2)
    (line,) = refused.stderr.splitlines()
    assert line.startswith("bmastore: the store has no ")
    assert "NOPE; what it has: bmastore sql" in line


@pytest.mark.parametrize(
    "query",
    [
        "drop table runs",
        "update runs set status = 'x'",
        "insert into settings values ('a', 'b')",
        "copy runs to 'stolen.csv'",
        "select * from read_csv('/etc/passwd')",
        "attach 'other.duckdb'",
        "install httpfs",
        "set enable_external_access = true",
        "export database 'here'",
    ],
)
def test_sql_cannot_write_nor_reach_files(trained, query, tmp_path):
    before = trained.path.read_bytes()
    refused = cli("sql", query, "--store", trained.path, check=2, cwd=tmp_path)
    assert refused.stderr.startswith("bmastore: ")
    assert list(tmp_path.glob("*.csv")) + list(tmp_path.glob("other*")) == []
    assert trained.path.read_bytes() == before


@pytest.mark.parametrize("name", sql_names("queries"))
def test_named_queries_run(trained, name):
    cli("sql", "--named", name, "--store", trained.path)


# Views that are empty where nothing failed, no backtest was run, no label has come since the first
# pass, and features were ingested in place of prices.
OFTEN_EMPTY = {
    "v_failures", "v_backtests", "v_backtest", "v_backtest_days", "v_backtest_weights",
    "v_backtest_history", "v_calibration", "v_pit", "v_outcomes", "v_live_days", "v_live_stocks",
    "v_live_sectors", "v_quantile_returns", "v_turnover", "v_prices",
}  # fmt: skip


@pytest.mark.parametrize("view", VIEWS)
def test_views_can_be_read(trained, view):
    assert len(trained.sql(f"from {view}")) >= (0 if view in OFTEN_EMPTY else 1)


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["status"], 2, "there is no store at bma.duckdb; run `bmastore ingest FILE"),
        (["ingest", "nothing.csv"], 2, "there is no file nothing.csv"),
        (["train", "--preset", "slow"], 2, "Invalid value for '--preset'"),
        (["train", "--max-memory", "lots"], 2, "'lots' is not an amount of memory"),
        (["train", "--members", ""], 2, "'--members': '' names none; write A,B"),
        (["predict", "--tickers", " , "], 2, "'--tickers': ' , ' names none; write A,B"),
        (["train", "--as-of", "tomorrow"], 2, "does not match the format"),
        (["sql"], 2, "give either a QUERY or --named NAME"),
        (["sql", "--named", "../../x"], 2, "there is no query"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_mistakes_are_explained_in_a_line_and_exit_2(tmp_path, args, code, message):
    refused = cli(*args, check=code, cwd=tmp_path)
    assert message in refused.stderr


def test_failed_stocks_mean_exit_1(filled, panel):
    flat = panel[panel["ticker"] == "DEMO00"].copy()
    flat[TARGET] = flat[TARGET].where(flat[TARGET].isna(), 0.1)
    filled.ingest(flat, target=TARGET, horizon=HORIZON)
    done = cli("train", "--preset", "ultrafast", "--json", "--store", filled.path, check=1)
    assert json.loads(done.stdout)["failed"] == 1


def test_what_a_look_back_could_not_train_is_told_by_the_command_that_it_names(filled):
    told = cli("train", "--as-of", "1990-01-01", "--preset", "ultrafast", "--store", filled.path)
    query = re.search(r'why: bmastore sql "(.*)" --store', told.stderr)[1]
    rows = filled.sql(query)
    assert list(rows["error_type"]) == ["TooFewRowsError"] * 6


def test_status_tells_of_a_night_that_only_forecasts(trained, panel):
    later = panel.groupby("ticker").tail(1).assign(date=lambda rows: rows["date"] + DAY)
    trained.ingest(later, target=TARGET, horizon=HORIZON)
    cli("train", "--preset", "ultrafast", "--stale-after", 100, "--store", trained.path)
    last = cli("status", "--store", trained.path).stderr.splitlines()[-1]
    assert "6 only forecast, 0 selected" in last
    assert "stocks/s" not in last


def test_demo_works_twice_and_spares_real_stocks(tmp_path):
    for _ in range(2):
        done = cli("demo", cwd=tmp_path)
        assert "24 selected: 24 trained" in done.stderr
        assert "1 selected: 1 trained" in done.stderr
        assert "rf" in done.stdout
    make_prices().to_csv(tmp_path / "p.csv", index=False)
    cli("ingest", "p.csv", cwd=tmp_path)
    refused = cli("demo", "--store", "bma.duckdb", check=2, cwd=tmp_path)
    assert "holds real stocks" in refused.stderr
