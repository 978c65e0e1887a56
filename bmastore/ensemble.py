"""A trained ensemble: fitted members, their weights and error scales, its forecasts, its bytes.

As bytes it is a zip archive: ``ensemble.json``, and one file a member in its
library's own format, never a pickle. Beside the members lie those of the
newest walk-forward fold, which tomorrow predict that fold's new rows.
"""

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from lightgbm import Booster
from numpy.typing import NDArray

from bmastore import bma
from bmastore.arrays import Dates
from bmastore.errors import ArtifactError
from bmastore.exchange import Forecasts
from bmastore.members import REGISTRY, FittedMember
from bmastore.members.pooled import PooledMember
from bmastore.shared import pack
from bmastore.universe import load as load_universe

_FORMAT = 1


@dataclass(frozen=True)
class FoldModels:
    """The members of one walk-forward fold, as bytes, in the order of the config's members."""

    number: int
    blobs: tuple[bytes, ...]

    def members(self, names: Sequence[str], pooled: PooledMember | None) -> list[FittedMember]:
        """The members, read back; the pooled one is the universe's."""
        return [
            pooled if name == "pooled" and pooled is not None else REGISTRY[name].from_bytes(blob)
            for name, blob in zip(names, self.blobs, strict=True)
        ]


@dataclass(frozen=True)
class Ensemble:
    """Members with their weights and error scales, in the same order.

    Attributes
    ----------
    names:
        Members' names, length k.
    members:
        The fitted members, length k.
    weights, scales:
        float64, shape (k,): posterior weights, and scales of the members'
        Student-t errors in units of the target.
    features:
        Names of the p columns that ``forecast`` expects, in order.
    universe_sha256:
        Artifact of the universe whose pooled model it uses, if any.
    """

    names: tuple[str, ...]
    members: tuple[FittedMember, ...]
    weights: NDArray[np.float64]
    scales: NDArray[np.float64]
    features: tuple[str, ...]
    universe_sha256: str | None = None

    def forecast(
        self, dates: Dates, X: NDArray[np.float32], relative: NDArray[np.float32] | None = None
    ) -> Forecasts:
        """Forecasts for rows at ``dates``, shape (n,); see :func:`predict_with` for the others."""
        centres = predict_with(self.members, X, relative)
        return Forecasts(
            dates,
            bma.mixture_mean(centres, self.weights),
            bma.mixture_sd(centres, self.scales, self.weights),
            bma.mixture_quantiles(centres, self.scales, self.weights),
        )


def predict_with(
    members: Sequence[FittedMember],
    X: NDArray[np.float32],
    relative: NDArray[np.float32] | None = None,
) -> NDArray[np.float64]:
    """Predictions of k members, shape (n, k).

    Parameters
    ----------
    X:
        Features, shape (n, p).
    relative:
        The same relative to their date's cross-section, which the pooled member takes;
        ``None`` where it is not among the members.
    """
    columns = []
    for member in members:
        taken = relative if isinstance(member, PooledMember) else X
        assert taken is not None
        columns.append(member.predict(taken))
    return np.column_stack(columns)


def dump(ensemble: Ensemble, newest_fold: FoldModels) -> bytes:
    """The ensemble and its newest fold as bytes, equal for equal models."""
    head = {
        "format": _FORMAT,
        "members": list(ensemble.names),
        "weights": ensemble.weights.tolist(),
        "scales": ensemble.scales.tolist(),
        "features": list(ensemble.features),
        "universe": ensemble.universe_sha256,
        "fold": newest_fold.number,
        "fold_members": len(newest_fold.blobs),
    }
    files = {"ensemble.json": json.dumps(head).encode()}
    for name, member in zip(ensemble.names, ensemble.members, strict=True):
        files[f"member.{name}"] = member.to_bytes()
    for i, blob in enumerate(newest_fold.blobs):
        files[f"fold.{i}"] = blob
    return pack(files)


def load(blob: bytes, read_universe: Callable[[str], bytes]) -> Ensemble:
    """The ensemble that :func:`dump` wrote.

    ``read_universe`` gives the verified bytes of a universe by its hash.

    The bytes must be those: LightGBM and XGBoost may crash the process on
    corrupt models, which is why :func:`bmastore.storage.artifacts.read` checks a hash.

    Raises
    ------
    ArtifactError
        If a later bmastore wrote them.
    """
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        head = _read_head(archive)
        names = tuple(head["members"])
        sha256 = head["universe"]
        newest = load_universe(read_universe(sha256)).newest if sha256 else None
        members = tuple(_read_member(archive, name, newest) for name in names)
    return Ensemble(
        names,
        members,
        np.asarray(head["weights"]),
        np.asarray(head["scales"]),
        tuple(head["features"]),
        sha256,
    )


def load_fold(blob: bytes) -> FoldModels:
    """The models of the newest fold that :func:`dump` wrote.

    Raises
    ------
    ArtifactError
        If a later bmastore wrote them.
    """
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        head = _read_head(archive)
        blobs = tuple(archive.read(f"fold.{i}") for i in range(head["fold_members"]))
    return FoldModels(head["fold"], blobs)


def _read_member(archive: zipfile.ZipFile, name: str, newest: Booster | None) -> FittedMember:
    blob = archive.read(f"member.{name}")
    if name == "pooled":
        return PooledMember(newest, float(blob))
    return REGISTRY[name].from_bytes(blob)


def _read_head(archive: zipfile.ZipFile) -> dict[str, Any]:
    head: dict[str, Any] = json.loads(archive.read("ensemble.json"))
    if head["format"] != _FORMAT:
        raise ArtifactError(
            f"the stored ensemble has format {head['format']}, this bmastore reads {_FORMAT}; "
            f"run: pip install --upgrade bmastore"
        )
    return head
