"""A time budget per stock: which preset fits it, measured on a few of the stocks themselves."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean

from bmastore.arrays import evenly_spread
from bmastore.ledger.runs import preset_for_budget
from bmastore.models.config import FitConfig
from bmastore.models.members.registry import shared_among
from bmastore.models.presets import PRESETS
from bmastore.panel.series import read_series
from bmastore.storage.session import Session
from bmastore.training.feed import read_chunks
from bmastore.training.jobs import fit_chunk
from bmastore.training.options import PassOptions
from bmastore.workers.chunks import Chunk
from bmastore.workers.dispatch import MemoryWatch, run_all
from bmastore.workers.pool import Pool

# Stocks on which a pilot measures the presets.
_PILOT_STOCKS = 8


@dataclass(frozen=True)
class Choice:
    """The preset chosen for a budget.

    ``core_seconds`` is its measured cost per stock, ``None`` where no pilot ran
    because the last run with this budget had chosen already.
    """

    preset: str
    core_seconds: float | None
    budget: float

    def sentence(self, n_stocks: int, workers: int) -> str:
        """The choice for people, with the time that the pass will take."""
        if self.core_seconds is None:
            return f"preset {self.preset}, as in the last run with {self.budget:g} s per stock"
        seconds = self.core_seconds * n_stocks / workers
        fits = "fits" if self.core_seconds <= self.budget else "is the cheapest, and does not fit,"
        return (
            f"preset {self.preset} costs {self.core_seconds:.3f} core-seconds per stock and {fits} "
            f"{self.budget:g} s; {n_stocks} stocks with {workers} workers: about {seconds:.0f} s"
        )


def earlier_choice(session: Session, config: FitConfig, budget: float) -> Choice | None:
    """The choice of the last run with the same budget: another would make all stocks stale."""
    preset = preset_for_budget(session, config.target, budget)
    return None if preset is None else Choice(preset, None, budget)


def spend_budget(
    session: Session,
    config: FitConfig,
    options: PassOptions,
    budget: float,
    make_executor: Callable[[int], Executor],
) -> Choice:
    """The preset for a budget of core-seconds per stock: an earlier choice, or a pilot's."""
    earlier = earlier_choice(session, config, budget)
    if earlier is not None:
        return earlier
    series = sorted(read_series(session.duck, config.target), key=lambda one: one.n_rows)
    long = series[len(series) // 2 :]
    tickers = [one.ticker for one in evenly_spread(long, _PILOT_STOCKS)]
    # What stocks share is made once, whatever the preset.
    shared = shared_among(config.members)
    own = replace(config, members=tuple(n for n in config.members if n not in shared))
    chunks = read_chunks(session, own, tickers, lambda: 1, as_of=options.as_of, most=1)
    return choose_preset(list(chunks), own, budget, make_executor)


def choose_preset(
    pilot: Sequence[Chunk],
    config: FitConfig,
    budget: float,
    make_executor: Callable[[int], Executor],
) -> Choice:
    """The richest preset whose mean cost over the pilot stocks is within the budget.

    Presets are tried from the poorest on, until one costs too much.

    Parameters
    ----------
    pilot:
        A few typical stocks.
    budget:
        Core-seconds per stock.
    """
    chosen: Choice | None = None
    with Pool(make_executor, 1) as pool:
        # The first fit of a worker also pays for loading the libraries.
        _mean_cost(pilot[:1], config, pool)
        for preset in PRESETS:
            trial = replace(config, preset=preset)
            cost = _mean_cost(pilot, trial, pool)
            if chosen is None or cost <= budget:
                chosen = Choice(preset, cost, budget)
            if cost > budget:
                break
    assert chosen is not None
    return chosen


def _mean_cost(pilot: Sequence[Chunk], config: FitConfig, pool: Pool) -> float:
    job = partial(fit_chunk, config=config)
    chunks = run_all(iter(pilot), job, pool, MemoryWatch(None), stop=lambda: False)
    return fmean(outcome.fit_s for chunk in chunks for outcome in chunk)
