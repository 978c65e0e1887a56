"""kill -9 at any instant: nothing committed is lost, nothing is trained twice."""

import os
import random
import signal
import subprocess
import sys
import time

import duckdb
import pytest

from bmastore import Store
from tests.helpers import cli, cli_json, statuses, wait_until

KILLS = 10
# Without what stocks share, which is fitted before the first is done, kills fall between commits.
FITS = ("--preset", "high", "--members", "rf,xgb,lgbm,zero,mean")


def train_in_background(path, *args):
    return subprocess.Popen(
        [sys.executable, "-m", "bmastore", "train", "--workers", "1", "--store", path, *args],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def entries(path):
    with duckdb.connect(str(path), read_only=True) as duck:
        rows = duck.execute("select entry_id, status from ledger").fetchall()
    return dict(rows)


def unfinished_runs(path):
    with duckdb.connect(str(path), read_only=True) as duck:
        rows = duck.execute("select run_id from runs where status = 'running'").fetchall()
    return {run_id for (run_id,) in rows}


def assert_nothing_twice(path):
    with duckdb.connect(str(path), read_only=True) as duck:
        twice = duck.execute(
            "select ticker, data_digest, count(*) from ledger where status = 'trained' "
            "group by ticker, target, data_digest, config_hash, code_version having count(*) > 1"
        ).fetchall()
        torn = duck.execute(
            "select newest_entry from standings where newest_entry = current_entry "
            "and current_entry not in (select entry_id from predictions) "
            "union select entry_id from ledger where status = 'trained' and weights is null "
            "union select ticker from ledger where ticker not in (select ticker from standings)"
        ).fetchall()
    assert twice == []
    assert torn == []


def test_sigkill_at_random_moments(tmp_path, real60):
    path = tmp_path / "bma.duckdb"
    store = Store(path)
    store.ingest(real60)
    random_moments = random.Random(5)
    seen, kills, midway, cut_short, latest = {}, 0, 0, set(), 5.0
    while kills < KILLS or midway < 3:
        assert kills < 6 * KILLS, "most kills came before or after the fits; spread them better"
        child = train_in_background(path, "--batch-size", "3", *FITS)
        time.sleep(random_moments.uniform(0.5, latest))
        if child.poll() is not None:
            # It was done before its end: give it new work for all stocks.
            store.ingest(real60, horizon=6 + kills)
            continue
        child.send_signal(signal.SIGKILL)
        child.wait()
        kills += 1
        now = entries(path)
        assert seen.items() <= now.items()
        # A pass may have ended its run, and be killed on its way out.
        newly = unfinished_runs(path) - cut_short
        cut_short |= newly
        midway += bool(newly) and len(now) > len(seen)
        # However slow the machine, some of the kills have to fall between two checkpoints.
        latest += len(now) == len(seen)
        assert_nothing_twice(path)
        seen = now
    summary = cli_json("train", "--json", *FITS, "--store", path)
    assert summary["selected"] == summary["trained"] + summary["skipped"]
    assert seen.items() <= entries(path).items()
    assert_nothing_twice(path)
    runs = store.sql("select status, count(*) as n from runs group by 1").set_index("status")["n"]
    assert "running" not in runs
    assert runs["interrupted"] == len(cut_short)
    assert set(statuses(store).values()) == {"trained", "skipped"}
    artifacts = {p.stem for p in path.parent.glob("bma.models/*/*.bma")}
    assert artifacts >= set(store.sql("select artifact_sha256 from v_latest").iloc[:, 0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_stop_commits_what_is_done_and_exits_130(tmp_path, real60, number):
    path = tmp_path / "bma.duckdb"
    store = Store(path)
    store.ingest(real60)
    child = train_in_background(path, "--batch-size", "2", "--preset", "high")
    results = tmp_path / "bma.results.duckdb"
    wait_until(lambda: published_entries(results) > 0)
    os.kill(child.pid, number)
    assert child.wait(timeout=30) == 130
    run = store.sql("select * from v_runs").iloc[0]
    done = len(entries(path))
    assert run["status"] == "interrupted"
    assert 0 < run["trained"] + run["skipped"] == done < 60
    planned = cli_json("train", "--dry-run", "--json", "--preset", "high", "--store", path)
    assert planned["selected"] == 60 - done


def test_while_a_pass_runs_readers_answer_from_the_published_results(tmp_path, real60):
    path = tmp_path / "bma.duckdb"
    Store(path).ingest(real60)
    child = train_in_background(path, "--batch-size", "2", "--preset", "high")
    try:
        results = tmp_path / "bma.results.duckdb"
        wait_until(lambda: published_entries(results) > 0)
        with duckdb.connect(str(results), read_only=True) as duck:
            tables = {
                row[0] for row in duck.execute("select table_name from duckdb_tables()").fetchall()
            }
            assert "features" not in tables
            assert duck.execute("select count(*) from v_status").fetchall() == [(60,)]
            assert duck.execute("select count(*) from v_predictions").fetchall()[0][0] > 0
        # Hold the pass where it is while it is looked at.
        child.send_signal(signal.SIGSTOP)
        assert child.poll() is None
        for command in (["status"], ["explain", "AIG"], ["sql", "from v_runs"], ["export"]):
            done = cli(*command, "--store", path)
            assert "is being written; this is" in done.stderr
            assert done.stdout
        patience = ("--lock-timeout", 0)
        for command in (["train", *patience], ["ingest", real60, *patience], ["predict"]):
            refused = cli(*command, "--store", path, check=3)
            assert f"held by process {child.pid}" in refused.stderr
            assert "bmastore train" in refused.stderr
        assert Store(path).status().last_run["status"] == "running"
    finally:
        child.kill()
        child.wait()
    assert Store(path).status().last_run["status"] == "interrupted"


def test_what_progress_calls_committed_survives_a_kill(filled):
    script = """
import os, sys
from bmastore import PassOptions, Store, TrainConfig

def die(progress):
    if progress.committed >= 4:
        print(progress.committed, flush=True)
        os._exit(9)

Store(sys.argv[1]).train(TrainConfig(), PassOptions(workers=1, batch_size=2), on_progress=die)
"""
    child = subprocess.run(
        [sys.executable, "-c", script, filled.path], capture_output=True, text=True
    )
    assert child.returncode == 9
    assert len(entries(filled.path)) == int(child.stdout)


def published_entries(results):
    if not results.exists():
        return 0
    with duckdb.connect(str(results), read_only=True) as duck:
        return duck.execute("select count(*) from ledger").fetchall()[0][0]
