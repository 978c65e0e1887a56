"""Published results: the same as if made anew, at the cost of what has changed, and described."""

import os
import stat
import tomllib

import duckdb
import psycopg
import pytest

from bmastore import PassOptions, Store, connect
from bmastore.datasets import known_on
from bmastore.errors import StoreDamagedError
from bmastore.storage.comments import about_view, comments
from bmastore.storage.paths import results_path
from bmastore.storage.publish import publish
from bmastore.storage.session import open_writer
from bmastore.storage.views import VIEWS
from tests.helpers import FAST, HORIZON, TARGET

# When it was published, and of which state of the store, differs each time.
TIMES = ("published_at", "store_size", "store_mtime_ns", "free_bytes")


def content(path):
    """All rows of all tables, and the text of the views."""
    with duckdb.connect(str(path), read_only=True) as duck:
        names = [
            name
            for (name,) in duck.execute(
                "select table_name from duckdb_tables() order by 1"
            ).fetchall()
        ]
        rows = {name: duck.execute(f"from {name} order by all").fetchall() for name in names}
        rows["meta"] = [row for row in rows["meta"] if row[0] not in TIMES]
        views = duck.execute(
            "select view_name, sql from duckdb_views() where not internal order by 1"
        ).fetchall()
    return rows, views


def publish_again(store):
    with open_writer(store.path, ledger_url=store.ledger) as writer:
        publish(writer)


def nights(store, panel):
    """A life in which rows are added, replaced and taken away."""
    days = sorted(panel["date"].unique())
    for day in (-9, -8, -6):
        store.ingest(known_on(panel, days[day]), target=TARGET, horizon=HORIZON)
        store.train(FAST)
        yield
    store.ingest(known_on(panel, days[-5]), target=TARGET, horizon=HORIZON)
    assert store.train(FAST, PassOptions(stale_after=9)).only_forecast
    yield
    store.train(FAST, PassOptions(as_of=days[-20].date()))
    yield
    store.backtest(FAST, cutoffs=1, every=10)
    yield
    revised = panel[panel["date"] == days[-30]].assign(**{TARGET: 0.5})
    store.ingest(revised, target=TARGET, horizon=HORIZON)
    yield
    store.monitor()
    yield


def test_a_renewal_is_the_same_as_results_made_anew(tmp_path, panel):
    store = Store(tmp_path / "bma.duckdb")
    for _ in nights(store, panel):
        renewed = content(results_path(store.path))
        results_path(store.path).rename(tmp_path / "renewed")
        publish_again(store)
        assert content(results_path(store.path)) == renewed
        (tmp_path / "renewed").replace(results_path(store.path))
    store.forget(["DEMO00"])
    renewed = content(results_path(store.path))
    results_path(store.path).unlink()
    publish_again(store)
    assert content(results_path(store.path)) == renewed


def test_little_of_what_is_published_is_free_room(tmp_path, panel):
    store = Store(tmp_path / "bma.duckdb")
    for _ in nights(store, panel):
        with duckdb.connect(str(results_path(store.path)), read_only=True) as duck:
            sizes = "select free_blocks, total_blocks from pragma_database_size()"
            ((free, total),) = duck.execute(sizes).fetchall()
        assert free <= total / 8


def test_a_ledger_on_a_server_is_published_likewise(tmp_path, url, panel):
    store = Store(tmp_path / "bma.duckdb", ledger=url)
    for _ in nights(store, panel):
        pass
    renewed = content(results_path(store.path))
    results_path(store.path).unlink()
    publish_again(store)
    assert content(results_path(store.path)) == renewed


@pytest.mark.parametrize(
    "statement",
    [
        "delete from ledger where ticker = 'DEMO01'",
        "update meta set value = 'of an older bmastore' where name = 'layout'",
        "drop table stocks",
        "alter table stocks rename to was; create view stocks as from was",
        "delete from meta",
    ],
)
def test_results_that_are_not_what_was_published_are_made_anew(trained, statement):
    before = content(results_path(trained.path))
    with duckdb.connect(str(results_path(trained.path))) as duck:
        duck.execute(statement)
    publish_again(trained)
    assert content(results_path(trained.path)) == before


def test_damaged_results_are_made_anew_wherever_they_were_cut(trained):
    path = results_path(trained.path)
    before, size = content(path), path.stat().st_size
    for eighths in range(8):
        os.truncate(path, size * eighths // 8)
        publish_again(trained)
        assert content(path) == before


def test_readers_cannot_write_what_is_published(trained):
    assert stat.S_IMODE(results_path(trained.path).stat().st_mode) == 0o444


def test_what_is_published_says_whose_it_is_and_of_when(trained):
    with duckdb.connect(str(results_path(trained.path)), read_only=True) as duck:
        about = dict(duck.execute("from meta").fetchall())
        version = duck.execute("from alembic_version").fetchall()
    assert {"store_id", "published_at"} <= set(about)
    assert version


# --- what things mean -------------------------------------------------------------------------


def test_every_table_view_and_column_of_published_results_is_described(trained):
    with duckdb.connect(str(results_path(trained.path)), read_only=True) as duck:
        silent = duck.execute(
            "select table_name, null from duckdb_tables() where comment is null "
            "union all select view_name, null from duckdb_views() "
            "where comment is null and not internal "
            "union all select table_name, column_name from duckdb_columns() where comment is null "
            "and not internal"
        ).fetchall()
    assert silent == []


def test_every_table_view_and_column_on_a_server_is_described(tmp_path, url, panel):
    Store(tmp_path / "bma.duckdb", ledger=url).ingest(panel, target=TARGET, horizon=HORIZON)
    with psycopg.connect(url) as there:
        silent = there.execute(
            "select relname, attname from pg_class join pg_attribute on attrelid = pg_class.oid "
            "where relnamespace = current_schema()::regnamespace and relkind in ('r', 'v') "
            "and attnum > 0 and not attisdropped "
            "and (col_description(pg_class.oid, attnum) is null "
            "or obj_description(pg_class.oid, 'pg_class') is null)"
        ).fetchall()
    assert silent == []


def test_nothing_is_described_that_there_is_not(trained):
    texts = tomllib.loads(comments())
    with duckdb.connect(str(results_path(trained.path)), read_only=True) as duck:
        there = duck.execute(
            "select table_name, column_name from duckdb_columns() where not internal"
        ).fetchall()
    assert set(texts["tables"]) <= {name for name, _ in there}
    assert set(texts["columns"]) <= {column for _, column in there}
    for name, columns in texts["columns_of"].items():
        assert {(name, column) for column in columns} <= set(there)


def test_views_are_described_by_their_first_sentence():
    for name in VIEWS:
        assert about_view(name).endswith((".", ":")), name


# --- damage -----------------------------------------------------------------------------------


@pytest.mark.parametrize("eighths", range(8))
def test_readers_of_results_that_were_cut_short_are_answered_or_told_what_mends_them(
    trained, eighths
):
    path = results_path(trained.path)

    def read():
        assert trained.status().trained == len(entries["ticker"].unique())
        assert trained.explain("DEMO01").facts.rows
        return trained.sql("select * from v_entries order by all")

    entries = trained.sql("select * from v_entries order by all")
    path.chmod(0o644)
    os.truncate(path, path.stat().st_size * eighths // 8)
    told = []
    for ask in (read, lambda: connect(trained.path).version()):
        try:
            ask()
        except StoreDamagedError as error:
            told.append(str(error))
    assert all("`bmastore train` makes them anew" in sentence for sentence in told)
    trained.train(FAST)
    assert read().equals(entries)
