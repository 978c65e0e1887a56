"""publish --to URL: a server shows all results or those from before, and takes only what is new."""

import psycopg
import pytest

from bmastore import PassOptions, Store
from bmastore.errors import SchemaTooNewError, StoreError
from tests.helpers import FAST, HORIZON, TARGET, cli, make_prices


def ask(url, query):
    with psycopg.connect(url) as there:
        return there.execute(query).fetchall()


def change(url, *statements):
    with psycopg.connect(url, autocommit=True) as there:
        for statement in statements:
            there.execute(statement)


def mirrored(url):
    return ask(url, "select ticker, status, last_date from v_status order by ticker")


def of(store):
    return store.query("select ticker, status, last_date from v_status order by ticker").rows


def rows_by_transaction(url, table):
    return dict(ask(url, f"select xmin::text, count(*) from {table} group by 1"))


@pytest.fixture
def shown(trained, url):
    """A trained store with a mirror."""
    trained.publish(url)
    return trained


def test_a_second_time_only_what_is_new_is_sent(shown, url):
    again = shown.publish(url).rows
    # What does not grow with the nights is small, and sent whole.
    whole = {"runs": 1, "standings": 6, "member_days": 6, "ensembles": 6}
    assert again == {**dict.fromkeys(again, 0), **whole}
    before = rows_by_transaction(url, "ledger")
    shown.train(FAST, PassOptions(force=True, tickers=("DEMO02",)))
    sent = shown.publish(url).rows
    assert (sent["ledger"], sent["runs"], sent["series"], sent["prices"]) == (1, 2, 0, 0)
    newest = "select count(*) from v_predictions where ticker = 'DEMO02'"
    assert [(sent["predictions"],)] == ask(url, newest)
    assert before.items() <= rows_by_transaction(url, "ledger").items()
    assert mirrored(url) == of(shown)


def test_prices_are_sent_of_stocks_that_changed(tmp_path, url):
    store, prices = Store(tmp_path / "bma.duckdb"), make_prices(n_days=300)
    store.ingest(prices)
    assert store.publish(url).rows["prices"] == 750
    last = prices.groupby("Ticker").tail(1)
    store.ingest(last[last["Ticker"] == "T1"].assign(Open=1.0))
    assert store.publish(url).rows["prices"] == 250
    query = "select ticker, date, open, volume from v_prices order by 1, 2"
    assert ask(url, query) == store.query(query).rows


def test_a_table_with_other_rows_is_sent_whole(shown, url):
    before = ask(url, "select * from v_predictions order by ticker, date")
    change(url, "delete from predictions where ticker = 'DEMO01'", "delete from standings")
    assert shown.publish(url).rows["predictions"] == len(before)
    assert ask(url, "select * from v_predictions order by ticker, date") == before
    assert ask(url, "select count(*) from v_weights") == [(36,)]


def test_readers_see_nothing_of_what_failed_half_way(shown, url, panel):
    before = mirrored(url), ask(url, "select count(*) from v_runs")
    shown.ingest(panel.assign(carry=0.3), target=TARGET, horizon=HORIZON)
    shown.train(FAST)
    refuse = "create function refuse() returns trigger language plpgsql as "
    change(
        url,
        f"{refuse} $$ begin raise exception 'no room'; end $$",
        "create trigger refuse before insert on series execute function refuse()",
    )
    with pytest.raises(StoreError, match=r"postgresql://.*failed: no room"):
        shown.publish(url)
    assert (mirrored(url), ask(url, "select count(*) from v_runs")) == before
    change(url, "drop trigger refuse on series")
    shown.publish(url)
    assert ask(url, "select count(*) from v_runs") == [(2,)]


def test_while_a_pass_runs_the_published_results_are_sent(shown, url):
    said, seen = [], []
    reader = Store(shown.path, say=said.append)

    def send(progress):
        if not seen:
            reader.publish(url)
            seen.append(ask(url, "select status from v_runs order by started_at"))
            of_results = reader.query("select published_at from v_freshness").rows
            seen.append(ask(url, "select published_at from v_freshness") == of_results)

    shown.train(FAST, PassOptions(force=True, batch_size=1), on_progress=send)
    assert "is being written; this is" in said[0]
    assert seen == [[("finished",), ("running",)], True]


def test_a_database_that_is_something_else_is_refused(tmp_path, shown, url, mirror_url, panel):
    other = Store(tmp_path / "other.duckdb", ledger=mirror_url)
    with pytest.raises(StoreError, match=r"is a mirror.*a ledger needs a database of its own"):
        Store(tmp_path / "new.duckdb", ledger=url).ingest(panel, target=TARGET, horizon=HORIZON)
    assert not (tmp_path / "new.duckdb").exists()
    other.ingest(panel, target=TARGET, horizon=HORIZON)
    with pytest.raises(StoreError, match=r"is the ledger of .*other\.duckdb itself"):
        other.publish(mirror_url)
    third = Store(tmp_path / "third.duckdb")
    third.ingest(panel.tail(320), target=TARGET, horizon=HORIZON)
    for taken in (url, mirror_url):
        with pytest.raises(StoreError, match=r"belongs to another store than .*third\.duckdb"):
            third.publish(taken)
    assert mirrored(url) == of(shown)


def test_a_database_with_other_tables_is_left_alone(trained, url):
    change(
        url, "create table alembic_version (version_num varchar(32))", "create table dashboards ()"
    )
    with pytest.raises(StoreError, match="holds other tables, such as alembic_version"):
        trained.publish(url)
    with pytest.raises(psycopg.errors.UndefinedTable):
        ask(url, "select * from v_status")


def test_a_mirror_of_an_older_schema_is_made_anew_for_the_same_readers(shown, url, server):
    server.psql("drop role if exists reader; create role reader login;")
    Store(shown.path, ledger=url).grant("reader")
    change(url, "update alembic_version set version_num = '0009'")
    assert shown.publish(url).rows["ledger"] == 6
    as_reader = psycopg.conninfo.make_conninfo(url, user="reader")
    assert mirrored(as_reader) == of(shown)
    change(url, "update alembic_version set version_num = '9999'")
    with pytest.raises(SchemaTooNewError, match="pip install --upgrade"):
        shown.publish(url)


def test_the_command_says_what_it_sent_and_hides_passwords(trained, url):
    done = cli("publish", "--to", url, "--store", trained.path)
    assert "6 of ledger" in done.stderr
    assert mirrored(url) == of(trained)
    refused = cli("publish", "--store", trained.path, check=2)
    assert "--to postgresql://user@host/database mirrors" in refused.stderr
    secret = "postgresql://me:hunter2@127.0.0.1:1/none"
    refused = cli("publish", "--to", secret, "--store", trained.path, check=2)
    assert "cannot reach postgresql://127.0.0.1:1/none" in refused.stderr
    assert "hunter2" not in refused.stderr
    assert (
        "a URL like"
        in cli("publish", "--to", "mysql://h/d", "--store", trained.path, check=2).stderr
    )
