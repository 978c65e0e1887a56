"""Types of members of somebody's own: what is read from a store only if its reader trusts it."""

from collections import defaultdict
from collections.abc import Sequence

from bmastore.models.ensemble import own_types
from bmastore.storage import artifacts
from bmastore.storage.session import Reader
from bmastore.storage.statements import ask
from bmastore.table import Table

_COLUMNS = {"type": "VARCHAR", "member": "VARCHAR", "stocks": "BIGINT", "trusted": "BOOLEAN"}


def types_of_members(reader: Reader, trusted: Sequence[str]) -> Table:
    """Types in the ensembles in use that are read only if they are trusted; none is read.

    One row per type and member, with the number of stocks that have it, and whether it is among
    those that are ``trusted``.

    Raises
    ------
    ArtifactError
        If an ensemble is missing or malformed.
    """
    stocks: dict[tuple[str, str], int] = defaultdict(int)
    for (sha256,) in ask(
        reader.duck, "select artifact_sha256 from v_latest order by all"
    ).fetchall():
        for member, types in own_types(artifacts.read(reader.models, sha256)).items():
            for one in types:
                stocks[one, member] += 1
    rows = [(one, member, n, one in trusted) for (one, member), n in sorted(stocks.items())]
    return Table(tuple(_COLUMNS), tuple(_COLUMNS.values()), rows)
