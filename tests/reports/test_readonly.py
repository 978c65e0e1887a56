"""A query reads the store and does nothing else: it writes nothing, reaches no file, and ends."""

import shutil
import signal
import time

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmastore import Store
from bmastore.errors import QueryError, StoreError
from bmastore.storage.paths import results_path
from bmastore.storage.readonly import check_query
from tests.helpers import cli, files_below, in_background, wait_until

READS = (
    "select count(*) from v_status",
    "from v_weights limit 1",
    "with a as (select ticker from v_latest) select * from a",
    "values (1), (2)",
    "table v_runs",
    "(select 1) union all (select 2)",
    "describe v_status",
    "show tables",
    "summarize v_metrics",
    "explain select 1",
    "explain analyze from v_status",
    "select ';' as x -- ; and no more",
    "select * from range(3)",
    "select unnest([1, 2])",
    "from duckdb_tables()",
    "pivot v_weights on member in ('rf', 'zero') using sum(weight) group by ticker",
)
STORE, LOG = "{store}", "{store}.wal"
ATTACKS = (
    f"copy (select 'x') to '{STORE}' (format csv, use_tmp_file false)",
    f"copy (select 'x') to '{LOG}' (header false)",
    f"copy (select 'x') to '{STORE}.tmp/../../pwned.csv'",
    "copy ledger to 'pwned.csv'",
    f"select * from read_blob('{STORE}')",
    f"from read_text('{STORE}')",
    "from read_csv('/etc/passwd')",
    "from '/etc/passwd'",
    "from glob('/etc/*')",
    "select (select count(*) from read_text('/etc/passwd'))",
    "with a as materialized (from read_blob('/etc/passwd')) from a",
    "select * from (select 1) t where exists (from read_text('/etc/passwd'))",
    "from query('select 1')",
    "from query_table('ledger')",
    "from sniff_csv('/etc/passwd')",
    "from parquet_schema('x.parquet')",
    "explain copy (select 1) to 'pwned.csv'",
    "explain analyze copy (select 1) to 'pwned.csv'",
    "explain analyze from read_text('/etc/passwd')",
    "summarize from read_text('/etc/passwd')",
    "describe from read_csv('/etc/passwd')",
    "export database 'pwned'",
    "import database 'pwned'",
    "attach 'pwned.duckdb'",
    "attach ':memory:' as m; create table m.t as select 1; from m.t",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "reset enable_external_access",
    "set threads = 64",
    "pragma enable_profiling = 'json'",
    "call enable_logging(storage='file', storage_config={{'path': 'pwned'}})",
    "call enable_logging('QueryLog', storage='stdout')",
    "call force_checkpoint()",
    "from duckdb_secrets()",
    "from duckdb_settings()",
    "from duckdb_logs()",
    "select getenv('HOME')",
    "select write_log('x')",
    "create table x as select 1",
    "create temp view v_status as select 1",
    "create macro f() as 1",
    "drop view v_status",
    "delete from ledger",
    "insert into ledger select * from ledger",
    "update ledger set status = 'x'",
    "truncate ledger",
    "alter table ledger add column z int",
    "comment on table ledger is 'x'",
    "vacuum",
    "checkpoint",
    "begin; select 1",
    "begin transaction; delete from ledger; commit; select 1",
    "select 1; select 2",
    "prepare q as select 1; execute q",
    "use memory",
    "detach bma",
    "copy from database bma to temp",
    "",
    ";",
    "select",
)


@pytest.mark.parametrize("query", READS)
def test_what_reads_is_answered(trained, query):
    assert trained.query(query).rows


@pytest.fixture(scope="module")
def victim(tmp_path_factory, _trained_once):
    home = tmp_path_factory.mktemp("victim")
    shutil.copytree(_trained_once.path.parent, home / "s")
    return Store(home / "s" / "bma.duckdb")


@pytest.mark.parametrize("query", ATTACKS)
def test_whatever_does_more_is_refused_and_leaves_no_trace(victim, query, monkeypatch):
    monkeypatch.chdir(victim.path.parent)
    before = files_below(victim.path.parents[1])
    with pytest.raises(QueryError):
        victim.query(query.format(store=victim.path))
    assert files_below(victim.path.parents[1]) == before


