"""What presets and members cost and what they are worth, measured on a store's own stocks."""

import multiprocessing
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bmastore.arrays import evenly_spread
from bmastore.errors import ConfigError, StoreError
from bmastore.evaluation.alarms import loss_ratio
from bmastore.evaluation.backtest import plan_backtest, run_backtest
from bmastore.evaluation.hindcast import ENSEMBLE
from bmastore.evaluation.scores import ALWAYS_ZERO
from bmastore.models.config import TrainConfig
from bmastore.models.presets import PRESETS
from bmastore.panel.series import choose_target, read_series
from bmastore.storage.session import Writer, open_reader, open_writer
from bmastore.storage.statements import ask
from bmastore.storage.statements import run as run_script
from bmastore.table import Table
from bmastore.training.options import PassOptions
from bmastore.training.run import run_pass

# Trading days after the cutoff that are forecast and not seen.
_UNSEEN_DAYS = 60
_UNIVERSE = 3800


@dataclass(frozen=True)
class _Sample:
    """Stocks of a store on which configs are tried, as of the cutoff."""

    path: Path
    target: str
    horizon: int
    tickers: tuple[str, ...]
    cutoff: date


@dataclass(frozen=True)
class _Trial:
    """What a config costs and how it forecast: core-seconds per stock, and of what all share.

    A stock's are the median over stocks.

    ``losses`` and ``zero_losses`` have shape (t,): squared errors of the ensemble and of always
    forecasting zero, by day, in units of the stocks' sizes. ``weights`` are mean ones by member.
    """

    own_seconds: float
    shared_seconds: float
    workers: int
    peak_rss_mb: float
    losses: NDArray[np.float64]
    zero_losses: NDArray[np.float64]
    weights: dict[str, float]

    @property
    def core_seconds(self) -> float:
        """Per stock in a universe of 3,800."""
        return self.own_seconds + self.shared_seconds / _UNIVERSE


def measure_presets(path: Path, config: TrainConfig, n_stocks: int) -> Table:
    """Train some stocks by each preset as of an earlier date and forecast what came after.

    Works on copies; the store is only read.

    Parameters
    ----------
    config:
        All but the preset.
    n_stocks:
        How many stocks, spread evenly over those with the longest histories.

    Returns
    -------
    A row per preset: core-seconds per stock, and from them wall seconds per stock and minutes for
    3,800 stocks on this machine, with what these share; peak memory of all processes in MB; squared
    error, judged as a backtest does, relative to always forecasting zero and to the preset
    ``high``, each with its standard error over days.

    Raises
    ------
    StoreError
        If the store has too little history.
    """
    sample = _sample(path, config, n_stocks)
    trials = {preset: _try(sample, replace(config, preset=preset)) for preset in PRESETS}
    high = trials[PRESETS[-1]]
    rows = []
    for preset, trial in trials.items():
        wall_s = trial.core_seconds / trial.workers
        rows.append(
            (
                preset,
                trial.own_seconds,
                wall_s,
                wall_s * _UNIVERSE / 60,
                trial.peak_rss_mb,
                *loss_ratio(trial.losses, trial.zero_losses, sample.horizon),
                *loss_ratio(trial.losses, high.losses, sample.horizon),
            )
        )
    columns = (
        "preset",
        "core_seconds_per_stock",
        "wall_seconds_per_stock",
        f"minutes_for_{_UNIVERSE}",
        "peak_rss_mb",
        "mse_vs_zero",
        "mse_vs_zero_se",
        "mse_vs_high",
        "mse_vs_high_se",
    )
    return Table(columns, ("VARCHAR", *["DOUBLE"] * 8), rows)


