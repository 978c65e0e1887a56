"""A Dask cluster may lose workers, all of them, or its scheduler: a pass goes on or ends, soon."""

import json
import os
import shutil
import signal
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress
from importlib.metadata import version

import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesRegressor

from bmastore import Estimator, PassOptions, Store, TrainConfig
from bmastore.arrays import PanelArrays
from bmastore.datasets import planted_panel
from bmastore.errors import WorkersError
from bmastore.workers.chunks import Chunk
from bmastore.workers.dask import connected, libraries
from bmastore.workers.pool import Pool
from tests.helpers import FAST, HORIZON, TARGET, cli, statuses, stock, wait_until

dask = pytest.importorskip("dask", reason="needs the cluster extra")
distributed = pytest.importorskip("distributed", reason="needs the cluster extra")

TREES = ExtraTreesRegressor(10, min_samples_leaf=10)


@pytest.fixture
def cluster():
    """Two workers in processes of their own, which are not started again when they are killed."""
    running = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    )
    yield running
    with suppress(TimeoutError):  # a scheduler that is closed already is not heard of again
        running.close(timeout=2)


def pool_of(client, patience=2.0):
    return Pool(lambda workers: client.get_executor(), 2, patience)


def import_what_is_not_there():
    import bmastore_of_tomorrow  # noqa: F401


def test_a_cluster_without_workers_is_an_error_and_no_wait_forever():
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as empty,
        distributed.Client(empty) as client,
        pytest.raises(WorkersError, match=r"no workers for 2 s.*start workers"),
        pool_of(client) as pool,
    ):
        pool.result(pool.submit(pow, 2, 3))


def test_workers_that_come_late_are_waited_for():
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as late,
        distributed.Client(late) as client,
        pool_of(client, patience=60.0) as pool,
    ):
        job = pool.submit(pow, 2, 3)
        late.scale(1)
        assert pool.result(job) == 8


def test_what_is_shared_reaches_workers_that_come_late():
    chunk = Chunk(PanelArrays.of([stock()]), (None,), universe=b"what all stocks share")
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as late,
        connected(late.scheduler_address) as found,
        Pool(found.make_executor, found.workers) as pool,
    ):
        job = pool.submit(universe_of, chunk)
        late.scale(1)
        assert pool.result(job) == chunk.universe


def test_workers_without_bmastore_are_told_so(cluster):
    with distributed.Client(cluster) as client, pool_of(client) as pool:
        with pytest.raises(WorkersError, match=r"bmastore_of_tomorrow.*install there the bmastore"):
            pool.result(pool.submit(import_what_is_not_there))
        assert pool.result(pool.submit(pow, 2, 3)) == 8


def test_a_job_on_which_workers_die_is_told_from_others(cluster):
    with distributed.Client(cluster) as client, pool_of(client, patience=60.0) as pool:
        with pytest.raises(BrokenExecutor):
            pool.result(pool.submit(os._exit, 7))
        assert pool.result(pool.submit(pow, 2, 3)) == 8


def test_a_scheduler_that_goes_away_ends_the_pass_and_loses_nothing(store, cluster):
    store.ingest(planted_panel(n_stocks=80, n_days=320), target=TARGET, horizon=HORIZON)
    gone = []

    def close(progress):
        if not gone:
            gone.append(progress.committed)
            cluster.loop.add_callback(cluster.scheduler.close)
            # Few outcomes wait to be committed: most stocks are not sent yet.
            wait_until(lambda: cluster.scheduler.status is distributed.core.Status.closed)

    with (
        distributed.Client(cluster) as client,
        pytest.raises(WorkersError, match="run the same command"),
    ):
        store.train(
            FAST,
            PassOptions(batch_size=1, workers=1),
            on_progress=close,
            make_executor=lambda workers: client.get_executor(),
        )
    assert store.status().last_run["status"] == "interrupted"
    trained = [ticker for ticker, status in statuses(store).items() if status == "trained"]
    assert 80 > len(trained) >= gone[0] > 0
    assert store.train(FAST).trained == 80 - len(trained)


@contextmanager
def executors_of_dask(cluster):
    with distributed.Client(cluster) as client:
        yield lambda workers: client.get_executor()


@contextmanager
def executors_of_ours(cluster):
    with connected(cluster.scheduler_address) as found:
        yield found.make_executor


@pytest.mark.parametrize("executors", [executors_of_dask, executors_of_ours])
def test_a_pass_goes_on_when_a_worker_is_killed(filled, cluster, executors):
    killed = []

    def kill_one(progress):
        if not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    with executors(cluster) as make_executor:
        run = filled.train(
            FAST, PassOptions(batch_size=1), on_progress=kill_one, make_executor=make_executor
        )
    assert (run.trained, run.failed) == (6, 0)


def test_a_job_whose_data_is_lost_with_its_worker_is_done_by_another(cluster, tmp_path):
    sign = tmp_path / "sign"
    with executors_of_ours(cluster) as make_executor, make_executor(2) as executor:
        jobs = [executor.submit(echo_after, sign, i) for i in range(8)]
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        sign.touch()
        assert [job.result() for job in jobs] == list(range(8))


