"""Threads of one process meet in a store as processes do."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bmastore import PassOptions, TrainConfig
from bmastore.errors import StoreLockedError
from tests.helpers import FAST, HORIZON, TARGET


class Pass:
    """A pass in another thread, held where it is until it is let go."""

    def __init__(self, store):
        self.began, self.may_go = threading.Event(), threading.Event()
        self.pool = ThreadPoolExecutor(1)
        options = PassOptions(batch_size=1)
        self.done = self.pool.submit(
            store.train, TrainConfig(preset="fast"), options, on_progress=self.hold
        )

    def hold(self, progress):
        self.began.set()
        self.may_go.wait(60)

    def __enter__(self):
        assert self.began.wait(60)
        return self

    def __exit__(self, *error):
        self.may_go.set()
        self.pool.shutdown()


def test_a_second_pass_in_another_thread_is_refused(trained):
    with Pass(trained) as running, pytest.raises(StoreLockedError, match="another thread"):
        trained.train(FAST)
    assert running.done.result().trained == 6
    twice = trained.sql("select 1 from ledger group by ticker, config_hash having count(*) > 1")
    assert twice.empty


def test_while_a_pass_runs_another_thread_reads_the_published_results(trained):
    with Pass(trained):
        assert trained.status().tickers == 6
        assert len(trained.sql("from v_weights")) > 0
        assert "DEMO01" in trained.explain("DEMO01").facts.rows[0]
        with pytest.raises(StoreLockedError):
            trained.predict()


def test_while_another_thread_reads_a_pass_waits_for_its_short_looks(trained, panel):
    stop = threading.Event()

    def read():
        n = 0
        while not stop.is_set():
            n += len(trained.sql("select count(*) from v_status"))
        return n

    with ThreadPoolExecutor(1) as pool:
        reads = pool.submit(read)
        trained.ingest(panel.tail(3).assign(carry=0.5), target=TARGET, horizon=HORIZON)
        assert trained.train(FAST).trained == 1
        stop.set()
        assert reads.result() > 0
