"""What the presets cost and what they are worth, measured on a store's own stocks."""

import multiprocessing
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from bmastore.config import PRESETS, TrainConfig
from bmastore.errors import StoreError
from bmastore.panel.series import choose_target, read_series
from bmastore.plan import PassOptions
from bmastore.storage.session import open_reader
from bmastore.store import Store
from bmastore.table import Table

# Trading days after the cutoff that are forecast and not seen.
_UNSEEN_DAYS = 60
_UNIVERSE = 3800


@dataclass(frozen=True)
class _Cost:
    """Core-seconds a stock, and those of what all stocks share."""

    preset: str
    core_seconds: float
    shared_seconds: float
    workers: int
    peak_rss_mb: float
    mse_vs_zero: float

    @property
    def wall_s(self) -> float:
        """Seconds a stock in a universe of 3,800 on all workers."""
        return (self.core_seconds + self.shared_seconds / _UNIVERSE) / self.workers


def bench_presets(path: Path, n_stocks: int, target: str | None = None) -> Table:
    """Train some stocks by each preset as of an earlier date and forecast what came after.

    Works on a copy; the store is only read.

    Parameters
    ----------
    n_stocks:
        How many stocks, spread evenly over those with the longest histories.

    Returns
    -------
    A row a preset: core-seconds a stock, and from them wall seconds a stock and minutes for 3,800
    stocks on this machine, with what these share; peak memory of all processes in MB, squared
    error relative to always forecasting zero and to the preset ``high``.

    Raises
    ------
    StoreError
        If the store has too little history.
    """
    with open_reader(path, needs_panel=True) as reader:
        name, _ = choose_target(reader.duck, target)
        dates = reader.duck.execute(
            "select distinct date from targets where target = $1 order by date", [name]
        ).fetchall()
        series = [one for one in read_series(reader.duck, name) if one.n_rows]
    if len(dates) <= 2 * _UNSEEN_DAYS:
        raise StoreError(f"{path} has {len(dates)} labelled days: too few to keep some unseen")
    cutoff = dates[-_UNSEEN_DAYS][0]
    longest = sorted(one.n_rows for one in series)[len(series) // 2]
    long = [one.ticker for one in series if one.n_rows >= longest]
    tickers = tuple(long[:: max(1, len(long) // n_stocks)][:n_stocks])
    costs = []
    for preset in PRESETS:
        # A process of its own, or the peak memory of one would be that of those before it.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
            costs.append(alone.submit(_measure, path, preset, name, tickers, cutoff).result())
    high = costs[-1].mse_vs_zero
    rows = [
        (
            cost.preset,
            cost.core_seconds,
            cost.wall_s,
            cost.wall_s * _UNIVERSE / 60,
            cost.peak_rss_mb,
            cost.mse_vs_zero,
            cost.mse_vs_zero / high,
        )
        for cost in costs
    ]
    columns = (
        "preset",
        "core_seconds_per_stock",
        "wall_seconds_per_stock",
        f"minutes_for_{_UNIVERSE}",
        "peak_rss_mb",
        "mse_vs_zero",
        "mse_vs_high",
    )
    return Table(columns, ("VARCHAR", *["DOUBLE"] * 6), rows)


def _measure(path: Path, preset: str, target: str, tickers: tuple[str, ...], cutoff: date) -> _Cost:
    """Train by one preset as of the cutoff, on a copy of the store, and score what came after."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(shutil.copy(path, Path(folder) / "bma.duckdb"))
        run = store.train(
            TrainConfig(preset=preset, target=target),
            PassOptions(tickers=tickers, as_of=cutoff, force=True),
        )
        shared = store.sql(
            "select coalesce(max(fit_s), 0.0) as fit_s from v_universe where run_id = $run",
            {"run": run.run_id},
        )["fit_s"]
        truth = store.sql(
            "select ticker, date, value from targets where target = $target", {"target": target}
        )
        forecasts = store.predict(since=cutoff + timedelta(days=1), target=target).frame
    unseen = forecasts.merge(truth, on=["ticker", "date"])
    unseen = unseen[unseen["ticker"].isin(tickers)]
    errors = np.square(unseen["mean"] - unseen["value"]).mean()
    return _Cost(
        preset,
        (run.fit_cpu_s - float(shared[0])) / len(tickers),
        float(shared[0]),
        run.workers,
        run.peak_rss_mb,
        float(errors / np.square(unseen["value"]).mean()),
    )
