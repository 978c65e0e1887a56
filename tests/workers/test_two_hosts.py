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


def trained(store):
    """Stocks that are trained by what is published so far."""
    with suppress(KeyError):
        return list(statuses(store).values()).count("trained")
    return 0
