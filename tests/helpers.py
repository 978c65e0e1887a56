"""What tests have in common: made-up stocks, the command line as users run it, looks at a store."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pandas as pd

from bmastore import TrainConfig
from bmastore.arrays import StockArrays
from bmastore.datasets import HORIZON, TARGET
from bmastore.workers.local import local_executor

__all__ = ["HORIZON", "TARGET"]

# Real prices do not come with the project.
REAL_DATA = os.environ.get("BMASTORE_REAL_DATA")
FAST = TrainConfig(preset="ultrafast")
# Members that one stock can have alone.
MEMBERS = ("rf", "xgb", "lgbm", "zero", "mean")
TRAIN = TrainConfig(preset="fast", members=MEMBERS)
CONFIG = TRAIN.resolve("y", HORIZON, ("f0", "f1", "f2", "f3"))


class TamperedExecutor(Executor):
    """A pool whose workers run ``tamper(how, job, *args)`` in place of ``job(*args)``."""

    def __init__(self, workers, tamper, how):
        self.pool, self.tamper, self.how = local_executor(workers), tamper, how

    def submit(self, job, *args):
        return self.pool.submit(self.tamper, self.how, job, *args)

    def shutdown(self, wait=True):
        self.pool.shutdown(wait)


def stock(signal=0.0, n=420, seed=0, ticker="A", missing=0.0):
    """A stock whose first feature explains a share ``signal``² of the target."""
    random = np.random.default_rng(seed)
    dates = np.busday_offset("2022-01-03", np.arange(n + HORIZON)).astype("datetime64[D]")
    X = random.standard_normal((n, 4)).astype(np.float32)
    y = 0.03 * (signal * X[:, 0] + np.sqrt(1 - signal**2) * random.standard_normal(n))
    X[random.random(X.shape) < missing] = np.nan
    label_ends = dates[HORIZON:].copy()
    y[-HORIZON:], label_ends[-HORIZON:] = np.nan, np.datetime64("NaT")
    return StockArrays(ticker, dates[:n], label_ends, X, y)


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


def in_background(*args):
    """The installed command, begun and not waited for."""
    return subprocess.Popen(
        [sys.executable, "-m", "bmastore", *map(str, args)],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # Whatever runs the tests may ignore SIGINT, and a child would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_until(condition, seconds=180):
    """Look every now and then whether something has come about; fail if it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def files_below(folder: Path):
    """Content of every file below a folder, by path."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def assert_as_stored(forecasts, stored):
    """Forecasts are those of the ledger, to the digits that it keeps: of the sd five, and two more
    of the mean.
    """
    least = stored["sd"].min()
    pd.testing.assert_frame_equal(forecasts, stored, check_dtype=False, rtol=0, atol=1e-4 * least)
    assert (forecasts["mean"] - stored["mean"]).abs().max() < 1e-6 * least


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
