"""Compaction: a smaller store with the same rows, or the one from before."""

import random
import signal
import time

import duckdb
import pytest

from bmastore import PassOptions, Store
from bmastore.errors import StoreLockedError
from bmastore.storage.paths import results_path
from bmastore.storage.salvage import database_of, fingerprint, tables_of
from bmastore.storage.session import open_writer
from tests.helpers import FAST, cli, in_background


def rows(path):
    with duckdb.connect(str(path), read_only=True) as duck:
        return {name: fingerprint(duck, name) for name in tables_of(duck, database_of(duck))}


def file_format(path):
    with duckdb.connect(str(path), read_only=True) as duck:
        ((tags,),) = duck.execute(
            "select tags from duckdb_databases() where database_name = current_database()"
        ).fetchall()
    return tags["storage_version"]


def layout(path):
    with duckdb.connect(str(path), read_only=True) as duck:
        return duck.execute(
            "select table_name, column_name, data_type, is_nullable "
            "from information_schema.columns order by table_name, ordinal_position"
        ).fetchall()


@pytest.fixture
def bloated(trained):
    """A store with room that nothing uses."""
    with duckdb.connect(str(trained.path)) as duck:
        duck.execute("create table gone as select random() as x from range(2_000_000)")
        duck.execute("checkpoint")
        # Free room at the end of a file is given back at once.
        duck.execute("create table last as select random() as x from range(200_000)")
        duck.execute("checkpoint")
        duck.execute("drop table gone")
        duck.execute("checkpoint")
    return trained


def test_a_compacted_store_is_smaller_and_the_same(bloated):
    before, columns = rows(bloated.path), layout(bloated.path)
    sizes = bloated.compact()
    assert sizes.after == bloated.path.stat().st_size < sizes.before / 2
    assert rows(bloated.path) == before
    assert layout(bloated.path) == columns
    assert bloated.verify().findings == ()
    # Nothing is stale, and it goes on.
    assert bloated.train(FAST).selected == 0
    assert bloated.train(FAST, PassOptions(force=True)).trained == 6


def test_status_says_what_it_would_save(bloated):
    bloated.monitor()
    found = bloated.status()
    assert found.free > found.size / 2
    assert "bmastore compact would save" in cli("status", "--store", bloated.path).stderr
    said = cli("compact", "--store", bloated.path).stderr
    assert "MB →" in said
    assert bloated.status().free < found.free / 10
    assert "compact" not in cli("status", "--store", bloated.path).stderr


def test_a_store_that_is_held_is_left_alone(bloated):
    waiting = Store(bloated.path, lock_timeout=0.1)
    before = bloated.path.stat().st_ino
    with open_writer(bloated.path), pytest.raises(StoreLockedError):
        waiting.compact()
    assert bloated.path.stat().st_ino == before


def test_killed_at_any_moment_it_leaves_a_whole_store(bloated):
    before = rows(bloated.path)
    moments = random.Random(3)
    for _ in range(5):
        child = in_background("compact", "--store", bloated.path)
        time.sleep(moments.uniform(0.2, 2.0))
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert rows(bloated.path) == before
    bloated.compact()
    assert rows(bloated.path) == before
    mine = {bloated.path.name, results_path(bloated.path).name, f"{bloated.path.stem}.models"}
    assert {path.name for path in bloated.path.parent.iterdir()} == mine


def test_all_files_are_in_the_format_that_compresses_the_strings_of_a_night(trained, tmp_path):
    made = (trained.path, results_path(trained.path))
    assert {file_format(path) for path in made} == {"v1.3.0+"}
    old = tmp_path / "old.duckdb"
    with duckdb.connect() as duck:
        duck.execute(
            f"attach '{trained.path}' as new (read_only); attach '{old}' as old;"
            "copy from database new to old"
        )
    assert file_format(old) == "v1.0.0+"
    store = Store(old)
    assert store.train(FAST).selected == 0
    assert file_format(old) == "v1.0.0+"
    store.compact()
    assert file_format(old) == "v1.3.0+"
