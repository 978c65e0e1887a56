"""Files that users ask for: written whole or not at all, and never over something else.

``--output bma.duckdb`` would otherwise be the end of a store.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from bmastore.errors import BmastoreError, ConfigError

Kind = Literal["text", "parquet", "picture", "zip", "report"]
_SNIFFED = 4096
_REPORT = b'<meta name="generator" content="bmastore report">'
_PICTURES = (b"\x89PNG", b"%PDF", b"%!PS", b"\xff\xd8\xff", b"RIFF")


@contextmanager
def written_whole(path: Path, kind: Kind) -> Iterator[Path]:
    """Where to write an output; it takes its name when all of it is there.

    A device or a pipe is written as it is.

    Parameters
    ----------
    kind:
        What is written; a file that is there already has to be of the same kind.

    Raises
    ------
    ConfigError
        If there is something else at this path.
    BmastoreError
        If it cannot be written.
    """
    real = path.resolve()
    try:
        if real.exists() and not real.is_file() and not real.is_dir():
            yield path
            return
        check_output(path, kind)
        temporary = real.with_name(f".{real.name}.{os.getpid()}.tmp")
        try:
            yield temporary
            if real.exists():
                shutil.copymode(real, temporary)
            temporary.replace(real)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise BmastoreError(f"cannot write {path}: {error.strerror or error}") from None


def check_output(path: Path, kind: Kind) -> None:
    """See that an output may be written, before the work is done that is to end in it.

    Raises
    ------
    ConfigError
        If there is something else at this path, or no folder for it.
    """
    real = path.resolve()
    if not real.parent.is_dir():
        raise ConfigError(f"cannot write {path}: there is no folder {path.parent}")
    if real.is_dir():
        raise ConfigError(f"cannot write {path}: it is a folder; name a file in it")
    found = _kind_of(real) if real.is_file() else kind
    # A picture as SVG is text.
    if found != kind and (kind, found) != ("picture", "text"):
        raise ConfigError(
            f"cannot write {path}: {found} is there already, and is not written over; name "
            f"another file, or delete it"
        )


def _kind_of(file: Path) -> str:
    with file.open("rb") as opened:
        head = opened.read(_SNIFFED)
    if head[8:12] == b"DUCK":
        return "a DuckDB database"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(_PICTURES):
        return "picture"
    if _REPORT in head:
        return "report"
    return "text" if _is_text(head) else "a file of another kind"


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > _SNIFFED - 4  # a letter that was cut
    return True