def measure_members(path: Path, config: TrainConfig, n_stocks: int) -> Table:
    """Train some stocks without each of the members in turn, and compare with all of them.

    Works as :func:`measure_presets` does.

    Returns
    -------
    A row per member, and a first one of ``all``: core-seconds per stock that it costs, with its
    share of what 3,800 stocks share; its mean weight; squared error of the ensemble without it
    relative to always forecasting zero, and to the ensemble with it, above 1 where the member is
    worth something. Each ratio has its standard error over days.

    Raises
    ------
    ConfigError
        If there are fewer than two members that can do without each other.
    StoreError
        If the store has too little history.
    """
    without = {
        name: less
        for i, name in enumerate(config.names)
        if (less := _without(config, i)) is not None
    }
    if not without:
        raise ConfigError(f"of {', '.join(config.names)} none can be left out; name more members")
    sample = _sample(path, config, n_stocks)
    whole = _try(sample, config)
    of_all = loss_ratio(whole.losses, whole.zero_losses, sample.horizon)
    rows: list[tuple[object, ...]] = [("all", whole.core_seconds, 1.0, *of_all, None, None)]
    for name, less in without.items():
        trial = _try(sample, less)
        rows.append(
            (
                name,
                whole.core_seconds - trial.core_seconds,
                whole.weights[name],
                *loss_ratio(trial.losses, trial.zero_losses, sample.horizon),
                *loss_ratio(trial.losses, whole.losses, sample.horizon),
            )
        )
    columns = (
        "member",
        "core_seconds_per_stock",
        "weight",
        "mse_vs_zero_without",
        "mse_vs_zero_without_se",
        "mse_without_vs_with",
        "mse_without_vs_with_se",
    )
    return Table(columns, ("VARCHAR", *["DOUBLE"] * 6), rows)


def _without(config: TrainConfig, left_out: int) -> TrainConfig | None:
    """The config without one of its members; ``None`` where the others cannot do without it."""
    members = config.members[:left_out] + config.members[left_out + 1 :]
    try:
        return replace(config, members=members)
    except ConfigError:
        return None


def _sample(path: Path, config: TrainConfig, n_stocks: int) -> _Sample:
    target = config.target if isinstance(config.target, str) else None
    with open_reader(path, needs_panel=True) as reader:
        name, horizon = choose_target(reader.duck, target)
        days = run_script(reader.duck, "backtest/labelled_days", target=name, as_of=None).fetchall()
        series = [one for one in read_series(reader.duck, name) if one.n_rows]
    if len(days) <= 2 * _UNSEEN_DAYS:
        raise StoreError(f"{path} has {len(days)} labelled days: too few to keep some unseen")
    longest = sorted(one.n_rows for one in series)[len(series) // 2]
    long = [one.ticker for one in series if one.n_rows >= longest]
    cutoff = days[-1 - _UNSEEN_DAYS][0]
    return _Sample(path, name, horizon, tuple(evenly_spread(long, n_stocks)), cutoff)


def _try(sample: _Sample, config: TrainConfig) -> _Trial:
    """What a config costs and is worth, measured in a process of its own.

    Else the peak memory of one would be that of those before it.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        return alone.submit(_trial, sample, replace(config, target=sample.target)).result()


def _trial(sample: _Sample, config: TrainConfig) -> _Trial:
    """Train by the config as of the cutoff, on a copy of the store, and score what came after."""
    options = PassOptions(tickers=sample.tickers, as_of=sample.cutoff)
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(shutil.copy(sample.path, Path(folder) / "bma.duckdb"))
        with open_writer(copied) as writer:
            _forget_entries(writer)
            shared = run_pass(writer, config, replace(options, force=True))
            # Again, with that universe: folds that were fitted for it cost nothing the first time,
            # and the first stocks of a worker pay for loading the libraries.
            _forget_entries(writer)
            again = run_pass(writer, config, options)
            ((own,),) = ask(
                writer.duck,
                "select median(fit_s) from ledger where run_id = $run",
                run=again.run_id,
            ).fetchall()
            ((of_all,),) = ask(
                writer.duck,
                "select coalesce(max(fit_s), 0.0) from v_universe where run_id = $run",
                run=shared.run_id,
            ).fetchall()
            plan = plan_backtest(
                writer, config, cutoffs=1, every=_UNSEEN_DAYS, tickers=sample.tickers
            )
            report = run_backtest(writer, plan)
    days = report.days.frame().pivot(index="date", columns="forecaster", values="squared_error")
    weights = report.weights.frame().groupby("member")["weight"].mean()
    return _Trial(
        own_seconds=float(own),
        shared_seconds=float(of_all),
        workers=shared.workers,
        peak_rss_mb=shared.peak_rss_mb,
        losses=days[ENSEMBLE].to_numpy(),
        zero_losses=days[ALWAYS_ZERO].to_numpy(),
        weights=weights.to_dict(),
    )


def _forget_entries(writer: Writer) -> None:
    """Forget what was trained: beside newer entries a pass would be a look back."""
    for table in ("ledger", "standings", "predictions"):
        writer.duck.execute(f"delete from {table}")  # noqa: S608
    # Its archive was not copied.
    writer.duck.execute("delete from meta where name <> 'store_id'")
