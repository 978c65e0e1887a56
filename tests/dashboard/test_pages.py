"""Every page has its numbers, wherever a link or a careless address leads."""

import csv
import io
import os
import re
import subprocess
import sys

import httpx
import pytest
from starlette.testclient import TestClient

from bmastore import Store
from bmastore.dashboard.app import PAGES, make_app
from bmastore.errors import StoreNotFoundError
from tests.dashboard.conftest import N_STOCKS
from tests.helpers import cli


@pytest.fixture
def ask(address):
    def get(path="", **values):
        return httpx.get(f"{address}{path}", params=values, timeout=60)

    return get


def rows_of(ask, path, **values):
    """The table of a page, as its CSV has it."""
    return list(csv.DictReader(io.StringIO(ask(path, format="csv", **values).text)))


def scalar(store, query):
    return store.sql(query).iloc[0, 0]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers(ask, path):
    found = ask(path)
    assert found.status_code == 200
    assert "<h1>" in found.text


def test_the_overview_counts_stocks_by_status_and_leads_to_them(ask, shown_store):
    text = ask().text
    for status, count in shown_store.sql(
        "select status, count(*) from v_status group by status"
    ).itertuples(index=False):
        assert re.search(
            rf'href="stocks\?status={status}">\s*<span class="value">{count}</span>', text
        )
        assert len(rows_of(ask, "stocks", status=status)) == count


def test_lists_are_sorted_and_paged_by_the_database(ask, shown_store):
    expected = shown_store.sql("select ticker from v_newest_forecasts order by mean desc limit 50")[
        "ticker"
    ].tolist()
    text = ask("stocks", sort="mean", order="desc").text
    assert re.findall(r'href="stocks/(\w+)"', text) == expected
    second = ask("stocks", sort="mean", order="desc", page=2).text
    others = re.findall(r'href="stocks/(\w+)"', second)
    assert len(others) == N_STOCKS - 50
    assert not set(others) & set(expected)


def test_a_page_beyond_the_last_is_the_last(ask):
    assert "page 2 of 2" in ask("stocks", page=999).text


def test_stocks_are_found_by_a_part_of_their_name(ask):
    assert {row["ticker"] for row in rows_of(ask, "stocks", search="mo0")} == {
        f"DEMO0{i}" for i in range(10)
    }
    assert {row["sector"] for row in rows_of(ask, "stocks", sector="Tech")} == {"Tech"}


def test_the_page_of_a_stock_has_its_forecast_weights_and_reason(ask, shown_store):
    text = ask("stocks/DEMO03").text
    newest = shown_store.sql("from v_newest_forecasts where ticker = 'DEMO03'").iloc[0]
    assert f"{newest['mean']:.4f}" in text
    assert newest["for_date"].date().isoformat() in text
    heaviest = shown_store.sql(
        "select member, weight from v_weights where ticker = 'DEMO03' order by weight desc limit 1"
    ).iloc[0]
    assert re.search(rf"<td>{heaviest['member']}</td>\s*<td[^>]*>{heaviest['weight']:.4f}", text)
    assert "DEMO03 is trained" in text
    assert "TooFewRowsError" in ask("stocks/DEMO07").text


def test_the_page_of_a_stock_shows_what_its_members_look_at(ask, shown_store):
    text = ask("stocks/DEMO03").text
    features = text.partition("<h2>Features</h2>")[2].partition("</section>")[0]
    told = shown_store.sql("from v_importances where ticker = 'DEMO03'")
    assert set(re.findall(r'<th scope="row">(\w+)</th>', features)) == set(told["feature"])
    for member in told["member"].unique():
        assert f'<th scope="col">{member}</th>' in features
    assert f"{told['share'].max():.2f}" in features
    assert "bmastore explain DEMO03" in text


def test_forecasts_of_a_day_stand_beside_what_came(ask, shown_store):
    day = scalar(shown_store, "select min(date) from v_outcomes")
    rows = rows_of(ask, "forecasts", date=str(day.date()))
    came = shown_store.sql(f"select ticker, actual from v_outcomes where date = '{day.date()}'")
    found = {row["ticker"]: row["actual"] for row in rows if row["actual"]}
    assert found.keys() == set(came["ticker"])
    assert float(found["DEMO00"]) == pytest.approx(
        came.set_index("ticker")["actual"]["DEMO00"], rel=1e-6
    )


def test_the_live_page_shows_the_days_whose_labels_have_come(ask, shown_store):
    text = ask("live").text
    assert "Rank correlation (IC)" in text
    n = scalar(shown_store, "select count(*) from v_live_stocks")
    assert f"{n} rows" in text


