"""The archive: superseded entries leave the store, and queries see them as before."""

import random
import shutil
import signal
import time
from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest

from bmastore import PassOptions, Store
from bmastore.datasets import known_on
from bmastore.errors import ConfigError, StoreDamagedError
from bmastore.ledger.derived import tell_all
from bmastore.storage.archive import files_of
from bmastore.storage.paths import archive_path, results_path
from bmastore.storage.session import open_writer
from tests.helpers import FAST, HORIZON, TARGET, cli, in_background

TOMORROW = date.today() + timedelta(days=2)
VIEWS = ("v_entries", "v_attempts", "v_weights_history", "v_member_days", "v_status", "v_outcomes",
         "v_predictions", "v_weights")  # fmt: skip


@pytest.fixture(scope="module")
def four_nights(tmp_path_factory, panel):
    store = Store(tmp_path_factory.mktemp("nights") / "bma.duckdb")
    for day in sorted(panel["date"].unique())[-12::3]:
        store.ingest(known_on(panel, day), target=TARGET, horizon=HORIZON)
        store.train(FAST)
    return store


@pytest.fixture
def nights(store, four_nights):
    """A store of its own after four nights, with three superseded entries per stock."""
    shutil.copytree(four_nights.path.parent, store.path.parent, dirs_exist_ok=True)
    return store


def seen(store):
    return {view: store.query(f"from {view} order by all").rows for view in VIEWS}


def own_entries(store):
    return store.query("select count(*) from ledger").rows[0][0]


def files(store):
    return sorted(archive_path(store.path).iterdir())


def test_views_show_what_was_archived_as_before(nights):
    before, entries = seen(nights), own_entries(nights)
    found = nights.compact(archive_before=TOMORROW)
    assert found.archived == entries - 6 == 18
    assert own_entries(nights) == 6
    assert seen(nights) == before
    assert len(files(nights)) == 1
    assert nights.verify().findings == ()


def test_they_do_so_while_another_process_writes_the_store(nights):
    before = nights.query("from v_entries order by all").rows
    nights.compact(archive_before=TOMORROW)
    with open_writer(nights.path):
        assert nights.query("from v_entries order by all").rows == before


def test_nothing_is_stale_and_the_next_nights_go_on(nights, panel):
    nights.compact(archive_before=TOMORROW)
    assert nights.train(FAST).selected == 0
    nights.ingest(panel, target=TARGET, horizon=HORIZON)
    assert nights.train(FAST).trained == 6
    attempts = nights.query("select attempt, count(*) from v_entries group by all order by 1").rows
    assert attempts == [(i, 6) for i in range(1, 6)]
    nights.compact(archive_before=TOMORROW)
    assert len(files(nights)) == 2
    again = nights.query("select attempt, count(*) from v_entries group by all order by 1").rows
    assert again == attempts
    assert nights.verify().findings == ()


def test_a_store_that_looked_back_is_whole_without_its_old_entries(nights, panel):
    day = sorted(panel["date"].unique())[-30]
    nights.train(FAST, PassOptions(as_of=pd.Timestamp(day).date(), force=True))
    assert nights.verify().findings == ()
    nights.compact(archive_before=TOMORROW)
    assert nights.verify().findings == ()


def test_only_what_ended_before_the_date_is_moved(nights):
    found = nights.compact(archive_before=date(2020, 1, 1))
    assert found.archived == 0
    assert not archive_path(nights.path).exists()


def test_what_the_ledger_tells_is_told_the_same_without_them(nights):
    days = nights.sql("from v_member_days order by all")
    nights.compact(archive_before=TOMORROW)
    with open_writer(nights.path) as writer, writer.transaction():
        tell_all(writer)
    # But for the order in which means are added up.
    pd.testing.assert_frame_equal(nights.sql("from v_member_days order by all"), days)


@pytest.mark.parametrize("harm", ["lost", "changed"])
def test_a_file_that_is_not_what_it_was_is_said_by_those_who_need_it(nights, harm):
    nights.compact(archive_before=TOMORROW)
    (file,) = files(nights)
    if harm == "lost":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(StoreDamagedError, match=r"archived entries.*put"):
        nights.sql("from v_entries")
    assert len(nights.sql("from v_status")) == 6
    days = nights.query("from v_member_days order by all").rows
    assert nights.train(FAST, PassOptions(force=True)).trained == 6
    assert nights.query("from v_member_days order by all").rows == days
    (found,) = nights.verify().findings
    assert found.what == archive_path(nights.path).name
    assert "backup" in found.mended_by


def test_names_in_a_store_lead_nowhere_else(nights, tmp_path):
    (tmp_path / "secret.parquet").write_bytes(b"PAR1")
    with duckdb.connect(str(nights.path)) as duck:
        duck.execute("insert into meta values ('archive ../secret', 'now')")
        assert files_of(duck) == ()
    assert len(nights.sql("from v_entries")) == 24


def test_the_published_copy_by_itself_shows_what_it_holds(nights):
    nights.compact(archive_before=TOMORROW)
    copy = Store(results_path(nights.path))
    assert len(copy.sql("from v_entries")) == 6


def test_a_recovered_store_has_its_archive(nights, tmp_path):
    before = nights.query("select * exclude (run_started_at) from v_entries order by all").rows
    nights.compact(archive_before=TOMORROW)
    new = Store(tmp_path / "new.duckdb")
    assert nights.recover(new.path).lost == ()
    assert new.query("select * exclude (run_started_at) from v_entries order by all").rows == before
    assert new.verify().findings == ()


def test_killed_at_any_moment_no_entry_is_lost_or_there_twice(nights):
    before = nights.query("from v_entries order by all").rows
    moments = random.Random(5)
    for _ in range(6):
        child = in_background("compact", "--archive-before", TOMORROW, "--store", nights.path)
        time.sleep(moments.uniform(0.2, 1.2))
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert nights.query("from v_entries order by all").rows == before
    cli("compact", "--archive-before", TOMORROW, "--store", nights.path)
    assert nights.query("from v_entries order by all").rows == before
    assert own_entries(nights) == 6


def test_what_members_are_worth_is_measured_without_it(nights):
    nights.compact(archive_before=TOMORROW)
    args = ("bench", "presets", "--members", "lgbm,zero", "--stocks", 2, "--store", nights.path)
    assert "lgbm" in cli(*args).stdout


def test_the_command_says_how_many(nights):
    said = cli("compact", "--archive-before", TOMORROW, "--store", nights.path).stderr
    assert "18 entries archived" in said


def test_a_ledger_on_a_server_is_archived_there(tmp_path, url):
    store = Store(tmp_path / "bma.duckdb", ledger=url)
    with pytest.raises(ConfigError, match="server"):
        store.compact(archive_before=TOMORROW)
