"""Ctrl-C, once or twice, at any time; workers that stop; a fork server that is killed."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from bmastore import PassOptions, TrainConfig
from bmastore.datasets import planted_panel
from tests.helpers import HORIZON, TARGET, make_prices, statuses, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals as Linux has them")


class Running:
    """A command in a terminal of its own, as far as signals go; what it says is kept."""

    def __init__(self, *args):
        self.child = subprocess.Popen(
            [sys.executable, "-m", "bmastore", *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.communicate()

    def ctrl_c(self):
        """A terminal sends it to the whole group."""
        os.killpg(self.child.pid, signal.SIGINT)

    def end(self, seconds=60):
        """Exit code and what was said."""
        said, _ = self.child.communicate(timeout=seconds)
        return self.child.returncode, said

    def ctrl_c_until_it_ends(self):
        """As a user does it: two that come while one call of a library runs count as one."""
        for _ in range(5):
            self.ctrl_c()
            try:
                return self.end(seconds=10)
            except subprocess.TimeoutExpired:
                continue
        raise AssertionError("it does not end")

    def workers(self):
        """Processes below the fork server."""
        children = psutil.Process(self.child.pid).children(recursive=True)
        return [one for one in children if one.ppid() != self.child.pid]

    def below(self):
        return psutil.Process(self.child.pid).children(recursive=True)


@pytest.fixture
def many(store):
    store.ingest(planted_panel(n_stocks=40, n_days=420), target=TARGET, horizon=HORIZON)
    return store


def train(store, *args):
    return Running("train", "--preset", "high", "--batch-size", 1, "--store", store.path, *args)


@pytest.mark.parametrize("children", [1, 2, 4])
def test_ctrl_c_at_the_beginning_of_a_pass_shows_no_child(many, children):
    with train(many) as running:
        wait_until(lambda: len(running.below()) >= children)
        running.ctrl_c()
        code, said = running.end()
    assert code == 130
    assert "Traceback" not in said
    assert "run the same command again" in said


def test_a_pass_over_all_that_is_stopped_does_not_promise_to_go_on(many):
    with train(many, "--all") as running:
        wait_until(lambda: statuses_of(many).count("trained") > 0)
        running.ctrl_c()
        code, said = running.end()
    assert code == 130
    assert "what was trained is kept, and the same command begins with all again" in said
    assert "to go on" not in said


def test_ctrl_c_in_a_backtest_shows_no_child(many):
    with Running("backtest", "--preset", "high", "--cutoffs", 2, "--store", many.path) as running:
        wait_until(running.workers)
        running.ctrl_c()
        code, said = running.end()
    assert code == 130
    assert "Traceback" not in said


def test_two_ctrl_c_end_a_pass_even_where_a_worker_is_stopped(many):
    with train(many) as running:
        wait_until(lambda: statuses_of(many).count("trained") > 0)
        workers = running.workers()
        for worker in workers:
            worker.suspend()
        running.ctrl_c()
        running.child.send_signal(signal.SIGCONT)
        wait_until(lambda: all(one.status() == psutil.STATUS_STOPPED for one in workers))
        code, said = running.ctrl_c_until_it_ends()
    assert code == 130
    # Not "stopped at once" where what was in work had just come, and is kept.
    assert "run the same command again" in said
    assert "Traceback" not in said
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []
    assert many.status().last_run["status"] == "interrupted"
    kept = statuses_of(many).count("trained")
    assert 0 < kept < 40
    assert many.train(TrainConfig(preset="high")).trained == 40 - kept


def statuses_of(store):
    return list(statuses(store).values())


def test_ctrl_c_in_an_ingest_stores_nothing_and_the_next_one_all(tmp_path, store):
    csv = tmp_path / "prices.csv"
    make_prices(n_stocks=60, n_days=600).to_csv(csv, index=False)
    with Running("ingest", csv, "--store", store.path) as running:
        wait_until(lambda: store.path.exists() or list(tmp_path.glob(".bma*")))
        running.ctrl_c()
        code, said = running.end()
    assert code == 130
    assert "Traceback" not in said
    assert store.ingest(csv).rows_new == 36_000


def test_a_fork_server_that_is_killed_costs_no_stock(many):
    killed = []

    def kill_it(progress):
        if not killed:
            (server,) = (
                one
                for one in psutil.Process().children()
                if "forkserver" in " ".join(one.cmdline())
            )
            killed.append(server.pid)
            server.kill()

    options = PassOptions(batch_size=1)
    run = many.train(TrainConfig(preset="fast"), options, on_progress=kill_it)
    assert killed
    assert (run.trained, run.failed) == (40, 0)
