"""The ledger in PostgreSQL: the same results, and the same promises."""

import duckdb
import psycopg
import pytest

from bmastore import Store
from bmastore.errors import (
    ConfigError,
    SchemaTooNewError,
    SchemaTooOldError,
    StoreError,
    StoreLockedError,
)
from bmastore.storage.postgres import open_server, place
from bmastore.storage.versions import SCHEMA_VERSION
from tests.helpers import FAST, HORIZON, TARGET, cli, cli_json
from tests.storage.older import TO_0010


@pytest.fixture
def served(tmp_path, url, panel):
    """A store with the made-up panel whose ledger is on the server."""
    store = Store(tmp_path / "bma.duckdb", ledger=url)
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    return store


def test_the_results_are_those_of_a_ledger_in_the_store(served, trained):
    assert served.train(FAST).trained == 6
    for query in (
        "select ticker, member, weight, oof_log_score, oof_rmse from v_weights order by all",
        "select ticker, name, value from v_metrics order by all",
        "select ticker, member, feature, share from v_importances order by all",
        "select ticker, date, mean, sd, q05, q95 from v_predictions order by all",
        "select ticker, status, cause, n_rows, last_date from v_status order by all",
        "select ticker, artifact_sha256, n_rows, cutoff, attempt from v_latest order by all",
    ):
        assert served.sql(query).equals(trained.sql(query))


def test_the_entries_lie_on_the_server_and_not_in_the_store(served, server, url):
    served.train(FAST)
    from sqlalchemy import create_engine, text

    with create_engine(url.replace("postgresql://", "postgresql+psycopg://")).connect() as there:
        assert there.execute(text("select count(*) from ledger")).scalar() == 6
        assert there.execute(text("select status from runs")).scalar() == "finished"
    with duckdb.connect(str(served.path), read_only=True) as duck:
        assert duck.execute("select count(*) from ledger").fetchall() == [(0,)]


def test_the_command_line(served, url, monkeypatch):
    monkeypatch.setenv("BMASTORE_LEDGER", url)
    store = ("--store", served.path)
    assert cli_json("train", "--preset", "ultrafast", "--json", *store)["trained"] == 6
    done = cli("status", "--json", *store)
    assert '"trained": 6' in done.stdout
    for command in (["explain", "DEMO00"], ["export"], ["predict"], ["sql", "from v_weights"]):
        assert "DEMO00" in cli(*command, *store).stdout


def test_a_ledger_is_not_looked_for_in_the_wrong_place(served, trained, url, panel):
    with pytest.raises(StoreError, match=r"lies in postgresql://.*; name it with --ledger"):
        Store(served.path).train(FAST)
    with pytest.raises(StoreError, match="lies in it, not in postgresql://"):
        Store(trained.path, ledger=url).train(FAST)


def test_one_coordinator_a_ledger(served, url):
    with (
        open_server(url),
        pytest.raises(StoreLockedError, match="held by another process"),
    ):
        served.train(FAST)
    assert served.train(FAST).trained == 6


def test_urls_are_checked_and_passwords_masked(tmp_path, panel):
    secret = "postgresql://me:hunter2@localhost:1/none"
    assert place(secret) == "postgresql://localhost:1/none"
    with pytest.raises(StoreError, match="cannot reach") as error:
        Store(tmp_path / "a.duckdb", ledger=secret).ingest(panel, target=TARGET, horizon=HORIZON)
    assert "hunter2" not in str(error.value)
    assert not (tmp_path / "a.duckdb").exists()
    for url in ("sqlite:///x.db", "nonsense", "postgresql://host", "postgresql://h:port/d"):
        with pytest.raises(ConfigError, match=r"a URL like|looks like"):
            Store(tmp_path / "a.duckdb", ledger=url).ingest(panel, target=TARGET, horizon=HORIZON)


ADDED_SINCE = (
    "backtests", "backtest_scores", "backtest_days", "backtest_weights", "backtest_cutoffs", "meta",
    "outcomes", "feature_days", "stocks", "decays",
)  # fmt: skip
TO_0001 = [
    *TO_0010,
    *(f"drop table {table} cascade" for table in ADDED_SINCE),
    "alter table predictions drop column p_up cascade",
    "alter table runs drop column max_age cascade",
    "update alembic_version set version_num = '0001'",
]
# What a ledger on a server has had of the panel since 0010.
SHOWN_OF_PANEL = [f"drop table {table} cascade" for table in ("series", "prices")]


def on_server(url, statements):
    with psycopg.connect(url, autocommit=True) as there:
        for statement in statements:
            there.execute(statement)


def test_an_older_ledger_on_a_server_is_migrated_with_its_store(served, url):
    served.train(FAST)
    before = served.sql("select entry_id from ledger order by all")
    on_server(url, SHOWN_OF_PANEL + TO_0001)
    with duckdb.connect(str(served.path)) as duck:
        for view in ("v_backtest", "v_backtest_days", "v_backtest_weights", "v_backtests"):
            duck.execute(f"drop view {view}")
        for statement in (*TO_0001, "drop table awaited", "drop table relabelled"):
            duck.execute(statement)
    with pytest.raises(SchemaTooOldError, match="bmastore migrate --store"):
        served.train(FAST)
    assert served.migrate()[:2] == ("0001", SCHEMA_VERSION)
    assert served.train(FAST).selected == 0
    assert served.sql("select entry_id from ledger order by all").equals(before)
    assert served.backtest(FAST, cutoffs=1, every=30).n_stocks == 6
    assert len(served.sql("from v_backtest")) > 0


def test_a_ledger_on_a_server_of_another_schema_names_the_command_that_helps(served, url):
    on_server(url, SHOWN_OF_PANEL + TO_0001)
    with pytest.raises(SchemaTooOldError, match=r"postgresql://.* has schema 0001.*migrate"):
        served.train(FAST)
    served.migrate()
    assert served.train(FAST).trained == 6
    on_server(url, ["update alembic_version set version_num = '9999'"])
    with pytest.raises(SchemaTooNewError, match="pip install --upgrade"):
        served.migrate()
