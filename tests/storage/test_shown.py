"""What views show of the panel lies on a server too, and only what changes is sent there."""

import psycopg
import pytest

from bmastore import PassOptions, Store
from bmastore.errors import ConfigError, StoreError, StoreLockedError
from bmastore.storage.postgres import open_server
from tests.helpers import FAST, HORIZON, TARGET, cli, make_prices
from tests.storage.older import TO_0010

PRICES = make_prices(n_stocks=3, n_days=300)
# The newest dates are sent: of the first ingest there is one less.
EARLIER = PRICES[PRICES["Date"] < PRICES["Date"].max()]
OF_PANEL = (
    "select ticker, target, status, cause, n_rows, last_date from v_status",
    "select * from v_prices",
    "select target, newest_date, stocks, stocks_behind from v_freshness",
)


@pytest.fixture
def priced(tmp_path, url):
    """A store with prices whose ledger is on the server."""
    store = Store(tmp_path / "bma.duckdb", ledger=url)
    store.ingest(EARLIER)
    return store


def ask(url, query):
    with psycopg.connect(url) as there:
        return there.execute(query).fetchall()


def in_store(store, query):
    return [tuple(row) for row in store.query(query).rows]


def assert_the_same(store):
    for query in OF_PANEL:
        assert sorted(ask(store.ledger, query)) == sorted(in_store(store, query)), query


def written(url):
    """By which transaction the rows of each stock were written."""
    query = "select distinct ticker, xmin::text from prices order by 1"
    return dict(ask(url, query)), dict(ask(url, query.replace("prices", "series")))


def test_prices_and_status_are_on_the_server_as_in_the_store(priced, url):
    assert ask(url, "select count(*), count(distinct date) from prices") == [(750, 250)]
    assert_the_same(priced)
    priced.ingest(PRICES)
    assert ask(url, "select count(distinct date), max(date) from v_prices") == [
        (250, PRICES["Date"].max().date())
    ]
    assert_the_same(priced)
    priced.forget(["T1"])
    assert ask(url, "select count(distinct ticker) from v_status") == [(2,)]
    assert_the_same(priced)
    priced.forget(before=PRICES["Date"].iloc[200].date())
    assert_the_same(priced)


def test_only_stocks_that_changed_are_sent(priced, url):
    before = written(url)
    priced.ingest(EARLIER)
    priced.train(FAST)
    assert written(url) == before
    last = EARLIER.groupby("Ticker").tail(1)
    priced.ingest(last[last["Ticker"] == "T1"].assign(Open=1.0))
    for was, now in zip(before, written(url), strict=True):
        assert {ticker for ticker in was if was[ticker] != now[ticker]} == {"T1"}
    assert_the_same(priced)


def test_the_server_tells_the_status_while_a_pass_runs(priced, url):
    seen = []

    def look(progress):
        seen.append(dict(ask(url, "select status, count(*) from v_status group by status")))

    priced.train(FAST, PassOptions(batch_size=1), on_progress=look)
    assert any(set(found) == {"pending", "trained"} for found in seen)
    assert seen[-1] == {"trained": 3}


def test_what_a_killed_ingest_did_not_send_the_next_command_sends(priced, url):
    with psycopg.connect(url, autocommit=True) as there:
        there.execute("delete from series where ticker = 'T0'")
        there.execute("update prices set close = 0 where ticker = 'T0'")
        there.execute("update meta set value = 'before it' where name = 'panel_stamp'")
    priced.train(FAST)
    assert_the_same(priced)


def test_a_migration_sends_the_panel_to_an_older_ledger_and_keeps_its_readers(priced, url, server):
    server.psql("drop role if exists keeper; create role keeper login;")
    priced.grant("keeper")
    with psycopg.connect(url, autocommit=True) as there:
        for statement in (
            *TO_0010,
            "drop table series cascade",
            "drop table prices cascade",
            "delete from meta where name = 'panel_stamp'",
            "update alembic_version set version_num = '0009'",
        ):
            there.execute(statement)
    priced.migrate()
    assert_the_same(priced)
    # Views that were gone before have nobody who could read them.
    assert ask(as_role(url, "keeper"), "select count(*) from v_backtests") == [(0,)]


# --- rights ---------------------------------------------------------------------------------


def as_role(url, role):
    return psycopg.conninfo.make_conninfo(url, user=role)


@pytest.mark.parametrize("role", ["analyst", 'Ann "; drop table runs; --'])
def test_a_role_may_read_the_views_and_nothing_else(priced, url, server, role):
    with psycopg.connect(url, autocommit=True) as there:
        named = psycopg.sql.Identifier(role)
        there.execute(psycopg.sql.SQL("drop role if exists {}").format(named))
        there.execute(psycopg.sql.SQL("create role {} login").format(named))
        there.execute("revoke all on schema public from public")
    with pytest.raises(psycopg.Error):
        ask(as_role(url, role), "select * from v_status")
    said = cli("grant", role, "--store", priced.path, "--ledger", url).stderr
    assert "may read the views" in said
    assert len(ask(as_role(url, role), "select * from v_status")) == 3
    assert len(ask(as_role(url, role), "select * from v_prices")) == 750
    for refused in (
        "select * from series",
        "delete from v_feature_drift",
        "create table t (i int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(as_role(url, role), refused)


def test_rights_are_granted_while_a_pass_runs(priced, url, server):
    server.psql("drop role if exists busy; create role busy login;")
    with open_server(url):
        with pytest.raises(StoreLockedError):
            priced.train(FAST)
        priced.grant("busy")
    assert ask(as_role(url, "busy"), "select * from v_runs") == []


def test_rights_that_cannot_be_granted_say_why(tmp_path, priced, url, server, panel):
    with pytest.raises(StoreError, match=r"has no role nobody; make it there with CREATE ROLE"):
        priced.grant("nobody")
    file = Store(tmp_path / "file.duckdb")
    file.ingest(panel, target=TARGET, horizon=HORIZON)
    with pytest.raises(ConfigError, match="on a PostgreSQL server; name its database"):
        file.grant("analyst")
    server.psql("drop database if exists bare; create database bare;")
    with pytest.raises(StoreError, match="has no ledger; `bmastore ingest` makes one"):
        Store(tmp_path / "b.duckdb", ledger=server.get_uri("bare")).grant("analyst")
