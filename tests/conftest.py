"""Shared fixtures: made-up panels and prices, real prices where they are at hand."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bmastore.demo import HORIZON, TARGET, universe
from bmastore.executors import local_executor

from bmastore import PassOptions, Store, TrainConfig

REAL_DATA = Path(
    os.environ.get("BMASTORE_REAL_DATA", Path(__file__).parents[2] / "shared" / "data")
)
FAST = TrainConfig(preset="ultrafast")


class TamperedExecutor(Executor):
    """A pool whose workers run ``tamper(job, how, *args)`` in place of ``job(*args)``."""

    def __init__(self, workers, tamper, how):
        self.pool, self.tamper, self.how = local_executor(workers), tamper, how

    def submit(self, job, *args):
        return self.pool.submit(self.tamper, job, self.how, *args)

    def shutdown(self, wait=True):
        self.pool.shutdown(wait)


@pytest.fixture
def store(tmp_path):
    """A store that does not exist yet."""
    return Store(tmp_path / "bma.duckdb")


@pytest.fixture(scope="session")
def panel():
    """Six made-up stocks, 260 days, with a planted signal."""
    return universe(n_stocks=6, n_days=320)


@pytest.fixture
def filled(store, panel):
    """A store with the made-up panel, not trained."""
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    return store


@pytest.fixture(scope="session")
def _trained_once(tmp_path_factory, panel):
    store = Store(tmp_path_factory.mktemp("trained") / "bma.duckdb")
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    store.train(FAST)
    return store


@pytest.fixture
def trained(tmp_path, _trained_once):
    """A store of its own with the made-up panel, trained with ``FAST``."""
    shutil.copytree(_trained_once.path.parent, tmp_path / "t")
    return Store(tmp_path / "t" / "bma.duckdb")


@pytest.fixture(scope="session")
def real60():
    """Path of the prices of 60 real tickers."""
    path = REAL_DATA / "us_ohlcv_60.parquet"
    if not path.exists():
        pytest.skip(f"needs real prices, and there is no {path} (see BMASTORE_REAL_DATA)")
    return path


@pytest.fixture(scope="session")
def real3800():
    """Path of the prices of 3,800 real tickers."""
    path = REAL_DATA / "us_ohlcv_3800.parquet"
    if not path.exists():
        pytest.skip(f"needs real prices, and there is no {path} (see BMASTORE_REAL_DATA)")
    return path


def make_prices(n_stocks=3, n_days=120, seed=1):
    """Random-walk prices as a frame with Yahoo's columns."""
    random = np.random.default_rng(seed)
    days = pd.bdate_range("2023-01-02", periods=n_days)
    frames = []
    for i in range(n_stocks):
        close = 50 * np.exp(np.cumsum(0.02 * random.standard_normal(n_days)))
        frames.append(
            pd.DataFrame(
                {
                    "Ticker": f"T{i}",
                    "Date": days,
                    "Open": close * np.exp(0.005 * random.standard_normal(n_days)),
                    "High": close * 1.01,
                    "Low": close * 0.99,
                    "Close": close,
                    "Adj Close": close,
                    "Volume": random.integers(1_000, 100_000, n_days),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def cli(*args, check=0, **kwargs):
    """Run the installed command as a user would; assert its exit code unless it is None."""
    done = subprocess.run(
        [sys.executable, "-m", "bmastore", *map(str, args)],
        capture_output=True,
        text=True,
        timeout=300,
        **kwargs,
    )
    if check is not None:
        assert done.returncode == check, done.stderr
    assert "Traceback" not in done.stderr
    return done


def cli_json(*args, **kwargs):
    """The JSON that a command prints."""
    return json.loads(cli(*args, **kwargs).stdout)


def digests(store):
    """Digest of each stock."""
    return dict(store.sql("select ticker, digest from series").itertuples(index=False))


def statuses(store):
    """Status of each stock now."""
    return dict(store.sql("select ticker, status from v_status").itertuples(index=False))


def causes(store):
    """Cause of each stock that waits to be trained."""
    rows = store.sql("select ticker, cause from v_status where cause is not null")
    return dict(rows.itertuples(index=False))


__all__ = ["FAST", "HORIZON", "TARGET", "PassOptions"]