def test_on_the_command_line_too(trained, tmp_path):
    before = files_below(trained.path.parent)
    attack = f"copy (select 'x') to '{trained.path}' (format csv, use_tmp_file false)"
    refused = cli("sql", attack, "--store", trained.path, check=2, cwd=tmp_path)
    assert refused.stderr.startswith("bmastore: copy is not possible: sql only reads the store")
    assert files_below(trained.path.parent) == before


inner = st.sampled_from(
    ["read_text('/etc/passwd')", "read_blob('x')", "glob('*')", "query('select 1')"]
)
wrapped = st.recursive(
    inner.map(lambda function: f"select * from {function}"),
    lambda part: st.one_of(
        part.map(lambda q: f"select * from ({q}) t"),
        part.map(lambda q: f"with a as ({q}) from a"),
        part.map(lambda q: f"select 1 union all select count(*) from ({q}) t"),
        part.map(lambda q: f"select (select count(*) from ({q}) t) as n"),
        part.map(lambda q: f"select 1 where exists ({q})"),
        part.map(lambda q: f"select * from range(2) r, lateral ({q}) t"),
        part.map(lambda q: f"select list_transform([1], x -> (select count(*) from ({q}) t))"),
    ),
    max_leaves=4,
)
shown = st.sampled_from(
    ["{}", "explain {}", "explain analyze {}", "summarize {}", "describe {}", "/* ; */ {}"]
)


@settings(max_examples=200, deadline=None)
@given(wrapped, shown)
def test_however_deep_a_function_that_reads_files_is_found(query, way):
    with duckdb.connect() as duck, pytest.raises(QueryError):
        check_query(duck, way.format(query))


def test_a_query_that_speaks_of_damage_is_no_damaged_store(trained):
    with pytest.raises(QueryError, match="checksum_of_corrupt"):
        trained.query("select checksum_of_corrupt from v_status")


def test_names_of_python_are_no_tables(trained):
    frame = [1, 2, 3]
    with pytest.raises(QueryError, match="does not exist"):
        trained.query("from frame")
    assert frame


ENDLESS = (
    "select count(*) from range(10000000) a, range(10000000) b where a.range % 7 = b.range % 5"
)


def test_an_endless_query_ends(trained):
    ENDLESS = (
        "select count(*) from range(10000000) a, range(10000000) b where a.range % 7 = b.range % 5"
    )
    with pytest.raises(QueryError, match=r"longer than 0\.5 s; .* --timeout"):
        trained.query(ENDLESS, timeout=0.5)
    refused = cli("sql", ENDLESS, "--timeout", 0.5, "--store", trained.path, check=2)
    assert "longer than 0.5 s" in refused.stderr


def test_ctrl_c_ends_a_query(trained):
    ENDLESS = (
        "select count(*) from range(10000000) a, range(10000000) b where a.range % 7 = b.range % 5"
    )
    child = in_background("sql", ENDLESS, "--store", trained.path)
    wait_until(lambda: holds(results_path(trained.path), child))
    child.send_signal(signal.SIGINT)
    begun = time.monotonic()
    assert child.wait(timeout=30) == 130
    assert time.monotonic() - begun < 30


def holds(path, child):
    """Whether a process has a file open."""
    import psutil

    return any(one.path == str(path) for one in psutil.Process(child.pid).open_files())


# --- somebody else's store ----------------------------------------------------------------


def tamper(store, *statements):
    with duckdb.connect(str(store.path)) as duck:
        for statement in statements:
            duck.execute(statement)


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text("TOPSECRET")
    return path


def test_a_view_in_place_of_a_table_is_refused_before_it_is_read(trained, secret):
    tamper(
        trained,
        "drop table alembic_version",
        f"create view alembic_version as select content as version_num from read_text('{secret}')",
    )
    for action in (trained.status, trained.train, lambda: trained.query("select 1")):
        with pytest.raises(
            StoreError, match="alembic_version is a view in it, not a table"
        ) as error:
            action()
        assert "TOPSECRET" not in str(error.value)


def test_the_views_of_a_store_are_ours_whatever_it_holds(trained, secret):
    before = trained.sql("from v_status order by all")
    tamper(trained, f"create or replace view v_attempts as from read_text('{secret}')",
           f"create or replace view v_status as from read_text('{secret}')")  # fmt: skip
    assert trained.sql("from v_status order by all").equals(before)
    assert trained.status().trained == 6
    with pytest.raises(QueryError):
        trained.sql(f"from {trained.path.stem}.main.v_status")
