"""A universe as it is stored: pooled models as text, and a prior for every stock's weights.

As bytes it is a zip archive: ``universe.json``, one pooled model a fold cell in
LightGBM's own format and the cross-sections in NumPy's, never a pickle. The
coordinator imports this room and not ``universe``, so that it need not wait for
LightGBM.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmastore.cross_section import CrossSections
from bmastore.errors import ArtifactError

# Labels that a stock's typical move needs; with fewer, it is the universe's median one.
MIN_MOVES = 20
# Share of the prior that goes to all members alike, so that the evidence of one stock can
# bring back a member that the universe gives no weight.
_UNIFORM = 0.05
_FORMAT = 2
# Zip archives carry a time of day; a fixed one keeps equal models equal bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Prior:
    """What the universe says of each member, before a stock's own evidence.

    Attributes
    ----------
    members:
        Names, length k.
    weights:
        Shape (k,): weights that forecast best over the whole sample of stocks.
    advantage:
        Shape (k,): mean log score relative to the leading member, a row.
    spread:
        Shape (k,): variance of that advantage between stocks, beyond noise.
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


@dataclass(frozen=True)
class StoredUniverse:
    """Pooled models by fold cell number, the final one as ``newest``; see :func:`dump`.

    ``sections`` are the cross-sections of the dates before the anchor.
    """

    models: dict[str, bytes]
    sections: CrossSections
    scale: float
    prior: Prior | None


@dataclass(frozen=True)
class NewUniverse:
    """A new universe: its bytes, and what the ledger records of it; ``fit_s``: CPU seconds."""

    blob: bytes
    sha256: str
    anchor: date
    n_rows: int
    n_stocks: int
    fit_s: float
    prior: Prior


def dump(universe: StoredUniverse) -> bytes:
    """The universe as bytes, equal for equal models."""
    prior = universe.prior
    head: dict[str, Any] = {
        "format": _FORMAT,
        "scale": universe.scale,
        "models": sorted(universe.models),
    }
    if prior is not None:
        head["prior"] = {
            "members": list(prior.members),
            "weights": prior.weights.tolist(),
            "advantage": prior.advantage.tolist(),
            "spread": prior.spread.tolist(),
        }
    files = {"universe.json": json.dumps(head).encode(), **universe.models}
    for field in fields(CrossSections):
        files[f"{field.name}.npy"] = _array_bytes(getattr(universe.sections, field.name))
    return pack(files)


def pack(files: Mapping[str, bytes]) -> bytes:
    """Files as one zip archive, equal bytes for equal files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=1)
    return buffer.getvalue()


def read(blob: bytes) -> StoredUniverse:
    """The universe that :func:`dump` wrote.

    Raises
    ------
    ArtifactError
        If another bmastore wrote it, whose universes are not this one's.
    """
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        head = json.loads(archive.read("universe.json"))
        if head["format"] != _FORMAT:
            remedy = "bmastore train" if head["format"] < _FORMAT else "pip install -U bmastore"
            raise ArtifactError(
                f"the stored universe has format {head['format']}, this bmastore reads {_FORMAT}; "
                f"run: {remedy}"
            )
        models = {name: archive.read(name) for name in head["models"]}
        arrays = (_read_array(archive, f"{field.name}.npy") for field in fields(CrossSections))
        sections = CrossSections(*arrays)
    prior = None
    if "prior" in head:
        stored = head["prior"]
        numbers = (np.asarray(stored[name]) for name in ("weights", "advantage", "spread"))
        prior = Prior(tuple(stored["members"]), *numbers)
    return StoredUniverse(models, sections, head["scale"], prior)


def _array_bytes(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _read_array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    result: NDArray[Any] = np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
    return result
