"""Mixtures written out row by row: the weight, centre and scale of each member of a forecast.

A forecast's mean and quantiles do not tell its density. So the forecast that will be judged is
kept with its components, as float32: the null member `zero` first, which every forecast is
compared with, then the members that have weight. Once it has been judged, what its entry does not
say is enough: where the members stood, and how wide the row is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bmastore.models import mixture
from bmastore.models.mixture import ERROR_DF, Matrix

ZERO = "zero"
Components = NDArray[np.float32]
# Weights, and scales as a share of themselves, that are so close are the same: four digits are kept
# of both, and the largest weight gives way.
_SAME = 2e-3


@dataclass(frozen=True)
class Judged:
    """How forecasts did: PIT, CRPS in units of the target, log density; each of shape (n,)."""

    pit: Matrix
    crps: Matrix
    log_score: Matrix


def components_of(centres: Matrix, scales: Matrix, weights: Matrix) -> Components:
    """Weight, centre and scale of each member, shape (n, k, 3).

    Parameters
    ----------
    centres:
        Shape (n, k).
    scales, weights:
        Of each member, shape (k,), or of each row and member, shape (n, k).
    """
    parts = [np.broadcast_to(part, centres.shape) for part in (weights, centres, scales)]
    return np.stack(parts, axis=2).astype(np.float32)


def with_zero_first(
    components: Components, names: Sequence[str], zero_scale: Matrix | float | None
) -> Components:
    """The components, shape (n, k, 3), with those of the member `zero` before the others.

    Parameters
    ----------
    names:
        The k members.
    zero_scale:
        Scale of the errors of `zero`, which takes part with weight 0 where it is none of the
        members; ``None`` where it was not fitted: the scale is then NaN.
    """
    if ZERO in names:
        at = list(names).index(ZERO)
        order = [at, *(i for i in range(len(names)) if i != at)]
        return components[:, order]
    first = np.zeros((len(components), 1, 3), dtype=np.float32)
    first[:, 0, 2] = np.nan if zero_scale is None else zero_scale
    return np.concatenate([first, components], axis=1)


def without_entry(
    components: Sequence[float],
    members: Sequence[str],
    weights: Sequence[float],
    scales: Sequence[float],
) -> tuple[list[float], float] | None:
    """What a mixture's entry does not say of it; see :func:`with_entry`.

    Parameters
    ----------
    components:
        As one flat list, those of `zero` first.

    Returns
    -------
    The centres of the members with weight but `zero`, whose is 0; and the scale of the first
    component with weight. In units of the target. ``None`` if that and the entry do not tell the
    mixture.
    """
    zero_weight, _, zero_scale = components[:3]
    others = zip(components[3::3], components[4::3], components[5::3], strict=True)
    used = [(centre, scale) for weight, centre, scale in others if weight > 0]
    if not used and not zero_weight > 0:
        return None
    centres = [centre for centre, _ in used]
    scale = zero_scale if zero_weight > 0 else used[0][1]
    told = with_entry(members, weights, scales, centres, scale)
    # A member of no weight may be among the components; then they are not as long.
    is_told = told is not None and len(told) == len(components) and _are_same(told, components)
    return (centres, scale) if is_told else None


def _are_same(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether mixtures of the same centres differ in no more than digits that are not kept."""
    weights = zip(one[::3], other[::3], strict=True)
    # A scale that is not known is NaN.
    scales = ((a, b) for a, b in zip(one[2::3], other[2::3], strict=True) if a == a or b == b)
    return all(abs(a - b) <= _SAME for a, b in weights) and all(
        abs(a - b) <= _SAME * b for a, b in scales
    )


def with_entry(
    members: Sequence[str],
    weights: Sequence[float],
    scales: Sequence[float],
    centres: Sequence[float],
    scale: float,
) -> list[float] | None:
    """Components as one flat list, those of `zero` first, of a mixture and its entry.

    Parameters
    ----------
    members, weights, scales:
        What the entry says of its k members. Their scales have the same ratios in all rows.
    centres, scale:
        What :func:`without_entry` has left.

    Returns
    -------
    ``None`` if they do not belong together.
    """
    parts = dict(zip(members, zip(weights, scales, strict=True), strict=True))
    zero = parts.pop(ZERO, (0.0, np.nan))
    others = [part for part in parts.values() if part[0] > 0]
    first = zero if zero[0] > 0 else next(iter(others), None)
    if first is None or len(others) != len(centres):
        return None
    # Where a stock has never moved all scales are zero.
    width = scale / first[1] if first[1] > 0 else 1.0
    components = [zero[0], 0.0, zero[1] * width]
    for (weight, own), centre in zip(others, centres, strict=True):
        components += [weight, centre, own * width]
    return components


def unpacked(rows: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Components of several forecasts, shape (n, k, 3), from one flat list of numbers each.

    Forecasts of fewer members than k are filled up with members of no weight.
    """
    k = max((len(row) // 3 for row in rows), default=1)
    filled = np.tile([0.0, 0.0, 1.0], (len(rows), k, 1))
    for i, row in enumerate(rows):
        filled[i, : len(row) // 3] = np.reshape(row, (-1, 3))
    return filled


def judge(y: Matrix, components: NDArray[np.float64]) -> Judged:
    """Score mixtures, shape (n, k, 3), by what came, shape (n,).

    A member of no weight has no part in it. CRPS is E|X - y| - E|X - X'| / 2, as in
    :func:`bmastore.models.mixture.mixture_crps`, whose members are the same in every row.
    """
    from scipy.special import stdtr

    weights, centres, scales = (components[:, :, i] for i in range(3))
    used = weights > 0
    scales = np.where(used, scales, 1.0)
    errors = y[:, None] - centres
    log_weights = np.log(weights, out=np.full(weights.shape, -np.inf), where=used)
    log_density = mixture.log_densities(errors, scales) + log_weights
    return Judged(
        np.clip((stdtr(ERROR_DF, errors / scales) * weights).sum(axis=1), 0.0, 1.0),
        _crps(y, weights, centres, scales),
        mixture.mixture_log_density(log_density, np.ones(weights.shape[1])),
    )


def judge_zero(y: Matrix, components: NDArray[np.float64]) -> Judged:
    """Score the member `zero` of mixtures with it first; NaN where it was not fitted."""
    alone = components[:, :1].copy()
    alone[:, 0, 0] = 1.0
    return judge(y, alone)


def _crps(y: Matrix, weights: Matrix, centres: Matrix, scales: Matrix) -> Matrix:
    score = np.zeros(len(y))
    for i in range(weights.shape[1]):
        some = np.flatnonzero(weights[:, i])
        w, c, s = weights[some, i], centres[some, i], scales[some, i]
        own = mixture.distance(y[some], c, s)
        score[some] += w * (own - 0.5 * w * s * mixture.SPREAD_OF_T)
        for j in range(i):
            both = np.flatnonzero(weights[:, i] * weights[:, j])
            between = _between(centres[both][:, [i, j]], scales[both][:, [i, j]])
            score[both] -= weights[both, i] * weights[both, j] * between
    return score


def _between(centres: Matrix, scales: Matrix) -> Matrix:
    """Mean distance of draws of two Student t, shapes (n, 2): integrated over the narrower one."""
    nodes, shares = mixture.t_nodes()
    narrow = scales.argmin(axis=1)
    rows = np.arange(len(scales))
    draws = centres[rows, narrow, None] + scales[rows, narrow, None] * nodes
    wide = 1 - narrow
    found = mixture.distance(draws, centres[rows, wide, None], scales[rows, wide, None])
    result: Matrix = found @ shares
    return result