def test_two_backtests_can_be_compared(ask, shown_store):
    newest, other = shown_store.sql(
        "select backtest_id from v_backtests order by finished_at desc"
    )["backtest_id"]
    text = ask(f"backtests/{newest}", compare=other).text
    ic = scalar(
        shown_store,
        "select ic from v_backtest where slice = 'all' and forecaster = 'ensemble'",
    )
    assert f"{ic:.4f}" in text
    assert "other_ic" in text


def test_a_run_lists_its_entries(ask, shown_store):
    run = shown_store.sql("select * from v_runs order by started_at desc limit 1").iloc[0]
    text = ask(f"runs/{run['run_id']}").text
    assert f"{run['selected']} rows" in text


def test_failures_say_how_to_try_again(ask, shown_store):
    text = ask("failures").text
    assert "DEMO07" in text
    assert f"bmastore train --retry-failed --store {shown_store.path}" in text


def test_a_query_is_answered_and_can_only_read(ask, shown_store):
    query = "select count(*) as n from v_status"
    assert rows_of(ask, "sql", query=query) == [{"n": str(N_STOCKS)}]
    for wrong in ("drop table ledger", "select * from read_csv('/etc/passwd')", "select"):
        found = ask("sql", query=wrong)
        assert found.status_code == 200
        assert "<tbody>" not in found.text
    assert scalar(shown_store, query) == N_STOCKS


def test_without_sql_there_is_no_page_for_queries(shown_store):
    client = TestClient(make_app(shown_store.path))
    assert client.get("/sql?query=from v_runs").status_code == 404
    assert ">SQL<" not in client.get("/").text


@pytest.mark.parametrize(
    "path",
    ["nothing", "stocks/NOBODY", "runs/none", "backtests/none", "stocks/%00", "stocks/../../etc"],
)
def test_what_is_not_there_is_not_found(ask, path):
    assert ask(path).status_code == 404


@pytest.mark.parametrize(
    "values",
    [
        {"sort": "ticker; drop table ledger"},
        {"sort": '"', "order": "desc, 1"},
        {"page": "-1"},
        {"page": "x"},
        {"page": "9" * 30},
        {"search": "'; drop table ledger; --"},
        {"search": "<script>alert(1)</script>"},
        {"target": "nothing"},
        {"date": "never"},
        {"status": "\x00"},
    ],
)
def test_whatever_an_address_says_it_only_reads(ask, shown_store, values):
    for path in ("stocks", "forecasts", "failures"):
        found = ask(path, **values)
        assert found.status_code == 200
        assert "<script>alert" not in found.text
    assert scalar(shown_store, "select count(*) from ledger") > 0


def test_nobody_elses_page_can_read_it(address):
    assert httpx.get(address, headers={"Host": "evil.example"}).status_code == 400
    headers = httpx.get(address).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert httpx.post(address).status_code == 405


def test_behind_a_proxy_all_links_stay_below_its_path(shown_store):
    client = TestClient(make_app(shown_store.path, base_path="/bma"))
    text = client.get("/bma/stocks?status=trained").text
    assert '<base href="/bma/">' in text
    assert not re.findall(r'(?:href|src|hx-get)="/(?!bma/)', text)
    assert client.get("/bma/static/app.js").status_code == 200
    assert client.get("/stocks").status_code == 404


def test_a_store_without_rows_says_what_to_do(tmp_path):
    with pytest.raises(StoreNotFoundError, match="bmastore ingest"):
        make_app(tmp_path / "none.duckdb")


def test_results_that_are_gone_are_said_in_a_sentence(tmp_path, shown_store):
    copy = tmp_path / "bma.results.duckdb"
    copy.write_bytes(shown_store.path.with_name("bma.results.duckdb").read_bytes())
    client = TestClient(make_app(copy))
    copy.unlink()
    gone = client.get("/stocks")
    assert gone.status_code == 503
    assert "there are no published results" in gone.text


def test_a_store_before_its_first_pass_says_what_to_do(tmp_path, shown_store):
    store = Store(tmp_path / "young.duckdb")
    store.ingest(
        shown_store.sql("select ticker, date, momentum from features limit 500").assign(y=0.1),
        target="y",
        horizon=5,
    )
    client = TestClient(make_app(store.path))
    assert "bmastore train" in client.get("/").text
    assert all(client.get(f"/{path}").status_code == 200 for path in PAGES)


def test_a_taken_port_is_said_in_a_sentence(address, shown_store):
    port = address.rstrip("/").rpartition(":")[2]
    found = cli("dashboard", "--port", port, "--store", shown_store.path, check=2)
    assert "try --port 0" in found.stderr


def test_the_demo_ends_in_the_browser(tmp_path):
    command = [sys.executable, "-m", "bmastore", "demo", "--dashboard"]
    quiet = {**os.environ, "BROWSER": "true"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=quiet, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            address = next(
                found[0] for line in process.stderr if (found := re.search(r"http://\S+", line))
            )
            assert "Live rank correlation" in httpx.get(address, timeout=60).text
        finally:
            process.terminate()
