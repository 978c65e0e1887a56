"""The prior of the weights: what the universe says of its members before a stock's own evidence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bmastore.models.mixture import Matrix
from bmastore.models.weights import ALONE, WEIGHTINGS, Evidence, likeliest_weights

# Share of the prior that goes to all members alike, so that the evidence of one stock can
# bring back a member that the universe gives no weight.
_UNIFORM = 0.05
# Groups of stocks whose likeliest weights are averaged.
_MOST_GROUPS, _STOCKS_PER_GROUP = 10, 24
# Share of the pilot stocks that is left out at each end of their mean advantage, and the distance
# of a Gaussian's quartiles in standard deviations.
_TRIMMED, _QUARTILE_DISTANCE = 0.1, 1.3489795003921634


@dataclass(frozen=True)
class Prior:
    """What the universe says of each member, before a stock's own evidence.

    Attributes
    ----------
    members:
        Names, length k.
    weights:
        Shape (k,): weights that forecast best over the sample of stocks.
    advantage:
        Shape (k,): log score per row relative to the leading member, a trimmed mean over stocks.
    spread:
        Shape (k,): variance of that advantage between stocks, beyond noise, by quartiles.
    """

    members: tuple[str, ...]
    weights: NDArray[np.float64]
    advantage: NDArray[np.float64]
    spread: NDArray[np.float64]

    def of(self, members: Sequence[str]) -> "Prior":
        """The prior of some of the members; every one of them keeps a little weight."""
        places = [self.members.index(name) for name in members]
        weights = self.weights[places]
        weights = weights / weights.sum() if weights.sum() else np.ones(len(places)) / len(places)
        weights = (1 - _UNIFORM) * weights + _UNIFORM / len(places)
        return Prior(tuple(members), weights, self.advantage[places], self.spread[places])

    def with_unknown(self, members: Sequence[str]) -> "Prior":
        """The prior of all these members, of some of which the stocks could say nothing.

        These have no weight before a stock's own evidence; they are expected to do as the worst of
        the others do, and to differ as much between stocks as any of them.
        """
        known = {name: i for i, name in enumerate(self.members)}
        places = [known.get(name, -1) for name in members]
        return Prior(
            tuple(members),
            np.array([self.weights[i] if i >= 0 else 0.0 for i in places]),
            np.array([self.advantage[i] if i >= 0 else self.advantage.min() for i in places]),
            np.array([self.spread[i] if i >= 0 else self.spread.max() for i in places]),
        )


def compare(scores: Sequence[NDArray[np.float64]], members: Sequence[str], horizon: int) -> Prior:
    """What the out-of-fold log densities of some stocks, each of shape (n, k), say of the members.

    No stock, however wild, speaks for all. Weights are means over groups of stocks, each
    likeliest for its group, so that one stock moves none by more than one over the number of
    groups: a tenth, from 240 stocks on. The advantage is a trimmed mean over stocks, and the spread
    comes from their quartiles (Huber, "Robust statistics", 1981): by mean and variance, one of
    120 stocks that hardly traded set the spread for all.

    Without any scores, all members are alike.
    """
    k = len(members)
    if not scores:
        return Prior(tuple(members), np.full(k, 1 / k), np.zeros(k), np.zeros(k))
    # Of targets that overlap, a few of each horizon say nearly all.
    thinned = [one[:: max(1, horizon // 2)] for one in scores]
    groups = max(1, min(_MOST_GROUPS, len(scores) // _STOCKS_PER_GROUP))
    likeliest = [likeliest_weights(np.concatenate(thinned[i::groups])) for i in range(groups)]
    weights: Matrix = np.mean(likeliest, axis=0)
    leader = int(np.argmax(weights))
    found = [advantages(one, leader, horizon) for one in scores]
    means, noise = (np.array(numbers) for numbers in zip(*found, strict=True))
    low, high = np.quantile(means, [0.25, 0.75], axis=0)
    spread = np.square((high - low) / _QUARTILE_DISTANCE) - np.median(noise, axis=0)
    return Prior(tuple(members), weights, _trimmed_mean(means), np.maximum(spread, 0.0))


def _trimmed_mean(values: Matrix) -> Matrix:
    """Mean of each column of shape (n, k) without the tenth of its values at each end."""
    cut = int(len(values) * _TRIMMED)
    result: Matrix = np.sort(values, axis=0)[cut : len(values) - cut].mean(axis=0)
    return result


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


def posterior(
    evidence: Evidence, weighting: str, members: Sequence[str], prior: Prior | None
) -> Matrix:
    """Weights of some members, shape (k,), by the formula ``weighting``, as posterior odds.

    Prior odds are the prior's weights, and the formula sees log densities whose means
    are shrunk toward the universe's. Without a prior, or by a formula that looks at one
    stock alone, the weights are the formula's.
    """
    formula = WEIGHTINGS[weighting]
    if prior is None or weighting in ALONE:
        return formula(evidence)
    mine = prior.of(members)
    leader = int(np.argmax(mine.weights))
    own, variance = advantages(evidence.log_density, leader, evidence.horizon)
    shared = mine.advantage - mine.advantage[leader]
    shrunk = shrink(own, variance, shared, mine.spread)
    shifted = replace(evidence, log_density=evidence.log_density - own + shrunk)
    odds = mine.weights * formula(shifted)
    result: Matrix = odds / odds.sum()
    return result
