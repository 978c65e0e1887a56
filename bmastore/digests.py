"""Content hashes: what makes two things the same for the ledger.

None depends on the version of a database or of NumPy. Changing one makes every stored hash
differ: all stocks would be stale.
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bmastore.arrays import StockArrays

_SIZE = 16
# Hex digits of the digest of a stock's rows, which every entry keeps: that any of a million changes
# goes unseen has a probability of 4e-9.
_OF_ROWS = 12


def of_artifact(blob: bytes) -> str:
    """SHA-256 as 64 hex digits: the name of an artifact's file."""
    return hashlib.sha256(blob).hexdigest()


def of_text(text: str) -> str:
    """32 hex digits of BLAKE2b: ``config_hash`` of the ledger, of a config's canonical JSON."""
    return hashlib.blake2b(text.encode(), digest_size=_SIZE).hexdigest()


def of_model(blob: bytes) -> bytes:
    """16 bytes of BLAKE2b: what a fold remembers of the pooled model that it used."""
    return hashlib.blake2b(blob, digest_size=_SIZE).digest()


def of_arrays(*arrays: "NDArray[np.generic] | None", salt: bytes = b"") -> str:
    """32 hex digits of BLAKE2b over the arrays' bytes, one after another; ``None`` is left out."""
    content = hashlib.blake2b(salt, digest_size=_SIZE)
    for array in arrays:
        if array is not None:
            content.update(_contiguous(array).view("u1").data)
    return content.hexdigest()


def of_rows(stock: "StockArrays", features: Sequence[str]) -> str:
    """``data_digest`` of the ledger: the first 12 hex digits of BLAKE2b over a stock's rows.

    It covers dates, feature names and values, targets and label ends, of all
    rows: a row that waits for its label is to be forecast anew when it
    changes.
    """
    content = hashlib.blake2b(digest_size=_SIZE)
    content.update("\0".join(features).encode())
    for array in (
        stock.dates.astype("datetime64[D]").astype("<i4"),
        stock.label_ends.astype("datetime64[D]").astype("<i8"),
        stock.X.astype("<f4"),
        stock.y.astype("<f8"),
    ):
        content.update(_contiguous(array).data)
    return content.hexdigest()[:_OF_ROWS]


def _contiguous(array: "NDArray[np.generic]") -> "NDArray[np.generic]":
    return array if array.flags.c_contiguous else array.copy(order="C")
