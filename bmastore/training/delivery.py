"""How ensembles come into the store's folder of artifacts.

Workers that see the folder put them there themselves: on this machine, or where hosts share a file
system. From others they come back with the results, and the coordinator stores them.
"""

import os
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from bmastore.models.config import FitConfig
from bmastore.models.results import FitResult
from bmastore.storage import artifacts
from bmastore.training.jobs import fit_chunk
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
    outcomes = fit_chunk(chunk, config)
    return [_delivered(one, folder) for one in outcomes] if _is_seen(folder) else outcomes


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


@cache
def _is_seen(folder: ModelsFolder) -> bool:
    return folder.is_seen()
