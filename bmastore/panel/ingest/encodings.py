"""How the bytes of a text file become text: compression and encoding."""

import bz2
import codecs
import gzip
import io
import lzma
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from bmastore.panel.ingest.files import NotTakenError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EAST_ASIAN = ["gb18030", "big5", "shift_jis", "cp949", "euc_jp"]
_OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_HEAD = 1 << 16


@contextmanager
def unpacked(path: str) -> Iterator[IO[bytes]]:
    """The bytes of a file that may be compressed.

    Raises
    ------
    NotTakenError
        If it cannot be read or unpacked.
    """
    opener: Any = _OPENERS.get(Path(path).suffix.lower(), open)
    try:
        with opener(path, "rb") as content:
            yield content
    except (OSError, EOFError, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NotTakenError(f"cannot be read: {reason}") from None


def head_of(path: str) -> bytes:
    """The first bytes of a file, in whole lines where it is longer."""
    with unpacked(path) as content:
        head = content.read(_HEAD)
        while len(head) >= _HEAD and b"\n" not in head and b"\r" not in head:
            more = content.read(_HEAD * 16)
            if not more or len(head) > 1 << 26:
                break
            head += more
    return head


def encoding_of(head: bytes, is_whole: bool) -> str:
    """The encoding of a file that begins with ``head``."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    sample = head[: len(head) // 2 * 2]
    zeros = (sample[0::2].count(0), sample[1::2].count(0))
    if sample and max(zeros) > len(sample) // 5:
        return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, is_whole)
    except UnicodeDecodeError:
        return _not_utf8(head)
    return "utf-8"


def _not_utf8(sample: bytes) -> str:
    runs = re.findall(rb"[\x80-\xff]+", sample)
    if 2 * sum(len(run) == 1 for run in runs) >= len(runs):
        return "cp1252"  # single accents among ASCII letters
    from charset_normalizer import from_bytes

    cut = sample[: sample.rfind(b"\n") + 1] or sample
    best = from_bytes(cut, cp_isolation=[*_EAST_ASIAN, "cp1252", "cp1251", "cp1250"]).best()
    if best is not None:
        return best.encoding
    for name in _EAST_ASIAN:
        try:
            cut.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return "cp1252"


@contextmanager
def as_text(path: str, encoding: str) -> Iterator[io.TextIOWrapper]:
    """A file's text, with line ends as they are; bytes that are none in it become U+FFFD."""
    with (
        unpacked(path) as content,
        io.TextIOWrapper(content, encoding=encoding, errors="replace", newline="") as text,
    ):
        yield text


def first_bad_encoding(path: str) -> str | None:
    """The encoding of a file that was taken for UTF-8 and is not; ``None`` if it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with unpacked(path) as content:
        while block := content.read(1 << 20):
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return _not_utf8(block)
    return None
