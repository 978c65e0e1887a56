"""A store with passes, outcomes and a backtest, the dashboard that shows it, and a browser."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from bmastore import Store
from bmastore.datasets import known_on, planted_panel
from tests.helpers import FAST, HORIZON, TARGET

N_STOCKS = 60
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# Chromium's own calls home.
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="package")
def shown_store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shown")
    store = Store(folder / "bma.duckdb")
    panel = planted_panel(n_stocks=N_STOCKS, n_days=420)
    short = (panel["ticker"] == "DEMO07") & (panel["date"] > panel["date"].min())
    panel = panel[~short]
    days = np.unique(panel["date"].to_numpy())
    for day in (days[-12], days[-6], days[-1]):
        store.ingest(known_on(panel, day), target=TARGET, horizon=HORIZON)
        store.train(FAST)
    sectors = folder / "sectors.csv"
    names = sorted(panel["ticker"].unique())
    pd.DataFrame(
        {"ticker": names, "sector": [("Tech", "Health")[i % 2] for i in range(len(names))]}
    ).to_csv(sectors, index=False)
    command = [sys.executable, "-m", "bmastore", "ingest", sectors, "--stocks", "--store"]
    subprocess.run([*command, store.path], check=True, capture_output=True)
    for every in (20, 25):
        store.backtest(FAST, cutoffs=1, every=every)
    return store


@pytest.fixture(scope="package")
def address(shown_store):
    """Address of `bmastore dashboard --sql`, run as a user runs it."""
    command = [sys.executable, "-m", "bmastore", "dashboard", "--port", "0", "--sql", "--store"]
    with subprocess.Popen(
        [*command, shown_store.path], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            said = process.stderr.readline()
            yield re.search(r"http://\S+", said)[0]
        finally:
            process.terminate()


@pytest.fixture(scope="package")
def browser():
    """A real Chromium."""
    playwright_sync = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if CHROMIUM is None or sys.platform != "linux":
        pytest.skip("needs Debian's chromium")
    with playwright_sync.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
