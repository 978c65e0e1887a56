"""Two hosts, as network namespaces with a cable between them: one may be cut off."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from bmastore import Store
from bmastore.datasets import HORIZON, TARGET, planted_panel
from tests.helpers import statuses, wait_until

pytest.importorskip("distributed", reason="needs the cluster extra")

HERE, THERE = "10.213.77.1", "10.213.77.2"
# On another cable, to which nothing is passed on.
BESIDE, OUTSIDE = "10.213.78.1", "10.213.78.2"
SCHEDULER = f"tcp://{HERE}:8786"
STOCKS = 120


def ip(*args, check=True):
    return subprocess.run(["ip", *args], check=check, capture_output=True, text=True)


@pytest.fixture
def hosts():
    """Names of two network namespaces that reach each other."""
    if not shutil.which("ip") or os.geteuid() != 0:
        pytest.skip("needs ip and the right to make network namespaces")
    one, two = (f"bma{os.getpid()}{side}" for side in "ab")
    if ip("netns", "add", one, check=False).returncode:
        pytest.skip("network namespaces are not allowed here")
    try:
        ip("netns", "add", two)
        ip("link", "add", "cable", "netns", one, "type", "veth", "peer", "cable", "netns", two)
        for host, address in ((one, HERE), (two, THERE)):
            ip("-n", host, "address", "add", f"{address}/24", "dev", "cable")
            ip("-n", host, "link", "set", "cable", "up")
            ip("-n", host, "link", "set", "lo", "up")
        yield one, two
    finally:
        for host in (one, two):
            ip("netns", "delete", host, check=False)


@pytest.fixture
def outside(hosts):
    """Name of a third one, which reaches the first of two hosts, and not the second."""
    one, three = hosts[0], f"bma{os.getpid()}c"
    ip("netns", "add", three)
    try:
        ip("link", "add", "beside", "netns", one, "type", "veth", "peer", "cable", "netns", three)
        for host, name, address in ((one, "beside", BESIDE), (three, "cable", OUTSIDE)):
            ip("-n", host, "address", "add", f"{address}/24", "dev", name)
            ip("-n", host, "link", "set", name, "up")
        ip("-n", three, "link", "set", "lo", "up")
        ip("-n", three, "route", "add", "default", "via", BESIDE)
        yield three
    finally:
        ip("netns", "delete", three, check=False)


def start(stack, host, *command):
    """A process on a host, which ends with the test."""
    running = subprocess.Popen(
        ["ip", "netns", "exec", host, *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def end():
        running.kill()
        running.wait()

    stack.callback(end)
    return running


def dask(stack, host, role, *args, before=()):
    module = f"distributed.cli.dask_{role}"
    return start(stack, host, *before, sys.executable, "-m", module, "--no-dashboard", *args)


def with_a_disk_of_its_own_at(folder):
    """What has a host see nothing of a folder that others share; `ip netns exec` lets it."""
    return ("sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', folder)


def test_all_stocks_are_trained_when_one_of_two_hosts_is_cut_off(hosts, tmp_path):
    one, two = hosts
    (tmp_path / "store").mkdir()
    store = Store(tmp_path / "store" / "bma.duckdb")
    store.ingest(planted_panel(n_stocks=STOCKS, n_days=400), target=TARGET, horizon=HORIZON)
    with ExitStack() as stack:
        dask(stack, one, "scheduler", "--host", HERE, "--port", "8786")
        # One worker puts ensembles into the store's folder, the other has to send them.
        apart = with_a_disk_of_its_own_at(store.path.parent)
        for host, address, before in ((one, HERE, ()), (two, THERE, apart)):
            options = ("--host", address, "--nthreads", "1", "--local-directory", tmp_path)
            dask(stack, host, "worker", SCHEDULER, *options, before=before)
        command = Path(sys.executable).with_name("bmastore")
        settings = ("--cluster", SCHEDULER, "--batch-size", "8", "--store", store.path)
        training = start(stack, one, command, "train", *settings)
        wait_until(lambda: trained(store) > 0, seconds=120)
        assert trained(store) < STOCKS
        ip("-n", two, "link", "set", "cable", "down")
        # Until the lost host is noticed, and its stocks have been trained by the other.
        training.wait(timeout=240)
    assert training.returncode == 0
    assert set(statuses(store).values()) == {"trained"}
    assert len(statuses(store)) == STOCKS
    assert store.sql("select count(*) as n from v_entries")["n"][0] == STOCKS
    assert store.verify().findings == ()


def test_workers_that_only_the_scheduler_reaches_train_all_stocks(hosts, outside, tmp_path):
    one, two = hosts
    (tmp_path / "store").mkdir()
    store = Store(tmp_path / "store" / "bma.duckdb")
    store.ingest(planted_panel(n_stocks=12, n_days=320), target=TARGET, horizon=HORIZON)
    here = Store(tmp_path / "here.duckdb")
    here.ingest(planted_panel(n_stocks=12, n_days=320), target=TARGET, horizon=HORIZON)
    here.train()
    with ExitStack() as stack:
        dask(stack, one, "scheduler", "--host", HERE, "--port", "8786")
        apart = with_a_disk_of_its_own_at(store.path.parent)
        options = ("--host", THERE, "--nthreads", "1", "--local-directory", tmp_path)
        dask(stack, two, "worker", SCHEDULER, *options, before=apart)
        command = Path(sys.executable).with_name("bmastore")
        wait_until(lambda: is_open(outside), seconds=60)
        training = start(
            stack, outside, command, "train", "--cluster", SCHEDULER, "--store", store.path
        )
        training.wait(timeout=240)
    assert training.returncode == 0
    assert set(statuses(store).values()) == {"trained"}
    forecasts = "select ticker, date, mean, sd from v_newest_forecasts order by all"
    assert store.sql(forecasts).equals(here.sql(forecasts))
    assert store.verify().findings == ()


def is_open(host):
    """Whether the scheduler answers a host."""
    look = f"import socket; socket.create_connection(('{HERE}', 8786), 1)"
    return ip("netns", "exec", host, sys.executable, "-c", look, check=False).returncode == 0


def trained(store):
    """Stocks that are trained by what is published so far."""
    with suppress(KeyError):
        return list(statuses(store).values()).count("trained")
    return 0
