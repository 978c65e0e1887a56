"""A Dask cluster may lose workers, all of them, or its scheduler: a pass goes on or ends, soon."""

import os
import signal
from concurrent.futures import BrokenExecutor
from contextlib import suppress

import pytest

from bmastore import PassOptions
from bmastore.errors import WorkersError
from bmastore.workers.pool import Pool
from tests.helpers import FAST, statuses

distributed = pytest.importorskip("distributed", reason="needs the cluster extra")


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


def test_a_scheduler_that_goes_away_ends_the_pass_and_loses_nothing(filled, cluster):
    gone = []

    def close(progress):
        if not gone:
            gone.append(progress.committed)
            cluster.loop.add_callback(cluster.scheduler.close)

    with (
        distributed.Client(cluster) as client,
        pytest.raises(WorkersError, match="run the same command"),
    ):
        filled.train(
            FAST,
            PassOptions(batch_size=1, workers=1),
            on_progress=close,
            make_executor=lambda workers: client.get_executor(),
        )
    trained = [ticker for ticker, status in statuses(filled).items() if status == "trained"]
    assert len(trained) >= gone[0] > 0
    assert filled.train(FAST).trained == 6 - len(trained)


def test_a_pass_goes_on_when_a_worker_is_killed(filled, cluster):
    killed = []

    def kill_one(progress):
        if not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    with distributed.Client(cluster) as client:
        run = filled.train(
            FAST,
            PassOptions(batch_size=1),
            on_progress=kill_one,
            make_executor=lambda workers: client.get_executor(),
        )
    assert (run.trained, run.failed) == (6, 0)
