"""Files of trained ensembles beside the store, verified by their hash.

A file is named by the SHA-256 of its bytes, so that no user text becomes a
path and a file can only hold what its name says.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from bmastore import digests
from bmastore.errors import ArtifactError

_REPAIR = "train this stock again: bmastore train --all --tickers TICKER"


def path_of(folder: Path, sha256: str) -> Path:
    """Where the artifact with this hash lies below the store's model folder."""
    return folder / sha256[:2] / f"{sha256}.bma"


def write(folder: Path, blob: bytes, sha256: str) -> None:
    """Write an artifact under a temporary name and rename it into place."""
    path = path_of(folder, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(blob)
    temporary.replace(path)


def read(folder: Path, sha256: str) -> bytes:
    """Bytes of an artifact, after checking that they are those that were stored.

    Raises
    ------
    ArtifactError
        If the file is missing or corrupt.
    """
    path = path_of(folder, sha256)
    try:
        blob = path.read_bytes()
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing; {_REPAIR}") from None
    if digests.of_artifact(blob) != sha256:
        raise ArtifactError(f"{path} is corrupt, its SHA-256 is another; {_REPAIR}")
    return blob


def delete(folder: Path, hashes: Iterable[str]) -> None:
    """Delete artifacts that nothing needs any more."""
    for sha256 in hashes:
        path_of(folder, sha256).unlink(missing_ok=True)


def sweep(folder: Path, keep: set[str]) -> None:
    """Delete every artifact whose hash is not in ``keep``, and left-over temporary files."""
    for path in folder.glob("??/*"):
        if path.suffix != ".bma" or path.stem not in keep:
            path.unlink(missing_ok=True)
