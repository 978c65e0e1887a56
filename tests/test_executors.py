"""A pool of workers is whole, or it says that it is broken: it never waits forever."""

import os
import signal
import struct
from concurrent.futures import BrokenExecutor
from multiprocessing.connection import Connection

import pytest
from bmastore.executors import Pool, local_executor


def die_half_way(size):
    """Runs in a worker: it is killed when it has written half of its result."""

    def write_half(self, message):
        self._send(struct.pack("!i", len(message)) + bytes(message[: len(message) // 2]))
        os.kill(os.getpid(), signal.SIGKILL)

    Connection._send_bytes = write_half
    return bytes(size)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_killed_while_it_hands_over_a_result_breaks_its_pool(workers):
    executor = local_executor(workers)
    waiting = [executor.submit(pow, 2, 3) for _ in range(3)]
    assert [one.result(timeout=60) for one in waiting] == [8, 8, 8]
    dying = executor.submit(die_half_way, 1000)
    with pytest.raises(BrokenExecutor):
        dying.result(timeout=60)
    with pytest.raises(BrokenExecutor):
        executor.submit(pow, 2, 3)
    executor.shutdown(wait=True)


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
