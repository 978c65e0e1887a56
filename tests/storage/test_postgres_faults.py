"""A PostgreSQL server that goes away, times out or refuses: one sentence, and nothing lost."""

import psycopg
import pytest

from bmastore import PassOptions, Store, TrainConfig
from bmastore.errors import StoreError
from tests.helpers import FAST, HORIZON, TARGET, cli

ONE_BY_ONE = PassOptions(batch_size=1)


@pytest.fixture
def served(tmp_path, url, panel):
    """A store with the made-up panel whose ledger is on the server."""
    store = Store(tmp_path / "bma.duckdb", ledger=url)
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    return store


def on_server(url, *statements, database=None):
    """Run statements on the server, in the store's database or another one."""
    elsewhere = psycopg.conninfo.make_conninfo(url, dbname=database) if database else url
    plain = "-c statement_timeout=0 -c idle_session_timeout=0 -c default_transaction_read_only=off"
    with psycopg.connect(elsewhere, autocommit=True, options=plain) as there:
        for statement in statements:
            there.execute(statement)


def set_in_database(url, setting):
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    on_server(url, f"alter database {name} {setting}", database="postgres")


def entries(url):
    with psycopg.connect(url) as there:
        rows = there.execute("select ticker, entry_id from ledger where status = 'trained'")
        return rows.fetchall()


def once(act):
    """A listener to progress that acts when it is first told."""
    done = []

    def told(progress):
        if not done:
            done.append(progress)
            act()

    return told


TERMINATE = (
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where datname = current_database() and pid <> pg_backend_pid()"
)


def test_a_pass_goes_on_when_the_server_has_ended_its_connection(served, url):
    run = served.train(FAST, ONE_BY_ONE, on_progress=once(lambda: on_server(url, TERMINATE)))
    assert run.trained == 6
    assert sorted(ticker for ticker, _ in entries(url)) == [f"DEMO0{i}" for i in range(6)]
    assert served.train(FAST).selected == 0


def test_a_database_that_is_dropped_in_a_pass_ends_it_in_a_sentence(served, url, server):
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    drop = once(lambda: server.psql(f"drop database {name} with (force);"))
    with pytest.raises(StoreError, match=r"does not exist; what was committed is kept"):
        served.train(FAST, ONE_BY_ONE, on_progress=drop)
    with pytest.raises(StoreError, match=r"cannot reach postgresql://"):
        served.train(FAST)
    assert served.status().tickers == 6


def test_a_backtest_is_not_lost_to_an_idle_timeout(served, url):
    set_in_database(url, "set idle_session_timeout = '300ms'")
    assert served.backtest(TrainConfig(preset="fast"), cutoffs=2, every=20).n_stocks == 6
    assert served.train(FAST, ONE_BY_ONE).trained == 6


def test_a_statement_that_times_out_ends_a_pass_in_a_sentence(served, url):
    served.train(FAST)
    before = set(entries(url))
    # An entry waits for longer than a statement may take, however fast the machine is.
    on_server(
        url,
        "create function wait() returns trigger language plpgsql as "
        "$$ begin perform pg_sleep(60); return new; end $$; "
        "create trigger slow before insert on ledger for each row execute function wait()",
    )
    set_in_database(url, "set statement_timeout = '500ms'")
    done = cli("train", "--all", "--store", served.path, "--ledger", url, check=2)
    assert "canceling statement due to statement timeout" in done.stderr
    set_in_database(url, "reset statement_timeout")
    on_server(url, "drop trigger slow on ledger")
    assert before <= set(entries(url))
    assert served.train(FAST).failed == 0


def test_a_database_that_may_only_be_read_is_said(served, url):
    set_in_database(url, "set default_transaction_read_only = on")
    done = cli("train", "--store", served.path, "--ledger", url, check=2)
    assert "read-only transaction" in done.stderr
    set_in_database(url, "reset default_transaction_read_only")
    assert served.train(FAST).trained == 6


def test_a_role_without_rights_is_said_and_leaves_no_store(tmp_path, url, server, panel):
    server.psql("drop role if exists weak; create role weak login password 'hunter2';")
    on_server(url, "revoke create on schema public from public")
    info = psycopg.conninfo.conninfo_to_dict(url)
    weak = f"postgresql://weak:hunter2@/{info['dbname']}?host={info['host']}"
    store = Store(tmp_path / "weak.duckdb", ledger=weak)
    with pytest.raises(StoreError, match="permission denied for schema public") as error:
        store.ingest(panel, target=TARGET, horizon=HORIZON)
    assert "hunter2" not in str(error.value)
    assert not store.path.exists()


def test_a_port_at_which_nobody_listens_is_said(tmp_path, panel):
    store = Store(tmp_path / "a.duckdb", ledger="postgresql://me@127.0.0.1:1/none")
    with pytest.raises(StoreError, match=r"cannot reach .*refused"):
        store.ingest(panel, target=TARGET, horizon=HORIZON)
    assert not store.path.exists()
