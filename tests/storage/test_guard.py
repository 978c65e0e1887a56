"""A checkpoint that is cut short costs nothing: what was committed is there."""

import duckdb
import pytest

from bmastore import Store
from bmastore.errors import StoreError
from bmastore.storage import guard
from bmastore.storage.session import open_writer
from tests.helpers import FAST, HORIZON, TARGET, cli
from tests.kill.harness import cut_every_write, kill_at_random, library


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ingest", "train", "backtest", "migrate"])
def test_no_cut_of_any_write_loses_a_store(tmp_path, name):
    if library(tmp_path) is None:
        pytest.skip("needs Linux and a C compiler")
    losses = cut_every_write(tmp_path, print, only=[name])
    assert losses.tried > 0
    assert losses.lost == []


@pytest.mark.slow
def test_no_kill_at_a_random_moment_loses_a_store(tmp_path):
    assert kill_at_random(tmp_path, 100, print).lost == []


def test_a_cut_write_of_an_ingest_loses_nothing(tmp_path):
    if library(tmp_path) is None:
        pytest.skip("needs Linux and a C compiler")
    losses = cut_every_write(tmp_path, print, only=["ingest"])
    assert losses.tried > 0
    assert losses.lost == []


HEADERS, BLOCK = 3 * 4096, 262_144


def blocks_of_metadata(duck):
    rows = duck.execute("select distinct block_id from pragma_metadata_info()").fetchall()
    return [number for (number,) in rows]


def test_a_damaged_block_of_metadata_is_put_back_from_the_guard(trained):
    """As a kill in the middle of a checkpoint leaves a store."""
    before = trained.sql("from ledger order by all")
    with duckdb.connect(str(trained.path)) as duck:
        duck.execute("pragma disable_checkpoint_on_shutdown")
        guard.save(duck, trained.path)
        blocks = blocks_of_metadata(duck)
    damaged = bytearray(trained.path.read_bytes())
    for number in blocks:
        start = HEADERS + number * BLOCK
        damaged[start : start + BLOCK // 2] = bytes(BLOCK // 2)
    trained.path.write_bytes(damaged)
    with pytest.raises(duckdb.Error):
        duckdb.connect(str(trained.path), read_only=True)
    assert trained.sql("from ledger order by all").equals(before)
    assert not guard.guard_path(trained.path).exists()
    assert trained.train(FAST).selected == 0


def test_a_guard_whose_checkpoint_came_to_its_end_is_left_unused(trained):
    """As a kill just after a checkpoint leaves a store."""
    with duckdb.connect(str(trained.path)) as duck:
        duck.execute("pragma disable_checkpoint_on_shutdown")
        duck.execute("update runs set wall_s = 77")
        guard.save(duck, trained.path)
        duck.execute("checkpoint")
    assert trained.sql("select wall_s from runs")["wall_s"].tolist() == [77]
    assert not guard.guard_path(trained.path).exists()


def test_a_guard_of_a_store_that_is_held_is_left_alone(trained):
    with open_writer(trained.path) as writer:
        guard.save(writer.duck, trained.path)
        cli("status", "--store", trained.path)
        assert guard.guard_path(trained.path).exists()
        guard.checkpoint(writer.duck, trained.path)
    assert not guard.guard_path(trained.path).exists()


def test_a_guard_of_another_version_is_refused_with_what_to_do(trained):
    guard.guard_path(trained.path).write_bytes(b"bmastore guard 9\n{}\n")
    with pytest.raises(StoreError, match="another version of bmastore"):
        trained.sql("from features")


def test_a_store_is_whole_when_nobody_writes_it(filled, panel):
    """The log is worked in at the end of each command: the file alone can be copied."""
    assert guard.log_size(filled.path) == 0
    filled.train(FAST)
    assert guard.log_size(filled.path) == 0
    copied = filled.path.with_name("copied.duckdb")
    copied.write_bytes(filled.path.read_bytes())
    assert Store(copied).status().trained == 6
    filled.ingest(panel.tail(3).assign(carry=0.5), target=TARGET, horizon=HORIZON)
    assert guard.log_size(filled.path) == 0
