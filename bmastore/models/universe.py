"""A universe: what all stocks of a store share, as it was known on its anchor date.

Pooled fits, cross-sections and a prior for every stock's weights. As bytes it is an
archive: a head, one pooled model per fold cell in its library's own format and the
cross-sections in NumPy's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmastore import digests
from bmastore.arrays import Dates
from bmastore.cross_section import CrossSections
from bmastore.models.archive import Format, array_bytes
from bmastore.models.inputs import Inputs
from bmastore.models.members.base import Lent
from bmastore.models.prior import Prior
from bmastore.models.width import WidthModel

# Raise it with what Format says; a universe of another number is made anew by the next pass,
# and tests/models/test_archive.py holds what that means.
_FORMAT = Format("universe", 3, "bmastore train")
# Name of the pooled model that forecasts, among those of the fold cells.
_NEWEST = "newest"


@dataclass(frozen=True)
class PooledFit:
    """What is learnt from all stocks' labels known before a day.

    ``model`` foretells in which direction a stock goes, in its library's own format; ``widths``
    how far it may be expected to go. ``importances`` are the shares of each relative feature in
    what the model's splits have gained, shape (p,); a stored universe does not tell them.
    """

    model: bytes
    widths: WidthModel
    importances: NDArray[np.float64] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Universe:
    """What stocks share; :data:`NOTHING_SHARED` where they share nothing.

    Attributes
    ----------
    fits:
        Pooled fits by fold cell, each learnt from labels known before the cell's first day.
    newest:
        The pooled fit to all labels known before the anchor, ``None`` if they were too few.
    sections:
        Cross-sections of the dates before the anchor, and of newer ones that are needed.
    scale:
        Median over stocks of their typical move.
    prior:
        What it says of the members; ``None`` until they have been compared.
    sha256:
        Hash of its bytes; ``None`` before it has any.
    """

    fits: Mapping[int, PooledFit]
    newest: PooledFit | None
    sections: CrossSections
    scale: float
    prior: Prior | None
    sha256: str | None = field(default=None, compare=False)

    def of_fold(self, cell: int) -> Lent:
        """What a stock borrows in a fold."""
        return self._lent(self.fits.get(cell))

    def of_final_fit(self) -> Lent:
        """What a stock borrows in its final fit."""
        return self._lent(self.newest)

    def _lent(self, fit: PooledFit | None) -> Lent:
        if fit is None:
            return Lent(None, self.scale)
        return Lent(fit.model, self.scale, fit.widths)

    def digest_of_fold(self, cell: int) -> bytes:
        """Hash of the pooled model of a fold; empty where there is none."""
        fit = self.fits.get(cell)
        return b"" if fit is None else _hash_of_model(fit.model)

    def inputs(self, dates: Dates, X: NDArray[np.float32]) -> Inputs:
        """What forecasts of a stock's rows are made from; ``X`` has shape (n, p)."""
        return Inputs.among(self.sections, dates, X)

    def then(self, recent: CrossSections | None) -> "Universe":
        """This universe with the cross-sections of newer dates as well."""
        if recent is None:
            return self
        return replace(self, sections=self.sections.then(recent))

    def to_bytes(self) -> bytes:
        """The universe as bytes, equal for equal models."""
        fits = {str(cell): fit for cell, fit in self.fits.items()}
        if self.newest is not None:
            fits[_NEWEST] = self.newest
        files = {name: fit.model for name, fit in fits.items()}
        head: dict[str, Any] = {
            "scale": self.scale,
            "widths": {name: fits[name].widths.to_head() for name in sorted(fits)},
        }
        if self.prior is not None:
            head["prior"] = {
                "members": list(self.prior.members),
                "weights": self.prior.weights.tolist(),
                "advantage": self.prior.advantage.tolist(),
                "spread": self.prior.spread.tolist(),
            }
        for column in fields(CrossSections):
            files[f"{column.name}.npy"] = array_bytes(getattr(self.sections, column.name))
        return _FORMAT.pack(head, files)


NOTHING_SHARED = Universe({}, None, CrossSections.none(0), 0.0, None)


@lru_cache(maxsize=2)
@_FORMAT.reader
def open_universe(blob: bytes) -> Universe:
    """The universe that :meth:`Universe.to_bytes` wrote; empty bytes are :data:`NOTHING_SHARED`.

    The last two are kept for the next stocks.

    Raises
    ------
    ArtifactError
        If another bmastore wrote it, whose universes are not this one's, or it is malformed.
    """
    if not blob:
        return NOTHING_SHARED
    archive = _FORMAT.open(blob)
    head = archive.head
    fits = {
        name: PooledFit(archive.file(name), WidthModel.from_head(widths))
        for name, widths in head["widths"].items()
    }
    newest = fits.pop(_NEWEST, None)
    sections = CrossSections(*(archive.array(f"{c.name}.npy") for c in fields(CrossSections)))
    prior = None
    if "prior" in head:
        stored = head["prior"]
        numbers = (np.asarray(stored[name]) for name in ("weights", "advantage", "spread"))
        prior = Prior(tuple(stored["members"]), *numbers)
    return Universe(
        {int(name): fit for name, fit in fits.items()},
        newest,
        sections,
        head["scale"],
        prior,
        digests.of_artifact(blob),
    )


_hash_of_model: Callable[[bytes], bytes] = lru_cache(maxsize=16)(digests.of_model)
