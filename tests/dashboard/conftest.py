"""A store with passes, outcomes and a backtest, and the dashboard that shows it."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from bmastore import Store
from bmastore.datasets import known_on, planted_panel
from tests.helpers import FAST, HORIZON, TARGET

N_STOCKS = 60


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
