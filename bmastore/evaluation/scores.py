"""Scores of forecasts against what came: pure functions of arrays.

Every score is computed for each forecaster on the same rows. Days are what is
independent of one another at best, stocks of one day are not: correlations and
losses are averaged over the stocks of a day first, and tested over days.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr
from scipy.stats import rankdata

from bmastore.arrays import Dates
from bmastore.models.mixture import Matrix

# The forecaster that skill is relative to, and the one that Diebold-Mariano tests compare with.
ALWAYS_ZERO, EQUAL = "always_zero", "equal"
PIT_BINS = 10
# Shares that the central intervals hold that are looked at.
INTERVALS = (0.50, 0.80, 0.90)
_BRIER_OF_A_HALF = 0.25
# Stocks that a day's rank correlation needs.
_FEWEST_STOCKS = 5


@dataclass(frozen=True)
class Scored:
    """Forecasts of rows that the fits had not seen, scored: n rows, f forecasters.

    Attributes
    ----------
    forecasters:
        Names, length f.
    dates:
        ``datetime64[D]``, shape (n,).
    y:
        float64, shape (n,): the targets that came.
    means, log_scores, crps:
        float32, shape (n, f): predictive means, log densities of the targets
        and continuous ranked probability scores, these in units of the target.
    pit:
        float32, shape (n, f): probability integral transforms of the targets.
    p_up:
        float32, shape (n, f): forecast probabilities that the target is positive.
    sizes:
        float32, shape (n,): how large the stock's targets were before the forecast. Errors are
        judged in these units: else a few wild stocks would decide.
    """

    forecasters: tuple[str, ...]
    dates: Dates
    y: NDArray[np.float64]
    means: NDArray[np.float32]
    log_scores: NDArray[np.float32]
    crps: NDArray[np.float32]
    pit: NDArray[np.float32]
    p_up: NDArray[np.float32]
    sizes: NDArray[np.float32]

    @classmethod
    def of(cls, parts: "Sequence[Scored]") -> "Scored":
        """Rows of several parts (at least one) with the same forecasters, one after another."""
        return cls(
            parts[0].forecasters,
            np.concatenate([part.dates for part in parts]),
            np.concatenate([part.y for part in parts]),
            np.concatenate([part.means for part in parts]),
            np.concatenate([part.log_scores for part in parts]),
            np.concatenate([part.crps for part in parts]),
            np.concatenate([part.pit for part in parts]),
            np.concatenate([part.p_up for part in parts]),
            np.concatenate([part.sizes for part in parts]),
        )

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Scored":
        """The rows picked by a mask or by indices."""
        return Scored(
            self.forecasters,
            self.dates[rows],
            self.y[rows],
            self.means[rows],
            self.log_scores[rows],
            self.crps[rows],
            self.pit[rows],
            self.p_up[rows],
            self.sizes[rows],
        )


@dataclass(frozen=True)
class Daily:
    """Scores of each day: t days, f forecasters.

    Attributes
    ----------
    dates:
        ``datetime64[D]``, shape (t,).
    n:
        Shape (t,): stocks of the day.
    ic:
        Shape (t, f): rank correlation of forecasts and targets over the day's
        stocks; NaN where a forecaster tells no stock from another.
    squared_error, crps:
        Shape (t, f): means over the day's stocks, in units of their sizes.
    brier:
        Shape (t, f): mean over the day's stocks.
    coverage:
        Shape (t, f, 3): share of the day's targets inside the central intervals of
        :data:`INTERVALS`.
    """

    dates: Dates
    n: NDArray[np.int64]
    ic: Matrix
    squared_error: Matrix
    crps: Matrix
    brier: Matrix
    coverage: Matrix


@dataclass(frozen=True)
class Score:
    """How one forecaster did; ``None`` where a number is not defined.

    Attributes
    ----------
    mse_vs_zero, crps_vs_zero:
        Squared error, and continuous ranked probability score, in units of the
        stocks' sizes, relative to always forecasting zero, as wide as the ensemble
        knows a forecast to be; below 1 is skill.
    ic, icir, ic_t:
        Mean daily rank correlation, its ratio to its standard deviation over
        days, and its t-statistic (Newey and West 1987, lag horizon - 1).
    log_score:
        Mean log density of the targets.
    coverage_50, coverage_80, coverage_90:
        Share of targets inside the central intervals.
    pit:
        JSON: shares of the targets in the ten tenths of their predictive distributions.
    dm, dm_p:
        Diebold-Mariano statistic of the squared error against equal weights
        (negative: better), and its two-sided p-value.
    brier_vs_half:
        Brier score of ``p_up`` relative to that of always saying a half, which is a
        quarter; below 1 is skill (Brier, "Verification of forecasts expressed in terms of
        probability", Monthly Weather Review 78, 1950).
    signs_right:
        Share of targets that are positive where ``p_up`` is above a half, and not where it
        is below; rows at a half say nothing and do not count.
    """

    forecaster: str
    n_rows: int
    n_days: int
    mse_vs_zero: float | None
    ic: float | None
    icir: float | None
    ic_t: float | None
    crps_vs_zero: float | None
    log_score: float
    coverage_50: float
    coverage_80: float
    coverage_90: float
    pit: str
    dm: float | None
    dm_p: float | None
    brier_vs_half: float | None
    signs_right: float | None


def score(rows: Scored, horizon: int) -> list[Score]:
    """Scores of all forecasters over some rows (at least one).

    ``horizon`` is that of the targets in trading days: neighbouring days overlap.
    """
    days = daily(rows)
    zero = rows.forecasters.index(ALWAYS_ZERO)
    equal = rows.forecasters.index(EQUAL)
    squares = _squares(rows).mean(axis=0)
    crps = _relative_crps(rows).mean(axis=0)
    coverage = covered(rows.pit).mean(axis=0)
    is_up = rows.y[:, None] > 0
    brier = np.square(rows.p_up - is_up).mean(axis=0, dtype=np.float64)
    scores = []
    for i, name in enumerate(rows.forecasters):
        ic = days.ic[:, i]
        ic = ic[np.isfinite(ic)]
        spread = float(ic.std(ddof=1)) if len(ic) > 1 else 0.0
        shares = np.histogram(rows.pit[:, i], PIT_BINS, (0.0, 1.0))[0] / len(rows.y)
        dm, dm_p = diebold_mariano(days.squared_error[:, i], days.squared_error[:, equal], horizon)
        scores.append(
            Score(
                forecaster=name,
                n_rows=len(rows.y),
                n_days=len(days.dates),
                mse_vs_zero=_ratio(squares[i], squares[zero]),
                ic=float(ic.mean()) if len(ic) else None,
                icir=_ratio(float(ic.mean()), spread) if len(ic) else None,
                ic_t=mean_t(ic, horizon),
                crps_vs_zero=_ratio(crps[i], crps[zero]),
                log_score=float(rows.log_scores[:, i].mean(dtype=np.float64)),
                coverage_50=float(coverage[i, 0]),
                coverage_80=float(coverage[i, 1]),
                coverage_90=float(coverage[i, 2]),
                pit=json.dumps(np.round(shares, 4).tolist()),
                dm=dm,
                dm_p=dm_p,
                brier_vs_half=float(brier[i] / _BRIER_OF_A_HALF),
                signs_right=_signs_right(rows.p_up[:, i], is_up[:, 0]),
            )
        )
    return scores


def daily(rows: Scored) -> Daily:
    """Scores of each day, oldest first."""
    dates, day = np.unique(rows.dates, return_inverse=True)
    order = np.argsort(day, kind="stable")
    edges = np.searchsorted(day[order], np.arange(len(dates) + 1))
    shape = (len(dates), len(rows.forecasters))
    ic, squared_error, crps, brier = (np.empty(shape) for _ in range(4))
    coverage = np.empty((*shape, len(INTERVALS)))
    squares, relative_crps = _squares(rows), _relative_crps(rows)
    for i in range(len(dates)):
        of_day = order[edges[i] : edges[i + 1]]
        means, y = rows.means[of_day], rows.y[of_day]
        ic[i] = rank_correlations(means, y)
        squared_error[i] = squares[of_day].mean(axis=0)
        crps[i] = relative_crps[of_day].mean(axis=0)
        is_up = y[:, None] > 0
        brier[i] = np.square(rows.p_up[of_day] - is_up).mean(axis=0, dtype=np.float64)
        coverage[i] = covered(rows.pit[of_day]).mean(axis=0)
    return Daily(dates, np.diff(edges), ic, squared_error, crps, brier, coverage)


def covered(pit: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether targets lie inside the central intervals, shape (n, f, 3), by their transforms."""
    is_inside: NDArray[np.bool_] = np.abs(pit[..., None] - 0.5) <= np.array(INTERVALS) / 2
    return is_inside


def _signs_right(p_up: NDArray[np.float32], is_up: NDArray[np.bool_]) -> float | None:
    says = p_up != np.float32(0.5)
    return float(np.mean((p_up > 0.5)[says] == is_up[says])) if says.any() else None


def _squares(rows: Scored) -> Matrix:
    """Squared errors in units of the stocks' sizes, shape (n, f)."""
    result: Matrix = np.square((rows.y[:, None] - rows.means) / rows.sizes[:, None])
    return result


def _relative_crps(rows: Scored) -> Matrix:
    """CRPS in units of the stocks' sizes, shape (n, f)."""
    result: Matrix = rows.crps.astype(np.float64) / rows.sizes[:, None]
    return result


def rank_correlations(means: NDArray[np.float32], y: Matrix) -> Matrix:
    """Spearman's correlation of each forecaster's means, shape (n, f), with y, shape (n,)."""
    if len(y) < _FEWEST_STOCKS:
        return np.full(means.shape[1], np.nan)
    ranks = rankdata(means, axis=0)
    ranks -= ranks.mean(axis=0)
    wanted = rankdata(y)
    wanted -= wanted.mean()
    norms = np.sqrt(np.square(ranks).sum(axis=0) * np.square(wanted).sum())
    result: Matrix = np.full(len(norms), np.nan)
    np.divide(wanted @ ranks, norms, out=result, where=norms > 0)
    return result


def mean_t(values: Matrix, horizon: int) -> float | None:
    """t-statistic of the mean of a daily series with overlapping targets.

    Newey and West, "A simple, positive semi-definite, heteroskedasticity and
    autocorrelation consistent covariance matrix", Econometrica 55 (1987), with
    lag ``horizon - 1``. ``None`` where the days are too few or all alike.
    """
    from statsmodels.regression.linear_model import OLS

    n = len(values)
    if n < horizon + 2 or np.ptp(values) == 0:
        return None
    fit = OLS(values, np.ones(n)).fit(cov_type="HAC", cov_kwds={"maxlags": horizon - 1})
    return float(fit.tvalues[0])


def diebold_mariano(
    losses: Matrix, others: Matrix, horizon: int
) -> tuple[float | None, float | None]:
    """Test that two forecasters have the same mean daily loss.

    Diebold and Mariano, "Comparing predictive accuracy", JBES 13 (1995), with
    the correction for small samples of Harvey, Leybourne and Newbold, IJF 13
    (1997), equation 9, and their Student t. The variance is Newey and West's,
    which unlike the original one cannot be negative.

    Returns
    -------
    (statistic, two-sided p-value); the statistic is negative where ``losses``
    are smaller than ``others``.
    """
    n = len(losses)
    statistic = mean_t(losses - others, horizon)
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n if n else 0.0
    if statistic is None or correction <= 0:
        return None, None
    corrected = statistic * float(np.sqrt(correction))
    return corrected, float(2 * stdtr(n - 1, -abs(corrected)))


def _ratio(value: float, other: float) -> float | None:
    return float(value / other) if other else None