def echo_after(sign, what):
    wait_until(sign.exists)
    return what


# --- the command line -------------------------------------------------------------------------

LEDGER = (
    "select ledger.ticker, status, ledger.members, weights, oof_log_scores, artifact_sha256, "
    "universe_sha256 from ledger left join ensembles using (entry_id) order by all"
)
FORECASTS = "select * exclude (entry_id, made_at) from predictions order by ticker, date"


def test_a_cluster_gives_the_same_ledger_as_workers_here(filled, tmp_path):
    there = Store(shutil.copy(filled.path, tmp_path / "there.duckdb"))
    filled.train(FAST)
    done = cli("train", "--preset", "ultrafast", "--cluster", "local:2", "--store", there.path)
    assert "6 trained" in done.stderr
    for query in (LEDGER, FORECASTS):
        pd.testing.assert_frame_equal(there.sql(query), filled.sql(query))


def holders(dask_scheduler):
    """On how many workers each thing lies that was sent to them and is no result."""
    tasks = dask_scheduler.tasks.values()
    return [len(task.who_has) for task in tasks if task.run_spec is None and task.who_has]


def universe_of(chunk):
    return chunk.universe


def test_what_is_shared_goes_to_each_worker_once():
    chunk = Chunk(PanelArrays.of([stock()]), (None,), universe=b"what all stocks share")
    # Dask takes copies away from workers that have nothing to do.
    keep = {"distributed.scheduler.active-memory-manager.start": False}
    with (
        dask.config.set(keep),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        connected(cluster.scheduler_address) as found,
    ):
        assert found.workers == 2
        with found.make_executor(2) as executor:
            jobs = [executor.submit(universe_of, chunk) for _ in range(8)]
            assert {job.result() for job in jobs} == {chunk.universe}
            with distributed.Client(cluster) as watching:
                # What jobs were given goes when they are done.
                wait_until(lambda: watching.run_on_scheduler(holders) == [2])


def test_work_follows_the_workers_that_come_and_go():
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as elastic,
        connected(elastic.scheduler_address) as here,
        Pool(here.make_executor, here.workers) as pool,
        connected(elastic.scheduler_address, workers=5) as fixed,
        Pool(fixed.make_executor, fixed.workers) as kept,
    ):
        assert (pool.workers, kept.workers) == (1, 5)
        elastic.scale(3)
        wait_until(lambda: ask(pool) == 3)
        elastic.scale(1)
        wait_until(lambda: ask(pool) == 1)
        ask(kept)
        assert kept.workers == 5


def ask(pool):
    """Have a job done, and say how many workers there seem to be."""
    pool.result(pool.submit(pow, 2, 3))
    return pool.workers


def test_own_members_are_fitted_on_a_cluster_as_here(filled, tmp_path):
    config = TrainConfig(preset="ultrafast", members=("zero", Estimator("trees", TREES)))
    shutil.copytree(filled.path.parent, tmp_path / "there")
    there = Store(tmp_path / "there" / "bma.duckdb")
    filled.train(config)
    with connected("local:2") as found:
        there.train(config, make_executor=found.make_executor)
    hashes = "select ticker, artifact_sha256 from v_latest order by ticker"
    assert there.sql(hashes).equals(filled.sql(hashes))


def test_a_backtest_runs_on_a_scheduler_named_by_its_file(trained, tmp_path, cluster):
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": cluster.scheduler_address, "id": "x", "type": "S"}))
    options = ("--preset", "ultrafast", "--cutoffs", 1, "--every", 10, "--store", trained.path)
    done = cli("backtest", "--cluster", file, *options)
    assert "ensemble" in done.stdout


def test_workers_with_other_libraries_are_refused_with_both_versions(filled, cluster):
    with connected(cluster.scheduler_address) as found:
        libraries.cache_clear()
        before = version("lightgbm")
        with distributed.Client(cluster) as client:
            client.run(pretend, "lightgbm", "0.0.1")
        with pytest.raises(WorkersError, match=rf"needs lightgbm {before}, not 0\.0\.1"):
            filled.train(FAST, make_executor=found.make_executor)


def pretend(name, number):
    """A worker that has another version of a library."""
    found = libraries()
    found[name] = number


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("nonsense", "is no cluster; write tcp://"),
        ("local:none", "is no number of workers"),
        ("tcp://me:hush@host:8786", "has no user and no password"),
        ("me:hush@host", "has no user and no password"),
        ("tcp://127.0.0.1:9", "no scheduler answers at tcp://127.0.0.1:9"),
    ],
)
def test_an_address_at_which_there_is_no_cluster_is_said_in_a_sentence(filled, address, why):
    code = 2
    done = cli("train", "--cluster", address, "--store", filled.path, check=code)
    assert why in done.stderr
    assert "hush" not in done.stderr
