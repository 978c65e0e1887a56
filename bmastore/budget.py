"""A time budget a stock: which preset fits it, measured on a few of the stocks themselves."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean

from bmastore.config import PRESETS, FitConfig
from bmastore.dispatch import MemoryWatch, fit_all
from bmastore.exchange import Work
from bmastore.executors import Pool
from bmastore.worker import fit_in_worker

# From the poorest to the richest.
_LADDER = ("ultrafast", "fast", "standard", "high")


@dataclass(frozen=True)
class Choice:
    """The preset chosen for a budget.

    ``core_seconds`` is its measured cost a stock, ``None`` where no pilot ran
    because the last run with this budget had chosen already.
    """

    preset: str
    core_seconds: float | None
    budget: float

    def sentence(self, n_stocks: int, workers: int) -> str:
        """The choice for people, with the time that the pass will take."""
        if self.core_seconds is None:
            return f"preset {self.preset}, as in the last run with {self.budget:g} s a stock"
        seconds = self.core_seconds * n_stocks / workers
        fits = "fits" if self.core_seconds <= self.budget else "is the cheapest, and does not fit,"
        return (
            f"preset {self.preset} costs {self.core_seconds:.3f} core-seconds a stock and {fits} "
            f"{self.budget:g} s; {n_stocks} stocks with {workers} workers: about {seconds:.0f} s"
        )


def choose_preset(
    pilot: Sequence[Work],
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
        Core-seconds a stock.
    """
    chosen: Choice | None = None
    with Pool(make_executor, 1) as pool:
        # The first fit of a worker also pays for loading the libraries.
        _mean_cost(pilot[:1], config, pool)
        for preset in _LADDER:
            trial = replace(config, preset_name=preset, preset=PRESETS[preset])
            cost = _mean_cost(pilot, trial, pool)
            if chosen is None or cost <= budget:
                chosen = Choice(preset, cost, budget)
            if cost > budget:
                break
    assert chosen is not None
    return chosen


def _mean_cost(pilot: Sequence[Work], config: FitConfig, pool: Pool) -> float:
    job = partial(fit_in_worker, config=config)
    chunks = fit_all(iter(pilot), job, pool, MemoryWatch(None), stop=lambda: False)
    return fmean(outcome.fit_s for chunk in chunks for outcome in chunk)
