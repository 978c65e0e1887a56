"""Formulas of the members' weights.

Each is one function from the evidence of n out-of-fold rows on k
members to k weights that sum to 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bmastore.models.mixture import Matrix

# Draws of the Bayesian bootstrap: they leave a weight's standard error below 0.02.
_REPLICATES = 1000
_EM_STEPS, _EM_TOLERANCE = 1000, 1e-6
# Odds against the best member at which a member is left out.
OCCAMS_ODDS = 20.0


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
