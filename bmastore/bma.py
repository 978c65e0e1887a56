"""From out-of-fold predictions to weights, and from weights to a forecast.

Each weighting is one function from the evidence of n out-of-fold rows on k
members to k weights that sum to 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, stdtr, stdtrit

from bmastore.exchange import QUANTILES

Matrix = NDArray[np.float64]

# Degrees of freedom of a member's forecast errors. Daily returns have tails far
# heavier than a Gaussian's; a Student t with 5 degrees of freedom scaled by the
# median absolute error holds its intervals on real stocks, where a Gaussian with
# the errors' standard deviation over-covers.
ERROR_DF = 5.0
# Draws of the Bayesian bootstrap: they leave a weight's standard error below 0.02.
_REPLICATES = 1000
_EM_STEPS, _EM_TOLERANCE = 1000, 1e-6
# Rows after which an error counts half as much for the scale: volatility comes in spells.
HALF_LIFE = 60.0
# Odds against the best member at which a member is left out.
OCCAMS_ODDS = 20.0
_MEDIAN_ABS_ERROR = float(stdtrit(ERROR_DF, 0.75))
_SD = float(np.sqrt(ERROR_DF / (ERROR_DF - 2.0)))


def error_scales(errors: Matrix) -> Matrix:
    """Scale of each member's Student-t errors, from its out-of-fold errors.

    The weighted median absolute error over its value for a unit scale, newer
    errors weighing more; where half of the weight is on errors that are exactly
    zero (a stock that hardly trades), the root mean square instead.

    Parameters
    ----------
    errors:
        Shape (n, k): target minus out-of-fold prediction, oldest first.

    Returns
    -------
    Shape (k,), in units of the target; zero only where all errors are zero.
    """
    age = np.arange(len(errors))[::-1]
    by_median = _weighted_median(np.abs(errors), 0.5 ** (age / HALF_LIFE)) / _MEDIAN_ABS_ERROR
    by_square = np.sqrt(np.mean(np.square(errors), axis=0)) / _SD
    return np.where(by_median > 0, by_median, by_square)


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
    constant = gammaln((ERROR_DF + 1) / 2) - gammaln(ERROR_DF / 2) - 0.5 * np.log(ERROR_DF * np.pi)
    tails: Matrix = -(ERROR_DF + 1) / 2 * np.log1p(z * z / ERROR_DF)
    result: Matrix = constant - np.log(scales) + tails
    return result


@dataclass(frozen=True)
class Evidence:
    """What a stock's out-of-fold rows say of its members: n rows, k members.

    Attributes
    ----------
    errors:
        Shape (n, k): target minus out-of-fold prediction, oldest first.
    log_density:
        Shape (n, k): log density of each error under its member's forecast.
    horizon:
        Rows that a target looks ahead. Neighbouring targets overlap, so n rows
        hold the information of about n / horizon independent ones.
    seed:
        Draws the Bayesian bootstrap.
    """

    errors: Matrix
    log_density: Matrix
    horizon: int
    seed: int


def pseudo_bma(evidence: Evidence) -> Matrix:
    """Weights proportional to the exponential of each member's summed log score.

    Pseudo-BMA of Yao, Vehtari, Simpson and Gelman, "Using stacking to average
    Bayesian predictive distributions", Bayesian Analysis 13 (2018), section
    3.2, without the bootstrap. As targets overlap, the sums are divided by the
    horizon.
    """
    return _softmax(evidence.log_density.sum(axis=0) / evidence.horizon)


def pseudo_bma_plus(evidence: Evidence) -> Matrix:
    """Pseudo-BMA weights averaged over what chance could have made of the log scores.

    Pseudo-BMA+ of Yao et al. (2018), section 3.4: the Bayesian bootstrap of
    Rubin (1981), here over blocks of ``horizon`` rows, whose targets overlap.
    """
    starts = np.arange(0, len(evidence.log_density), evidence.horizon)
    blocks = np.add.reduceat(evidence.log_density, starts, axis=0) / evidence.horizon
    random = np.random.default_rng(evidence.seed)
    shares = random.dirichlet(np.ones(len(blocks)), _REPLICATES)
    result: Matrix = _softmax(len(blocks) * shares @ blocks).mean(axis=0)
    return result


def stacking(evidence: Evidence) -> Matrix:
    """Weights that maximise the mean log density of the mixture.

    Log-score stacking: Yao et al. (2018), section 3.1. Rows that overlap leave
    the maximum where it is.
    """
    return likeliest_weights(evidence.log_density)


def likeliest_weights(log_density: Matrix) -> Matrix:
    """Weights of the likeliest mixture of members with given log densities, shape (n, k).

    The likelihood is concave in the weights; every step of the EM algorithm
    (Dempster, Laird and Rubin 1977) raises it.
    """
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    n, k = density.shape
    weights = np.full(k, 1.0 / k)
    for _ in range(_EM_STEPS):
        # The mean of the responsibilities, without their matrix of shape (n, k).
        before, weights = weights, weights * (density.T @ (1.0 / (density @ weights))) / n
        if np.abs(weights - before).max() < _EM_TOLERANCE:
            break
    return weights


def em(evidence: Evidence) -> Matrix:
    """Weights of the likeliest mixture of Gaussians centred at the members' predictions.

    Raftery, Gneiting, Balabdaoui and Polakowski, "Using Bayesian model averaging
    to calibrate forecast ensembles", Monthly Weather Review 133 (2005),
    equations 5 to 8, as R's ensembleBMA does it with one variance for all
    members: EM over the weights and that variance. Overlapping targets raise
    the likelihood to the power 1 / horizon and leave its maximum where it is.
    """
    squares = np.square(evidence.errors)
    k = squares.shape[1]
    weights, variance = np.full(k, 1.0 / k), float(squares.mean())
    for _ in range(_EM_STEPS):
        exponent = -squares / (2 * variance)
        density = np.exp(exponent - exponent.max(axis=1, keepdims=True))
        share = _responsibilities(density, weights)
        before, weights = weights, share.mean(axis=0)
        variance = float((share * squares).sum(axis=1).mean())
        if np.abs(weights - before).max() < _EM_TOLERANCE or variance == 0:
            break
    return weights


def bic(evidence: Evidence) -> Matrix:
    """Weights proportional to exp(-BIC / 2), with Gaussian errors.

    BIC = n log(MSE) + p log(n): Schwarz, "Estimating the dimension of a model",
    Annals of Statistics 6 (1978); as posterior probabilities: Raftery, "Bayesian
    model selection in social research", Sociological Methodology 25 (1995),
    section 4. n counts rows over the horizon. Out of fold, no member has a free
    parameter but its error variance: p is 1 for all, and cancels.
    """
    n = len(evidence.errors) / evidence.horizon
    return _softmax(-0.5 * n * np.log(np.mean(np.square(evidence.errors), axis=0)))


def equal(evidence: Evidence) -> Matrix:
    """The same weight for every member: the baseline that a formula must beat."""
    k = evidence.errors.shape[1]
    return np.full(k, 1.0 / k)


def _softmax(scores: Matrix) -> Matrix:
    """Exponentials of scores along the last axis, as shares of their sum."""
    odds = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: Matrix = odds / odds.sum(axis=-1, keepdims=True)
    return result


def _responsibilities(density: Matrix, weights: Matrix) -> Matrix:
    """Each member's share in each row's mixture density, shape (n, k)."""
    share = density * weights
    result: Matrix = share / share.sum(axis=1, keepdims=True)
    return result


WEIGHTINGS: dict[str, Callable[[Evidence], Matrix]] = {
    "pseudo-bma": pseudo_bma,
    "pseudo-bma+": pseudo_bma_plus,
    "stacking": stacking,
    "em": em,
    "bic": bic,
    "equal": equal,
}

# Formulas whose weights are not posterior odds: they look at one stock alone.
ALONE = ("em", "equal")


def advantages(log_density: Matrix, leader: int, horizon: int) -> tuple[Matrix, Matrix]:
    """Each member's mean log score relative to one of them, and its sampling variance.

    Overlapping targets: the variance is that of n / ``horizon`` rows.

    Returns
    -------
    Two arrays of shape (k,).
    """
    difference = log_density - log_density[:, [leader]]
    variance = difference.var(axis=0) * horizon / len(difference)
    return difference.mean(axis=0), variance


def shrink(own: Matrix, variance: Matrix, shared: Matrix, spread: Matrix) -> Matrix:
    """Each member's advantage for one stock, shrunk for noise toward the universe's.

    The empirical-Bayes estimate for normal means (Efron and Morris,
    "Stein's estimation rule and its competitors", JASA 68, 1973): the stock's
    departure from the universe counts for the share of its variance that is
    not noise. Cf. hierarchical stacking, Yao, Pirš, Vehtari and Gelman (2022).

    Parameters
    ----------
    own, variance:
        Shape (k,): from :func:`advantages`.
    shared, spread:
        Shape (k,): mean over stocks, and variance between them beyond noise.
    """
    total = spread + variance
    trust = np.divide(spread, total, out=np.zeros_like(total), where=total > 0)
    result: Matrix = shared + trust * (own - shared)
    return result


def occams_window(weights: Matrix) -> Matrix:
    """Weights without the members that the data speak against, summing to 1 again.

    Members with less than a twentieth of the best one's posterior probability
    are left out: Madigan and Raftery, "Model selection and accounting for
    model uncertainty in graphical models using Occam's window", JASA 89
    (1994). They would hardly move the forecast, and need not be fitted again.
    """
    inside = np.where(weights * OCCAMS_ODDS >= weights.max(), weights, 0.0)
    result: Matrix = inside / inside.sum()
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
    result: Matrix = stdtr(ERROR_DF, (x[:, None] - centres) / scales) @ weights
    return result


def mixture_quantiles(
    centres: Matrix, scales: Matrix, weights: Matrix, at: Sequence[float] = QUANTILES
) -> Matrix:
    """Quantiles of the mixture at q levels, shape (n, q), by bisection.

    A mixture's quantile lies between the smallest and the largest of its
    members' quantiles; forty halvings of that bracket leave 1e-12 of it.
    """
    levels = np.asarray(at)
    by_member = centres[:, None, :] + scales * stdtrit(ERROR_DF, levels)[None, :, None]
    low, high = by_member.min(axis=2), by_member.max(axis=2)
    for _ in range(40):
        middle = (low + high) / 2
        z = (middle[:, :, None] - centres[:, None, :]) / scales
        below = stdtr(ERROR_DF, z) @ weights < levels
        low = np.where(below, middle, low)
        high = np.where(below, high, middle)
    result: Matrix = (low + high) / 2
    return result
