"""What the presets cost and what they are worth, measured on a store's own stocks."""

import multiprocessing
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from bmastore.arrays import evenly_spread
from bmastore.errors import StoreError
from bmastore.models.config import TrainConfig
from bmastore.models.presets import PRESETS
from bmastore.panel.series import choose_target, read_series
from bmastore.reports.predict import predict
from bmastore.storage.publish import publish
from bmastore.storage.session import open_reader, open_writer
from bmastore.storage.statements import ask
from bmastore.storage.statements import run as run_script
from bmastore.table import Table
from bmastore.training.options import PassOptions
from bmastore.training.run import run_pass

# Trading days after the cutoff that are forecast and not seen.
_UNSEEN_DAYS = 60
_UNIVERSE = 3800


@dataclass(frozen=True)
class _Cost:
    """Core-seconds per stock, and those of what all stocks share."""

    preset: str
    core_seconds: float
    shared_seconds: float
    workers: int
    peak_rss_mb: float
    mse_vs_zero: float

    @property
    def wall_s(self) -> float:
        """Seconds per stock in a universe of 3,800 on all workers."""
        return (self.core_seconds + self.shared_seconds / _UNIVERSE) / self.workers


def measure_presets(path: Path, n_stocks: int, target: str | None = None) -> Table:
    """Train some stocks by each preset as of an earlier date and forecast what came after.

    Works on a copy; the store is only read.

    Parameters
    ----------
    n_stocks:
        How many stocks, spread evenly over those with the longest histories.

    Returns
    -------
    A row per preset: core-seconds per stock, and from them wall seconds per stock and minutes for
    3,800 stocks on this machine, with what these share; peak memory of all processes in MB, squared
    error relative to always forecasting zero and to the preset ``high``.

    Raises
    ------
    StoreError
        If the store has too little history.
    """
    with open_reader(path, needs_panel=True) as reader:
        name, _ = choose_target(reader.duck, target)
        dates = [
            day
            for (day,) in run_script(
                reader.duck, "backtest/labelled_days", target=name, as_of=None
            ).fetchall()
        ]
        series = [one for one in read_series(reader.duck, name) if one.n_rows]
    if len(dates) <= 2 * _UNSEEN_DAYS:
        raise StoreError(f"{path} has {len(dates)} labelled days: too few to keep some unseen")
    cutoff = dates[-_UNSEEN_DAYS]
    longest = sorted(one.n_rows for one in series)[len(series) // 2]
    long = [one.ticker for one in series if one.n_rows >= longest]
    tickers = tuple(evenly_spread(long, n_stocks))
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
    config = TrainConfig(preset=preset, target=target)
    options = PassOptions(tickers=tickers, as_of=cutoff, force=True)
    after = cutoff + timedelta(days=1)
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(shutil.copy(path, Path(folder) / "bma.duckdb"))
        with open_writer(copied) as writer:
            # Beside newer entries this would be a look back, whose ensembles nothing uses.
            for table in ("ledger", "standings", "predictions"):
                writer.duck.execute(f"delete from {table}")  # noqa: S608
            run = run_pass(writer, config, options)
            publish(writer)
        with open_reader(copied, needs_panel=True) as reader:
            shared = ask(
                reader.duck,
                "select coalesce(max(fit_s), 0.0) from v_universe where run_id = $run",
                run=run.run_id,
            ).fetchall()[0][0]
            truth = ask(
                reader.duck,
                "select ticker, date, value from targets where target = $target",
                target=target,
            ).df()
            forecasts = predict(reader, target=target, tickers=tickers, since=after).frame
    unseen = forecasts.merge(truth, on=["ticker", "date"])
    errors = np.square(unseen["mean"] - unseen["value"]).mean()
    return _Cost(
        preset,
        (run.fit_cpu_s - float(shared)) / len(tickers),
        float(shared),
        run.workers,
        run.peak_rss_mb,
        float(errors / np.square(unseen["value"]).mean()),
    )
