"""Readers answer at any time, and keep no writer waiting."""

import os
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from bmastore import Store
from bmastore.errors import StoreError, StoreLockedError
from bmastore.storage.panel_schema import panel_metadata
from bmastore.storage.paths import results_path
from bmastore.storage.readonly import PANEL_RELATIONS
from tests.helpers import FAST, HORIZON, TARGET, cli, in_background, make_prices, wait_until

# Looks at the store's own file, again and again, until it is told to end.
LOOK = """
import sys
from bmastore import Store
from bmastore.errors import StoreError, StoreLockedError
looks = 0
while not sys.stdin.closed:
    try:
        looks += len(Store(sys.argv[1]).sql("select count(*) from features"))
    except StoreLockedError:
        pass
    if looks == 1:
        print("looked", flush=True)
"""
# A pass that holds the store after its first stocks, until nobody listens to it any more.
HELD_PASS = """
import sys
from bmastore import Store, TrainConfig

def hold(progress):
    print("held", flush=True)
    sys.stdin.readline()

Store(sys.argv[1]).train(TrainConfig(preset="ultrafast"), on_progress=hold)
"""
ENDLESS = "select count(*) from range(100000000) a, v_status b where a.range % 7 = length(b.ticker)"


def opened(child):
    import psutil

    return {file.path for file in psutil.Process(child.pid).open_files()}


def revised(panel, i):
    return panel.groupby("ticker").tail(1).assign(carry=0.1 * i)


@pytest.fixture
def priced(store):
    store.ingest(make_prices(n_days=300))
    return store


def test_threads_of_one_process_read_side_by_side(trained):
    def look(i):
        if i % 4 == 0:
            return trained.predict().failures == {}
        if i % 4 == 1:
            return len(trained.sql("select count(*) from features")) == 1
        return trained.status().trained == 6

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(look, range(120)))


def test_a_long_query_over_results_keeps_no_writer_waiting(trained, panel):
    child = in_background("sql", f"{ENDLESS} group by all", "--store", trained.path)
    try:
        wait_until(lambda: str(results_path(trained.path)) in opened(child))
        impatient = Store(trained.path, lock_timeout=0)
        impatient.ingest(revised(panel, 1), target=TARGET, horizon=HORIZON)
        assert impatient.train(FAST).trained == 6
    finally:
        child.kill()
        child.wait()


def test_what_is_published_answers_only_while_it_is_as_new_as_the_store(tmp_path, trained, panel):
    backup = tmp_path / "backup.duckdb"
    shutil.copy2(trained.path, backup)
    trained.ingest(revised(panel, 2), target=TARGET, horizon=HORIZON)
    assert trained.status().stale == 6
    shutil.copy2(backup, trained.path)
    assert trained.status().stale == 0
    results_path(trained.path).write_bytes(b"damaged")
    assert trained.status().trained == 6
    results_path(trained.path).unlink()
    assert trained.status().trained == 6


def test_a_query_sees_the_panel_and_a_catalog_that_shows_it(trained):
    tables = set(trained.sql("select table_name from duckdb_tables()")["table_name"])
    assert {"prices", "features", "ledger"} <= tables
    assert "features" in set(trained.sql("show tables")["name"])
    assert len(trained.sql("explain select * from features")) > 0
    assert len(trained.sql("with f as (from features) select count(*) from f")) == 1


def test_it_is_known_which_relations_are_not_published():
    assert {*panel_metadata.tables, "oof"} - {"series"} == PANEL_RELATIONS


def test_a_query_over_the_panel_of_a_held_store_says_why_not(trained):
    with duckdb.connect(str(trained.path)):
        child = cli("sql", "from prices", "--store", trained.path, check=3)
        assert "only the views are published" in child.stderr
        assert "trained" in cli("sql", "from v_status", "--store", trained.path).stdout
    with pytest.raises(StoreLockedError), duckdb.connect(str(trained.path)):
        trained.predict()


@pytest.mark.parametrize("relation", ["prices", "features", "targets"])
def test_a_query_over_the_panel_during_a_pass_says_what_to_do(priced, relation):
    script = [sys.executable, "-c", HELD_PASS, priced.path]
    with subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"held\n"
        told = cli("sql", f"from {relation}", "--store", priced.path, check=3).stderr
        with pytest.raises(StoreLockedError, match="export --prices"):
            priced.sql(f"from {relation}")
        newest = priced.sql("select count(distinct date) from v_prices").iloc[0, 0]
        child.communicate()
    assert f"held by process {child.pid}" in told
    assert "only the views are published" in told
    assert "Ask v_prices, or wait" in told
    assert newest == 250
    assert child.returncode == 0
    assert len(priced.sql(f"from {relation} limit 1")) == 1


def test_six_readers_of_the_file_do_not_starve_a_writer(trained, panel):
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", LOOK, trained.path], stdout=subprocess.PIPE, env=os.environ
        )
        for _ in range(6)
    ]
    try:
        for reader in readers:
            assert reader.stdout.readline() == b"looked\n"
        for i in range(10):
            taken = trained.ingest(revised(panel, i + 1), target=TARGET, horizon=HORIZON)
            assert taken.rows_revised == 6
            assert trained.train(FAST).trained == 6
        assert all(reader.poll() is None for reader in readers)
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
            reader.stdout.close()


@pytest.mark.parametrize("name", ["prices.csv", "prices.parquet", "notes"])
def test_a_file_that_is_no_database_is_refused_by_every_command_and_kept(tmp_path, name):
    store = Store(tmp_path / name)
    if name.endswith("parquet"):
        make_prices().to_parquet(store.path)
    else:
        make_prices().to_csv(store.path, index=False)
    before = store.path.read_bytes()
    for ask in (store.status, store.train, lambda: store.ingest(make_prices())):
        with pytest.raises(StoreError, match="is no DuckDB file, and a store is one"):
            ask()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


@pytest.mark.parametrize("name", ["prices.csv", "notes"])
def test_an_empty_file_is_a_store_when_something_is_ingested_into_it_and_not_before(tmp_path, name):
    store = Store(tmp_path / name)
    store.path.touch()
    for ask in (store.status, lambda: store.sql("select 1"), store.verify):
        with pytest.raises(StoreError, match="is no DuckDB file, and a store is one"):
            ask()
    assert store.path.stat().st_size == 0
    store.ingest(make_prices())
    assert store.status().tickers


@pytest.mark.parametrize("of", ["store", "results"])
def test_a_file_of_sqlite_in_the_place_of_a_store_is_refused_and_no_extension_fetched(
    tmp_path, trained, of
):
    store = Store(tmp_path / "bma.duckdb")
    if of == "results":
        shutil.copy(trained.path, store.path)
    path = store.path if of == "store" else results_path(store.path)
    with sqlite3.connect(path) as lite:
        lite.execute("create table t (a)")
    lite.close()
    if of == "store":
        for ask in (store.status, store.train, lambda: store.ingest(make_prices())):
            with pytest.raises(StoreError, match="is a SQLite database"):
                ask()
    else:
        assert store.sql("select count(*) as n from v_status")["n"][0] > 0
        store.train(FAST)
        assert store.sql("select count(*) as n from v_status")["n"][0] > 0
    with duckdb.connect() as duck:
        extensions = "select installed from duckdb_extensions() where extension_name = $name"
        assert duck.execute(extensions, {"name": "sqlite_scanner"}).fetchall() == [(False,)]
