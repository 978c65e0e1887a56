"""What is alarming in how forecasts do live: pure functions of arrays.

Each rule is looked at every day, so its limit is one that chance passes in few histories, not on
few days: `bmastore docs monitoring` says how often, as measured by
`tests/evaluation/test_alarms.py`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bmastore.models.mixture import Matrix

# Days of the two windows that live scores are averaged over.
WINDOWS = (20, 60)
# Days that a reference needs, and how many of the newest live ones are never part of it.
_FEWEST_DAYS = 40
# Standard errors below the reference at which skill or coverage is alarming. Of 300 stationary
# histories of 60 stocks and 60 days, looked at every day, with a reference of 80 days and targets
# that overlap over five, 0.7 % pass 5 in any of the four, 3.7 % pass 4.5 and 4.7 % pass 4; of 100
# with doubled volatility all do within 30 days, and 98 where an IC of .36 vanished.
LIMIT = 5.0
# Population stability above which a feature has changed for scorecards (Siddiqi, "Credit Risk
# Scorecards", 2006, chapter 8): on so many days one after another, and so many times what has
# lasted as long before, for the stocks of one date are never quite those of a year.
STABILITY, STABLE_DAYS, _TIMES = 0.25, 5, 4.0
# Days that need to be known before, and the newest ones, which are none of them: for so long
# it is said of a feature that is broken.
_DAYS_BEFORE, _NEW_DAYS = 20, 30
# Outcomes of a stock that are looked at, and how many it needs.
OUTCOMES, FEWEST_OUTCOMES = 60, 20
# False discoveries among the stocks whose intervals are said to hold no longer.
FALSE_DISCOVERIES = 0.05
# Share of such stocks that is alarming.
DECAYED_SHARE = 0.05


@dataclass(frozen=True)
class Days:
    """Daily scores, oldest first, each of shape (t,).

    ``ic`` is the rank correlation over the day's stocks (NaN where there is none),
    ``squared_error`` and ``zero_squared_error`` are means over them, and ``coverage`` the share
    of targets inside the 80 % intervals.
    """

    ic: Matrix
    squared_error: Matrix
    zero_squared_error: Matrix
    coverage: Matrix

    def take(self, rows: slice) -> "Days":
        """Some of the days."""
        return Days(
            self.ic[rows], self.squared_error[rows], self.zero_squared_error[rows],
            self.coverage[rows],
        )  # fmt: skip


@dataclass(frozen=True)
class Skill:
    """A score over the newest days.

    Attributes
    ----------
    measure:
        ``ic``, ``mse_vs_zero`` or ``coverage_80``.
    days:
        How many days it is the mean of.
    live, error:
        The score, and its standard error by Newey and West; ``None`` where days are too few.
    reference:
        The same in the newest backtest, or on earlier live days.
    z:
        Their distance in standard errors of the reference; ``None`` where there is none.
    """

    measure: str
    days: int
    live: float | None
    error: float | None
    reference: float | None
    z: float | None

    @property
    def is_alarming(self) -> bool:
        """Whether skill or coverage is lower than chance explains."""
        return self.measure != "mse_vs_zero" and self.z is not None and self.z < -LIMIT


def reference_of(live: Days, tested: Days | None) -> Days | None:
    """What live days are compared with: those of a backtest, or earlier live ones."""
    if tested is not None and len(tested.ic) >= _FEWEST_DAYS:
        return tested
    earlier = live.take(slice(0, max(0, len(live.ic) - max(WINDOWS))))
    return earlier if len(earlier.ic) >= _FEWEST_DAYS else None


def skills(live: Days, reference: Days | None, horizon: int) -> list[Skill]:
    """Scores over the newest 20 and 60 days, beside those of the reference.

    Where there are no more than 20 days, these are all. ``horizon`` is that of the targets in
    trading days: neighbouring days overlap.
    """
    found = []
    for window in WINDOWS:
        newest = live.take(slice(-window, None))
        found += [
            _of_mean("ic", newest.ic, None if reference is None else reference.ic, horizon),
            _of_ratio(newest, reference, horizon),
            _of_mean(
                "coverage_80",
                newest.coverage,
                None if reference is None else reference.coverage,
                horizon,
            ),
        ]
        if len(live.ic) <= window:
            break
    return found


def _of_mean(measure: str, live: Matrix, reference: Matrix | None, horizon: int) -> Skill:
    live = live[np.isfinite(live)]
    n = len(live)
    mean = float(live.mean()) if n else None
    error = mean_error(live, horizon)
    if reference is None:
        return Skill(measure, n, mean, error, None, None)
    reference = reference[np.isfinite(reference)]
    if len(reference) < _FEWEST_DAYS:
        return Skill(measure, n, mean, error, None, None)
    expected = float(reference.mean())
    of_reference = mean_error(reference, horizon)
    z = None
    if mean is not None and of_reference and n >= min(WINDOWS):
        # The variance of both means, by what a day varied then: of 20 days it cannot be told.
        spread = of_reference * float(np.sqrt(1 + len(reference) / n))
        z = (mean - expected) / spread
    return Skill(measure, n, mean, error, expected, z)


def _of_ratio(live: Days, reference: Days | None, horizon: int) -> Skill:
    n = len(live.squared_error)
    ratio, error = loss_ratio(live.squared_error, live.zero_squared_error, horizon)
    expected = None
    if reference is not None:
        expected, _ = loss_ratio(reference.squared_error, reference.zero_squared_error, horizon)
    return Skill("mse_vs_zero", n, ratio, error, expected, None)


def loss_ratio(losses: Matrix, others: Matrix, horizon: int) -> tuple[float | None, float | None]:
    """Mean daily loss over that of another forecaster, and its standard error by the delta method.

    ``None`` where the other one lost nothing; both series have shape (t,).
    """
    of_others = float(others.mean()) if len(others) else 0.0
    if not of_others:
        return None, None
    ratio = float(losses.mean()) / of_others
    return ratio, mean_error((losses - ratio * others) / of_others, horizon)


def mean_error(values: Matrix, horizon: int) -> float | None:
    """Standard error of the mean of a daily series with overlapping targets, shape (t,).

    Newey and West, Econometrica 55 (1987). With lag ``horizon - 1`` their kernel leaves out a
    third of the variance of a mean of sums over ``horizon`` days; with twice that, a sixth.
    ``None`` where the days are too few.
    """
    from statsmodels.stats.sandwich_covariance import S_hac_simple

    n, lag = len(values), max(1, 2 * (horizon - 1))
    if n < lag + 3:
        return None
    centred = (values - values.mean())[:, None]
    total = float(S_hac_simple(centred, nlags=lag)[0, 0])
    return float(np.sqrt(max(total, 0.0))) / n


def drifting(stability: Matrix) -> NDArray[np.bool_]:
    """Which features have drifted, shape (p,), by their stability by day, shape (t, p).

    NaN where a day could not be measured: it is no sign of drift.
    """
    if len(stability) < _DAYS_BEFORE + _NEW_DAYS:
        return np.zeros(stability.shape[1], dtype=bool)
    known = np.where(np.isnan(stability), 0.0, stability)
    # Of each run of days the least: one wild day is in no run all of whose days are wild.
    lasting = np.lib.stride_tricks.sliding_window_view(known, STABLE_DAYS, axis=0).min(axis=2)
    limit = np.maximum(STABILITY, _TIMES * lasting[:-_NEW_DAYS].max(axis=0))
    is_drifting: NDArray[np.bool_] = lasting[-1] > limit
    return is_drifting


def interval_p(pit: Matrix, horizon: int) -> float:
    """Chance that targets lie so far from the middle of their distributions if intervals hold.

    Where forecasts are honest their transforms are uniform (Gneiting, Balabdaoui and Raftery,
    JRSS B 69, 2007), and so is |2 PIT - 1|, with mean 1/2 and variance 1/12. That of a mean of n
    is larger by 1 + 2 sum (1 - k / h)^2 over k < h, for targets overlap: those k days apart share
    1 - k / h of their days, and distances from the middle are correlated by its square. The
    statistic is bounded, so that one jump decides nothing.

    Parameters
    ----------
    pit:
        Shape (n,): of one stock's newest outcomes.
    """
    from scipy.special import ndtr

    shares = 1 - np.arange(1, horizon) / horizon
    variance = (1 + 2 * float(np.square(shares).sum())) / (12 * len(pit))
    z = (float(np.abs(2 * pit - 1).mean()) - 0.5) / np.sqrt(variance)
    return float(ndtr(-z))


def decayed(p: Matrix) -> NDArray[np.bool_]:
    """Which stocks' intervals no longer hold, shape (s,), by the p-values of all.

    Benjamini and Hochberg, JRSS B 57 (1995): of those that are named, one in twenty is named
    wrongly; also where stocks move together (Benjamini and Yekutieli, Annals of Statistics 29,
    2001).
    """
    from scipy.stats import false_discovery_control

    if not len(p):
        return np.zeros(0, dtype=bool)
    is_decayed: NDArray[np.bool_] = false_discovery_control(p, method="bh") <= FALSE_DISCOVERIES
    return is_decayed


def many_decayed(is_decayed: NDArray[np.bool_]) -> bool:
    """Whether so many stocks have decayed that it is not about single stocks."""
    n = int(is_decayed.sum())
    return n > 1 and n > DECAYED_SHARE * len(is_decayed)
