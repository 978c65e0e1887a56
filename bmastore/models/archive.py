"""Files in one zip archive: how ensembles and universes are stored. Never a pickle.

The first file is a JSON head that carries the format's number.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from bmastore.errors import ArtifactError

Arguments = ParamSpec("Arguments")
Read = TypeVar("Read")

# Zip archives carry a time of day; a fixed one keeps equal models equal bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Format:
    """A kind of archive: what it holds, its number, and what reads an older one.

    Raise ``number`` when a reader of the number before would misread the archive. A reader
    knows one number; ``remedy`` is the command that makes an archive of another number anew.
    """

    what: str
    number: int
    remedy: str

    def pack(self, head: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
        """Head and files as one archive, equal bytes for equal content."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            first = json.dumps({"format": self.number, **head}).encode()
            for name, content in {f"{self.what}.json": first, **files}.items():
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content, compresslevel=1)
        return buffer.getvalue()

    def reader(self, read: Callable[Arguments, Read]) -> Callable[Arguments, Read]:
        """Have a function that reads such archives say so where one is malformed.

        Somebody else's may be, whatever its hash.
        """

        @wraps(read)
        def careful(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Read:
            try:
                return read(*args, **kwargs)
            except ArtifactError:
                raise
            except Exception as error:  # noqa: BLE001  whatever the libraries raise
                raise ArtifactError(
                    f"the stored {self.what} is malformed ({type(error).__name__}: {error}); "
                    f"run: {self.remedy}"
                ) from None

        return careful

    def open(self, blob: bytes) -> "Archive":
        """What :meth:`pack` wrote.

        The bytes must be those: LightGBM and XGBoost may crash the process on corrupt
        models, so verify a hash before.

        Raises
        ------
        ArtifactError
            If it has another format's number.
        """
        zipped = zipfile.ZipFile(io.BytesIO(blob))
        head: dict[str, Any] = json.loads(zipped.read(f"{self.what}.json"))
        if head["format"] != self.number:
            remedy = self.remedy if head["format"] < self.number else "pip install -U bmastore"
            raise ArtifactError(
                f"the stored {self.what} has format {head['format']}, this bmastore reads "
                f"{self.number}; run: {remedy}"
            )
        return Archive(head, zipped)


@dataclass(frozen=True)
class Archive:
    """An archive that is open: its head, and its files by name."""

    head: dict[str, Any]
    _zipped: zipfile.ZipFile

    def file(self, name: str) -> bytes:
        """Content of a file."""
        return self._zipped.read(name)

    def array(self, name: str) -> NDArray[Any]:
        """The array that :func:`array_bytes` wrote."""
        result: NDArray[Any] = np.load(io.BytesIO(self.file(name)), allow_pickle=False)
        return result


def array_bytes(array: NDArray[Any]) -> bytes:
    """An array in NumPy's own format."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
