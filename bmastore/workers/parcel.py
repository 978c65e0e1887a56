"""A chunk as it goes over a network."""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from bmastore.arrays import Dates
from bmastore.cross_section import CrossSections
from bmastore.workers.chunks import Chunk

_NO_DATES = np.empty(0, "datetime64[D]")


@dataclass(frozen=True)
class Parcel:
    """A chunk without what it shares, and with its dates packed.

    They are a fifth of a row, and next to nothing when packed, for most lie one day or three
    after the one before.
    """

    chunk: Chunk
    dates: bytes
    label_ends: bytes

    @classmethod
    def of(cls, chunk: Chunk) -> "Parcel":
        """A chunk, packed."""
        rows = replace(chunk.rows, dates=_NO_DATES, label_ends=_NO_DATES)
        rest = replace(chunk, rows=rows, universe=b"", recent=None)
        return cls(rest, _packed(chunk.rows.dates), _packed(chunk.rows.label_ends))

    def unpacked(self, universe: bytes, recent: CrossSections | None) -> Chunk:
        """The chunk, with what it shares."""
        rows = replace(
            self.chunk.rows, dates=_unpacked(self.dates), label_ends=_unpacked(self.label_ends)
        )
        return replace(self.chunk, rows=rows, universe=universe, recent=recent)


def _packed(dates: Dates) -> bytes:
    days = dates.astype("datetime64[D]").astype(np.int64)
    return zlib.compress(np.diff(days, prepend=0).tobytes(), 1)


def _unpacked(packed: bytes) -> Dates:
    # What a NaT lets flow over flows back.
    days = np.cumsum(np.frombuffer(zlib.decompress(packed), np.int64))
    return days.astype("datetime64[D]")
