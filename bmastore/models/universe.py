"""A universe: what all stocks of a store share, as it was known on its anchor date.

Pooled models, cross-sections and a prior for every stock's weights. As bytes it is an
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
from bmastore.models.members.base import Lent
from bmastore.models.prior import Prior

# Raise it with what Format says; a universe of another number is made anew by the next pass,
# and tests/models/test_universe.py reads one of each.
_FORMAT = Format("universe", 2, "bmastore train")
# Name of the pooled model that forecasts, among those of the fold cells.
_NEWEST = "newest"


@dataclass(frozen=True)
class Universe:
    """What stocks share; :data:`NOTHING_SHARED` where they share nothing.

    Attributes
    ----------
    models:
        Pooled models by fold cell, each learnt from labels known before the cell's first day.
    newest:
        The pooled model of all labels known before the anchor, ``None`` if they were too few.
    sections:
        Cross-sections of the dates before the anchor, and of newer ones that are needed.
    scale:
        Median over stocks of their typical move.
    prior:
        What it says of the members; ``None`` until they have been compared.
    sha256:
        Hash of its bytes; ``None`` before it has any.
    """

    models: Mapping[int, bytes]
    newest: bytes | None
    sections: CrossSections
    scale: float
    prior: Prior | None
    sha256: str | None = field(default=None, compare=False)

    def of_fold(self, cell: int) -> Lent:
        """What a stock borrows in a fold."""
        return Lent(self.models.get(cell), self.scale)

    def of_final_fit(self) -> Lent:
        """What a stock borrows in its final fit."""
        return Lent(self.newest, self.scale)

    def digest_of_fold(self, cell: int) -> bytes:
        """Hash of the pooled model of a fold; empty where there is none."""
        model = self.models.get(cell)
        return b"" if model is None else _hash_of_model(model)

    def relative(self, dates: Dates, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features relative to their date's cross-section, shape (n, p)."""
        return self.sections.relative(dates, X)

    def then(self, recent: CrossSections | None) -> "Universe":
        """This universe with the cross-sections of newer dates as well."""
        if recent is None:
            return self
        return replace(self, sections=self.sections.then(recent))

    def to_bytes(self) -> bytes:
        """The universe as bytes, equal for equal models."""
        files = {str(cell): model for cell, model in self.models.items()}
        if self.newest is not None:
            files[_NEWEST] = self.newest
        head: dict[str, Any] = {"scale": self.scale, "models": sorted(files)}
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
    models = {name: archive.file(name) for name in head["models"]}
    newest = models.pop(_NEWEST, None)
    sections = CrossSections(*(archive.array(f"{c.name}.npy") for c in fields(CrossSections)))
    prior = None
    if "prior" in head:
        stored = head["prior"]
        numbers = (np.asarray(stored[name]) for name in ("weights", "advantage", "spread"))
        prior = Prior(tuple(stored["members"]), *numbers)
    return Universe(
        {int(name): model for name, model in models.items()},
        newest,
        sections,
        head["scale"],
        prior,
        digests.of_artifact(blob),
    )


_hash_of_model: Callable[[bytes], bytes] = lru_cache(maxsize=16)(digests.of_model)
