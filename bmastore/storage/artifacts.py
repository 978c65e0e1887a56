"""Files of trained ensembles beside the store, verified by their hash.

A file is named by the SHA-256 of its bytes, so that no user text becomes a
path and a file can only hold what its name says.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from bmastore import digests
from bmastore.errors import ArtifactError

_REPAIR = "train this stock again, by `bmastore train --all --tickers` and its name"


def path_of(folder: Path, sha256: str) -> Path:
    """Where the artifact with this hash lies below the store's model folder."""
    return folder / sha256[:2] / f"{sha256}.bma"


def write(folder: Path, blob: bytes, sha256: str) -> None:
    """Write an artifact under a temporary name and rename it into place."""
    path = path_of(folder, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(blob)
    if path.is_dir():
        _remove(path)
    temporary.replace(path)


def read(folder: Path, sha256: str) -> bytes:
    """Bytes of an artifact, after checking that they are those that were stored.

    Raises
    ------
    ArtifactError
        If the file is missing or corrupt, or is no file.
    """
    path = path_of(folder, sha256)
    try:
        blob = _read_file(path)
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing; {_REPAIR}") from None
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read, {error.strerror}; {_REPAIR}") from None
    if digests.of_artifact(blob) != sha256:
        raise ArtifactError(f"{path} is corrupt, its SHA-256 is another; {_REPAIR}")
    return blob


def _read_file(path: Path) -> bytes:
    # Without waiting: nobody may ever write to a pipe that lies in its place.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        return file.read()


def delete(folder: Path, hashes: Iterable[str]) -> None:
    """Delete artifacts that nothing needs any more."""
    for sha256 in hashes:
        path_of(folder, sha256).unlink(missing_ok=True)


def sweep(folder: Path, keep: set[str]) -> None:
    """Delete every artifact whose hash is not in ``keep``, and left-over temporary files."""
    for path in folder.glob("??/*"):
        if path.suffix != ".bma" or path.stem not in keep:
            _remove(path)


def _remove(path: Path) -> None:
    """Delete a file, or a folder that somebody has put in the place of one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
