"""A pool of workers is whole, or it says that it is broken: it never waits forever."""

import os
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor

import numpy as np
import psutil
import pytest

from bmastore.arrays import PanelArrays
from bmastore.errors import StoppedError, WorkersError
from bmastore.workers.chunks import Chunk
from bmastore.workers.dispatch import MemoryWatch, run_all
from bmastore.workers.local import local_executor
from bmastore.workers.pool import Pool
from tests.helpers import stock, wait_until


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's I/O counters")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_killed_while_it_hands_over_a_result_breaks_its_pool(workers):
    executor = local_executor(workers)
    waiting = [executor.submit(pow, 2, 3) for _ in range(3)]
    assert [one.result(timeout=60) for one in waiting] == [8, 8, 8]
    before = psutil.Process().io_counters().read_chars
    dying = executor.submit(bytes, 1_000_000_000)
    # Some of the result has come, so its worker is in the middle of it.
    wait_until(lambda: psutil.Process().io_counters().read_chars > before + 20_000_000)
    busy = max(workers_of_this_process(), key=lambda one: one.memory_info().rss)
    busy.kill()
    with pytest.raises(BrokenExecutor):
        dying.result(timeout=60)
    with pytest.raises(BrokenExecutor):
        executor.submit(pow, 2, 3)
    executor.shutdown(wait=True)


def workers_of_this_process():
    """Processes below the fork server."""
    children = psutil.Process().children(recursive=True)
    return [one for one in children if one.ppid() != os.getpid()]


def test_a_pool_ends_when_it_is_told_to():
    with local_executor(2) as executor:
        assert sum(executor.map(abs, range(-50, 0))) == 1275


def test_a_pool_goes_on_with_other_workers_when_one_has_died():
    with Pool(local_executor, 2) as pool:
        with pytest.raises(BrokenExecutor):
            pool.submit(os._exit, 7).result(timeout=60)
        assert pool.submit(pow, 2, 3).result(timeout=60) == 8
        with pool.of_one() as single:
            assert single.workers == 1
            assert single.submit(os.getpid).result(timeout=60) != os.getpid()
        assert pool.submit(pow, 2, 4).result(timeout=60) == 16


def test_a_pool_that_fails_leaves_nothing_that_could_fail_when_its_process_exits():
    def fail_beside_work():
        with Pool(local_executor, 2) as pool:
            assert pool.submit(pow, 2, 3).result(timeout=60) == 8
            pool.submit(time.sleep, 60)
            raise KeyError("elsewhere")

    def waited_for_at_exit():
        return {one for one in threading.enumerate() if not one.daemon}

    before = waited_for_at_exit()
    for _ in range(5):
        with pytest.raises(KeyError, match="elsewhere"):
            fail_beside_work()
        assert waited_for_at_exit() == before


@pytest.mark.skipif(sys.platform == "darwin", reason="needs a fork server")
def test_workers_start_though_their_fork_server_has_just_been_killed():
    for _ in range(20):
        with local_executor(1) as executor:
            (server,) = (
                one
                for one in psutil.Process().children()
                if "forkserver" in " ".join(one.cmdline())
            )
            server.kill()
            assert executor.submit(pow, 2, 3).result(timeout=60) == 8


def test_a_pool_whose_work_is_done_ends_when_told_to_though_a_worker_is_stopped():
    is_urgent = []

    def check():
        if is_urgent:
            raise StoppedError("at once")

    with Pool(local_executor, 1, check=check) as pool:
        assert pool.result(pool.submit(pow, 2, 3)) == 8
        (worker,) = workers_of_this_process()
        worker.suspend()
        wait_until(lambda: worker.status() == psutil.STATUS_STOPPED)
        is_urgent.append("the second Ctrl-C")
    worker.wait(timeout=20)


def die(chunk):
    os._exit(7)


def test_who_does_not_wait_for_suspects_stops_and_no_stock_has_failed():
    is_urgent = []

    def make(workers):
        is_urgent.extend(["the second pool, of suspects"] if workers == 1 else [])
        return local_executor(workers)

    def check():
        if is_urgent:
            raise StoppedError("at once")

    one = stock()
    rows = PanelArrays(
        (one.ticker,), np.array([0, len(one.y)]), one.dates, one.label_ends, one.X, one.y
    )
    chunks = iter([Chunk(rows, (None,))])
    with Pool(make, 2, check=check) as pool:
        outcomes = run_all(chunks, die, pool, MemoryWatch(None), lambda: False)
        with pytest.raises(StoppedError):
            list(outcomes)


class WithoutScheduler(ThreadPoolExecutor):
    """As Dask's own executor once its scheduler has gone."""

    def shutdown(self, wait=True, *, cancel_futures=False):
        super().shutdown(wait, cancel_futures=cancel_futures)
        raise ConnectionError("the client is closed")


def test_why_a_pool_ends_is_told_whatever_its_executor_says_of_it():
    with pytest.raises(WorkersError, match="went away"), Pool(WithoutScheduler, 1):
        raise WorkersError("the scheduler went away")
