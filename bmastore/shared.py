"""A universe as it is stored: pooled models as text, and a prior for every stock's weights.

As bytes it is a zip archive: ``universe.json`` and one pooled model a fold cell in
LightGBM's own format, never a pickle. The coordinator imports this room and not
``universe``, so that it need not wait for LightGBM.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmastore.errors import ArtifactError

# Labels that a stock's typical move needs; with fewer, it is the universe's median one.
MIN_MOVES = 20
# Share of the prior that goes to all members alike, so that the evidence of one stock can
# bring back a member that the universe gives no weight.
_UNIFORM = 0.05
_FORMAT = 1
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
    """Pooled models by fold cell number, the final one as ``newest``; see :func:`dump`."""

    models: dict[str, bytes]
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
        If a later bmastore wrote it.
    """
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        head = json.loads(archive.read("universe.json"))
        if head["format"] != _FORMAT:
            raise ArtifactError(
                f"the stored universe has format {head['format']}, this bmastore reads {_FORMAT}; "
                f"run: pip install --upgrade bmastore"
            )
        models = {name: archive.read(name) for name in head["models"]}
    prior = None
    if "prior" in head:
        stored = head["prior"]
        numbers = (np.asarray(stored[name]) for name in ("weights", "advantage", "spread"))
        prior = Prior(tuple(stored["members"]), *numbers)
    return StoredUniverse(models, head["scale"], prior)
