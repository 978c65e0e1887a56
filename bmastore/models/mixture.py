"""The mixture that members and weights make: densities, quantiles, scores.

A member's forecast is a Student t around its prediction; the ensemble's is the mixture
of these with the members' weights. SciPy is imported where it is used: a coordinator
needs no more of this room than the levels of the quantiles.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

# Levels of the stored quantiles, and their column names.
QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95)
QUANTILE_COLUMNS = tuple(f"q{round(level * 100):02d}" for level in QUANTILES)

# Degrees of freedom of a member's forecast errors. Daily returns have tails far
# heavier than a Gaussian's; a Student t with 5 degrees of freedom scaled by the
# median absolute error holds its intervals on real stocks, where a Gaussian with
# the errors' standard deviation over-covers.
ERROR_DF = 5.0
# Rows after which an error counts half as much for the scale: volatility comes in spells.
HALF_LIFE = 60.0
# Of a Student t with that many degrees of freedom and unit scale: the median absolute
# value, which is its upper quartile; the standard deviation; and the mean distance of two
# draws, the last term of its CRPS (Jordan, Krüger and Lerch, "Evaluating probabilistic
# forecasts with scoringRules", JSS 90, 2019), doubled.
_MEDIAN_ABS_ERROR = 0.7266868438004226
_SD = float(np.sqrt(ERROR_DF / (ERROR_DF - 2.0)))
SPREAD_OF_T = 1.3839827233111777
_DENSITY_AT_0 = 8.0 / (3.0 * np.pi * np.sqrt(ERROR_DF))
# Of the search for quantiles: halving alone needs forty.
_MOST_STEPS = 60
# Nodes of the quadrature below: they leave an error below 1e-4 of the scale.
_NODES = 16


def error_scales(errors: Matrix, half_life: float = HALF_LIFE) -> Matrix:
    """Scale of each member's Student-t errors, from its out-of-fold errors.

    The weighted median absolute error over its value for a unit scale, newer
    errors weighing more; where half of the weight is on errors of any member that
    are exactly zero (a stock that hardly trades), the root mean square of all
    members instead: measured in two ways, they could not be compared.

    Parameters
    ----------
    errors:
        Shape (n, k): target minus out-of-fold prediction, oldest first.
    half_life:
        Rows after which an error counts half as much; infinity counts all alike.

    Returns
    -------
    Shape (k,), in units of the target; zero only where all errors are zero.
    """
    age = np.arange(len(errors))[::-1]
    by_median = _weighted_median(np.abs(errors), 0.5 ** (age / half_life)) / _MEDIAN_ABS_ERROR
    by_square = np.sqrt(np.mean(np.square(errors), axis=0)) / _SD
    return by_median if by_median.all() else by_square


def _weighted_median(values: Matrix, weights: Matrix) -> Matrix:
    """Smallest value of each column of shape (n, k) that half of the rows' weight lies at."""
    order = np.argsort(values, axis=0)
    reached = np.cumsum(weights[order], axis=0) >= weights.sum() / 2
    middle = np.take_along_axis(order, reached.argmax(axis=0)[None, :], axis=0)
    result: Matrix = np.take_along_axis(values, middle, axis=0)[0]
    return result


def log_densities(errors: Matrix, scales: Matrix) -> Matrix:
    """Log density of each error, shape (n, k), under its member's scaled Student t."""
    z = errors / scales
    from scipy.special import gammaln

    constant = gammaln((ERROR_DF + 1) / 2) - gammaln(ERROR_DF / 2) - 0.5 * np.log(ERROR_DF * np.pi)
    tails: Matrix = -(ERROR_DF + 1) / 2 * np.log1p(z * z / ERROR_DF)
    result: Matrix = constant - np.log(scales) + tails
    return result


def mixture_log_density(log_density: Matrix, weights: Matrix) -> Matrix:
    """Log density of the weighted mixture, shape (n,)."""
    peak = log_density.max(axis=1)
    result: Matrix = peak + np.log(np.exp(log_density - peak[:, None]) @ weights)
    return result


def mixture_mean(centres: Matrix, weights: Matrix) -> Matrix:
    """Mean of the mixture, shape (n,), of members centred at ``centres``, shape (n, k)."""
    result: Matrix = centres @ weights
    return result


def mixture_sd(centres: Matrix, scales: Matrix, weights: Matrix) -> Matrix:
    """Standard deviation of the mixture, shape (n,): within members and between them."""
    mean = mixture_mean(centres, weights)
    within = np.square(scales * _SD) @ weights
    between = np.square(centres - mean[:, None]) @ weights
    result: Matrix = np.sqrt(within + between)
    return result


