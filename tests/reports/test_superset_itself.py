"""Superset itself imports the bundle twice, and draws every chart while a pass runs."""

import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from bmastore import PassOptions, Store
from tests.helpers import FAST, HORIZON, TARGET, wait_until

pytestmark = pytest.mark.slow

# What works together: duckdb-sqlalchemy would bring an SQLAlchemy that Superset cannot use.
PINNED = (
    "apache-superset==6.1.0", "rich", "cachetools", "flask-caching<2.4", "duckdb-engine",
    "duckdb>=1.5.5,<2", "psycopg2-binary",
)  # fmt: skip
SETTINGS = """
SECRET_KEY = "{folder}"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
"""
ADMIN = {"username": "admin", "password": "admin", "provider": "db"}
WHO = (
    "--username", "admin", "--password", "admin", "--firstname", "a", "--lastname", "b",
    "--email", "a@b.c",
)  # fmt: skip
KINDS = ("database", "dataset", "chart", "dashboard")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment with Superset: that of BMASTORE_SUPERSET, or a new one."""
    if named := os.environ.get("BMASTORE_SUPERSET"):
        return Path(named) / "bin"
    folder = tmp_path_factory.mktemp("superset_env")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin/pip", "install", "-q", *PINNED], check=True)
    return folder / "bin"


@pytest.fixture(scope="module")
def superset(installed, tmp_path_factory):
    """A client of a Superset that runs, with an administrator's rights."""
    folder = tmp_path_factory.mktemp("superset")
    settings = folder / "superset_config.py"
    settings.write_text(SETTINGS.format(folder=folder))
    environment = {**os.environ, "SUPERSET_CONFIG_PATH": str(settings), "FLASK_APP": "superset"}
    command = str(installed / "superset")
    for arguments in (["db", "upgrade"], ["fab", "create-admin", *WHO], ["init"]):
        subprocess.run([command, *arguments], env=environment, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / "log").open("w") as log:
        run = [command, "run", "-p", str(port), "--with-threads"]
        running = subprocess.Popen(run, env=environment, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/", timeout=300) as client:
            wait_until(lambda: answers(client), seconds=180)
            token = client.post("api/v1/security/login", json=ADMIN).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            yield client
    finally:
        running.kill()
        running.wait()


def answers(client):
    try:
        return client.get("health").status_code == 200
    except httpx.HTTPError:
        return False


def take(client, bundle, **form):
    """Import a bundle, and say how much of each kind there is then."""
    with bundle.open("rb") as file:
        done = client.post("api/v1/assets/import/", files={"bundle": file}, data=form)
    assert done.status_code == 200, done.text
    return {kind: client.get(f"api/v1/{kind}/").json()["count"] for kind in KINDS}


def charts_of(client, store_name):
    found = client.get("api/v1/chart/", params={"q": "(page_size:100)"}).json()["result"]
    return {
        one["id"]: one["slice_name"]
        for one in found
        if one["slice_name"].endswith(f"({store_name})")
    }


def draw(client, chart):
    """What is wrong with a chart; ``None`` if nothing is."""
    done = client.get(f"api/v1/chart/{chart}/data/", params={"force": "true"})
    if done.status_code != 200:
        return done.text
    return next((one["error"] for one in done.json()["result"] if one.get("error")), None)


@pytest.fixture
def bundle(trained, tmp_path):
    """A bundle of a trained store with a backtest."""
    trained.backtest(FAST, cutoffs=1, every=30)
    trained.superset(tmp_path / "assets.zip")
    return tmp_path / "assets.zip"


def test_a_second_import_updates_and_no_chart_fails_while_passes_run(superset, trained, bundle):
    first = take(superset, bundle)
    assert take(superset, bundle) == first
    charts = charts_of(superset, "bma")
    assert first["chart"] == len(charts) > 20
    is_over, drawn = threading.Event(), []

    def train():
        try:
            for _ in range(3):
                trained.train(FAST, PassOptions(force=True, batch_size=1))
        finally:
            is_over.set()

    training = threading.Thread(target=train)
    training.start()
    with ThreadPoolExecutor(4) as pool:
        while not (is_over.is_set() and drawn):
            wrong = list(pool.map(lambda chart: draw(superset, chart), charts))
            drawn += [(charts[c], w) for c, w in zip(charts, wrong, strict=True)]
    training.join()
    print(f"{len(drawn)} charts drawn while passes ran, {sum(w is not None for _, w in drawn)} bad")
    assert [one for one in drawn if one[1] is not None] == []
    assert trained.query("select count(*) from v_runs where status = 'finished'").rows == [(4,)]


def test_a_mirror_is_drawn_with_a_password_that_the_bundle_does_not_have(
    superset, server, url, tmp_path, panel
):
    store = Store(tmp_path / "served.duckdb")
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    store.train(FAST)
    store.publish(url)
    server.psql("drop role if exists shown; create role shown login password 'hunter2';")
    Store(store.path, ledger=url).grant("shown")
    with_password = url.replace("postgres:@", "shown:hunter2@")
    store.superset(tmp_path / "assets.zip", with_password)
    take(superset, tmp_path / "assets.zip", passwords='{"databases/served.yaml": "hunter2"}')
    again = take(superset, tmp_path / "assets.zip")
    charts = charts_of(superset, "served")
    assert again["chart"] >= len(charts) > 20
    assert {name: draw(superset, chart) for chart, name in charts.items()} == dict.fromkeys(
        charts.values()
    )
