"""How artifacts, and what pooled models learn from, go between workers and the store's folder.

Workers that see the folder read and write there themselves: on this machine, or where hosts share a
file system. To others the coordinator sends what they need, and stores what they send back.
"""

import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from bmastore import digests
from bmastore.arrays import Labels
from bmastore.cross_section import CrossSections
from bmastore.errors import ArtifactError
from bmastore.models.config import FitConfig
from bmastore.models.results import FitResult, Remembered
from bmastore.storage import artifacts
from bmastore.training.jobs import Comparison, compare_chunk, fit_chunk, fit_pooled
from bmastore.workers.chunks import Chunk, Outcome

if TYPE_CHECKING:
    from bmastore.models.universe import PooledFit

Arrays = TypeVar("Arrays", Labels, CrossSections)
# Compares the members on a chunk of stocks; it must be picklable.
Compare = Callable[[Chunk, FitConfig], Comparison]
# Fits the pooled model of a day to labels that its worker finds itself, ``None`` where it does not
# find them; it must be picklable.
FitFound = Callable[[date, FitConfig], "PooledFit | None"]


@dataclass(frozen=True)
class Delivery:
    """How workers come by what a universe is made from.

    Attributes
    ----------
    compare:
        Compares the members on stocks that are sent.
    leave:
        Leaves labels and their cross-sections where workers find them, for as long as the context
        lasts; gives what fits pooled models to them, or ``None`` where rows are to be sent.
    """

    compare: Compare
    leave: Callable[[Labels, CrossSections], AbstractContextManager[FitFound | None]]


# All that is needed is sent.
SENT = Delivery(compare_chunk, lambda labels, sections: nullcontext(None))


@dataclass(frozen=True)
class ModelsFolder:
    """A store's folder of artifacts, and the run that shows it to workers."""

    path: Path
    run_id: str

    def show(self) -> None:
        """Leave a sign in it that only this run has; it is swept with what nothing refers to."""
        self._sign.parent.mkdir(parents=True, exist_ok=True)
        self._sign.write_text(self.run_id)

    def is_seen(self) -> bool:
        """Whether this process sees the very folder, and writes there as whoever runs the pass.

        Under the same path another host may have a copy, or nothing.
        """
        try:
            is_ours = not hasattr(os, "geteuid") or self._sign.stat().st_uid == os.geteuid()
            return is_ours and self._sign.read_text() == self.run_id
        except OSError:
            return False

    @property
    def labels(self) -> Path:
        """Where the run leaves labels; swept like the sign."""
        return self._sign.with_suffix(".npz")

    @property
    def _sign(self) -> Path:
        return self.path / self.run_id[:2] / f"{self.run_id}.run"


def fit_and_deliver(
    chunk: Chunk, config: FitConfig, folder: ModelsFolder
) -> list[Outcome[FitResult]]:
    """Train a chunk in a worker; results come without their artifacts where these were stored."""
    if not _is_seen(folder):
        return fit_chunk(chunk, config)
    known = tuple(_with_artifact(one, folder) for one in chunk.remembered)
    outcomes = fit_chunk(replace(chunk, remembered=known), config)
    return [_delivered(one, folder) for one in outcomes]


def through(folder: ModelsFolder) -> Delivery:
    """Delivery by way of a folder that workers see."""
    return Delivery(partial(_compare_and_leave, folder=folder), partial(_labels_in, folder))


@contextmanager
def _labels_in(
    folder: ModelsFolder, labels: Labels, sections: CrossSections
) -> Iterator[FitFound | None]:
    try:
        try:
            with folder.labels.open("wb") as file:
                np.savez(file, **_named(labels), **_named(sections))
        except OSError:  # no room, perhaps: rows are sent
            yield None
        else:
            yield partial(_fit_found, folder=folder)
    finally:
        folder.labels.unlink(missing_ok=True)


def _named(arrays: Labels | CrossSections) -> dict[str, Any]:
    kind = type(arrays).__name__
    return {f"{kind}.{field.name}": getattr(arrays, field.name) for field in fields(arrays)}


def _read(kind: type[Arrays], found: Mapping[str, Any]) -> Arrays:
    return kind(**{field.name: found[f"{kind.__name__}.{field.name}"] for field in fields(kind)})


def _fit_found(day: date, config: FitConfig, folder: ModelsFolder) -> "PooledFit | None":
    """Fit a pooled model in a worker to labels in the folder."""
    if not _is_seen(folder):
        return None
    try:
        with np.load(folder.labels, allow_pickle=False) as found:
            labels, sections = _read(Labels, found), _read(CrossSections, found)
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        zipfile.BadZipFile,
    ):  # cut off, say: rows are sent
        return None
    rows = labels.known_before(day)
    # With hundreds of features the rest takes as much memory again.
    del labels
    return fit_pooled(rows, sections.before(np.datetime64(day)), config)


def _compare_and_leave(chunk: Chunk, config: FitConfig, folder: ModelsFolder) -> Comparison:
    """Compare the members in a worker that sees the folder; what folds hold is left there."""
    found = compare_chunk(chunk, config)
    left = [replace(one, remembered=_left(one.remembered, folder)) for one in found.stocks]
    return replace(found, stocks=left)


def stored(outcome: Outcome[FitResult], folder: Path) -> Outcome[FitResult]:
    """An outcome without its artifact, which lies in the folder then if it came with it."""
    result = outcome.result
    if result is None or not result.artifact:
        return outcome
    artifacts.write(folder, result.artifact, result.artifact_sha256)
    return replace(outcome, result=replace(result, artifact=b""))


def _delivered(outcome: Outcome[FitResult], folder: ModelsFolder) -> Outcome[FitResult]:
    try:
        return stored(outcome, folder.path)
    except OSError:  # the coordinator meets the same, and ends the pass with it
        return outcome


def _left(remembered: Remembered, folder: ModelsFolder) -> Remembered:
    sha256 = digests.of_artifact(remembered.artifact)
    try:
        artifacts.write(folder.path, remembered.artifact, sha256)
    except OSError:  # it is sent back
        return remembered
    return replace(remembered, artifact=b"", artifact_sha256=sha256)


def _with_artifact(remembered: Remembered | None, folder: ModelsFolder) -> Remembered | None:
    if remembered is None or remembered.artifact_sha256 is None:
        return remembered
    try:
        blob = artifacts.read(folder.path, remembered.artifact_sha256)
    except ArtifactError:  # a damaged one is not needed: its folds are fitted again
        return None
    return replace(remembered, artifact=blob)


@cache
def _is_seen(folder: ModelsFolder) -> bool:
    return folder.is_seen()
