"""What one stock borrows from all the others: pooled models, and a prior for its weights."""

from dataclasses import dataclass, replace
from functools import lru_cache

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from bmastore import digests, shared
from bmastore.arrays import Dates
from bmastore.cross_section import CrossSections
from bmastore.exchange import Shared
from bmastore.members.pooled import PooledMember, read_pooled, typical_move
from bmastore.shared import MIN_MOVES, Prior


@dataclass(frozen=True)
class Universe:
    """The universe's part of every ensemble, as it was known on its anchor date.

    Attributes
    ----------
    sha256:
        Hash of its bytes.
    models, digests:
        Pooled models by fold cell, and hashes of them; each learnt from labels known before the
        cell's first day.
    newest:
        The pooled model of all labels known before the anchor.
    sections:
        Cross-sections of the dates before the anchor, and of newer ones that are needed.
    scale:
        Median over stocks of their typical move.
    prior:
        What it says of the members; ``None`` until they have been compared.
    """

    sha256: str
    models: dict[int, lgb.Booster]
    digests: dict[int, bytes]
    newest: lgb.Booster | None
    sections: CrossSections
    scale: float
    prior: Prior | None

    def relative(self, dates: Dates, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the pooled member takes: features relative to their date's cross-section."""
        return self.sections.relative(dates, X)

    def fold_member(self, cell: int, y: NDArray[np.float64]) -> PooledMember:
        """The pooled member of a fold for a stock with training targets ``y``, shape (n,)."""
        return PooledMember(self.models.get(cell), self._scale(y))

    def newest_member(self, y: NDArray[np.float64]) -> PooledMember:
        """The pooled member of the final fit."""
        return PooledMember(self.newest, self._scale(y))

    def _scale(self, y: NDArray[np.float64]) -> float:
        return typical_move(y) if len(y) >= MIN_MOVES else self.scale


@lru_cache(maxsize=2)
def load(blob: bytes) -> Universe:
    """A stored universe ready for use; the last two are kept for the next stocks.

    Raises
    ------
    ArtifactError
        If another bmastore wrote it.
    """
    stored = shared.read(blob)
    texts = dict(stored.models)
    newest = texts.pop("newest", None)
    return Universe(
        digests.of_artifact(blob),
        {int(name): read_pooled(text) for name, text in texts.items()},
        {int(name): digests.of_model(text) for name, text in texts.items()},
        None if newest is None else read_pooled(newest),
        stored.sections,
        stored.scale,
        stored.prior,
    )


def open_shared(lent: Shared | None) -> Universe | None:
    """What a worker is lent, ready for use; ``None`` where stocks share nothing.

    Raises
    ------
    ArtifactError
        If another bmastore wrote it.
    """
    if lent is None:
        return None
    universe = load(lent.universe)
    if lent.recent is None:
        return universe
    return replace(universe, sections=universe.sections.then(lent.recent))
