"""How artifacts go between workers and the store's folder of them.

Workers that see the folder read and write there themselves: on this machine, or where hosts share a
file system. To others the coordinator sends what they need, and stores what they send back.
"""

import os
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from bmastore import digests
from bmastore.errors import ArtifactError
from bmastore.models.config import FitConfig
from bmastore.models.results import FitResult, Remembered
from bmastore.storage import artifacts
from bmastore.training.jobs import Comparison, compare_chunk, fit_chunk
from bmastore.workers.chunks import Chunk, Outcome


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


def compare_and_leave(chunk: Chunk, config: FitConfig, folder: ModelsFolder) -> Comparison:
    """Compare the members in a worker that sees the folder; what folds hold is left there."""
    found = compare_chunk(chunk, config)
    left = [replace(one, remembered=_left(one.remembered, folder)) for one in found.stocks]
    return replace(found, stocks=left)


def store_rest(folder: Path, result: FitResult) -> None:
    """Store the artifact of a result that came with it."""
    if result.artifact:
        artifacts.write(folder, result.artifact, result.artifact_sha256)


def _delivered(outcome: Outcome[FitResult], folder: ModelsFolder) -> Outcome[FitResult]:
    result = outcome.result
    if result is None:
        return outcome
    try:
        artifacts.write(folder.path, result.artifact, result.artifact_sha256)
    except OSError:  # the coordinator meets the same, and ends the pass with it
        return outcome
    return replace(outcome, result=replace(result, artifact=b""))


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