def mixture_cdf(x: Matrix, centres: Matrix, scales: Matrix, weights: Matrix) -> Matrix:
    """Probability that the target lies at or below ``x``, shape (n,)."""
    from scipy.special import stdtr

    result: Matrix = stdtr(ERROR_DF, (x[:, None] - centres) / scales) @ weights
    return result


def mixture_p_up(centres: Matrix, scales: Matrix, weights: Matrix) -> Matrix:
    """Probability that the target is positive, shape (n,)."""
    result: Matrix = 1.0 - mixture_cdf(np.zeros(len(centres)), centres, scales, weights)
    return result


def mixture_quantiles(
    centres: Matrix, scales: Matrix, weights: Matrix, at: Sequence[float] = QUANTILES
) -> Matrix:
    """Quantiles of the mixture at q levels, shape (n, q), by Newton's method in a bracket.

    A mixture's quantile lies between the smallest and the largest of its members' quantiles. Where
    a step would leave what is left of that bracket, or is not half of the one before, the bracket
    is halved instead (Press et al., "Numerical recipes", 3rd ed., 2007, section 9.4). What remains
    is 1e-12 of the bracket and the mean scale together.
    """
    from scipy.special import stdtr, stdtrit

    levels = np.asarray(at)
    by_member = centres[:, None, :] + scales * stdtrit(ERROR_DF, levels)[None, :, None]
    low, high = by_member.min(axis=2), by_member.max(axis=2)
    moved = high - low
    enough = 1e-12 * (moved + scales @ weights)
    found: Matrix = np.clip(by_member @ weights, low, high)
    for _ in range(_MOST_STEPS):
        z = (found[:, :, None] - centres[:, None, :]) / scales
        excess = stdtr(ERROR_DF, z) @ weights - levels
        low = np.where(excess < 0, found, low)
        high = np.where(excess < 0, high, found)
        spread = 1.0 + z * z / ERROR_DF
        density = _DENSITY_AT_0 / (spread * spread * spread)
        step = excess / (density @ (weights / scales))
        is_good = (low <= found - step) & (found - step <= high) & (np.abs(step) <= moved / 2)
        following = np.where(is_good, found - step, (low + high) / 2)
        # One that is found stays: rounding alone would send it back to the middle.
        following = np.where(moved <= enough, found, following)
        moved = np.abs(following - found)
        found = following
        if (moved <= enough).all():
            break
    return found


def mixture_crps(y: Matrix, centres: Matrix, scales: Matrix, weights: Matrix) -> Matrix:
    """Continuous ranked probability score of a mixture of Student t, shape (n,).

    E|X - y| - E|X - X'| / 2: Gneiting and Raftery, "Strictly proper scoring
    rules, prediction, and estimation", JASA 102 (2007), equation 21. For one
    Student t both terms have a closed form (scoringrules); between two members,
    the second is integrated over the narrower.

    Parameters
    ----------
    y:
        Shape (n,): targets.
    centres, scales, weights:
        Shapes (n, k), (k,) and (k,): the members.
    """
    used = np.flatnonzero(weights)
    centres, scales, weights = centres[:, used], scales[used], weights[used]
    score = np.zeros(len(y))
    nodes, shares = t_nodes()
    for i in range(len(used)):
        within = weights[i] * scales[i] * SPREAD_OF_T
        score += weights[i] * (distance(y, centres[:, i], scales[i]) - 0.5 * within)
        for j in range(i):
            # Over the narrower of the two: the distance from the wider one is smooth there.
            a, b = (j, i) if scales[j] <= scales[i] else (i, j)
            draws = centres[:, [a]] + scales[a] * nodes
            between = distance(draws, centres[:, [b]], scales[b]) @ shares
            score -= weights[i] * weights[j] * between
    return score


def distance(x: Matrix, centre: Matrix, scale: Matrix | float) -> Matrix:
    """Mean absolute distance of a Student t from x."""
    import scoringrules

    crps: Matrix = scoringrules.crps_t(x, ERROR_DF, centre, scale)
    distance: Matrix = crps + 0.5 * scale * SPREAD_OF_T
    return distance


def t_nodes() -> tuple[Matrix, Matrix]:
    """Nodes and shares that integrate over a Student t: Gauss-Legendre in its angle.

    With t = sqrt(df) tan(angle), its density is proportional to cos(angle) to
    the power df - 1.
    """
    x, share = np.polynomial.legendre.leggauss(_NODES)
    angle = x * np.pi / 2
    share = share * np.cos(angle) ** (ERROR_DF - 1)
    return np.sqrt(ERROR_DF) * np.tan(angle), share / share.sum()
