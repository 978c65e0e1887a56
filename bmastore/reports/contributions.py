"""What forecasts are the sums of, as a long table."""

from collections.abc import Iterator, Sequence
from datetime import date
from math import isnan
from typing import Any

from bmastore.models.results import Contributions
from bmastore.table import Table

# What a row tells of: the part of a member's forecast that no feature has moved, what a feature
# adds to it, or all of it where features cannot be told apart.
BASE, FEATURE, UNDIVIDED = "base", "feature", "undivided"
_COLUMNS = {
    "ticker": "VARCHAR",
    "date": "DATE",
    "target": "VARCHAR",
    "member": "VARCHAR",
    "weight": "DOUBLE",
    "part": "VARCHAR",
    "feature": "VARCHAR",
    "value": "FLOAT",
    "contribution": "DOUBLE",
}


def contribution_table(found: Sequence[tuple[str, object]], target: str) -> Table:
    """A row per stock, date, member with weight, and part of what it adds to the forecast.

    The contributions of a stock and date sum to its ``mean``; ``part`` says of what a row tells,
    and has a ``feature`` with its ``value`` where it is one.
    """
    rows = [
        (ticker, day, target, *row)
        for ticker, one in found
        if isinstance(one, Contributions)
        for day, row in _rows(one)
    ]
    return Table(tuple(_COLUMNS), tuple(_COLUMNS.values()), rows)


def _rows(one: Contributions) -> Iterator[tuple[date, tuple[Any, ...]]]:
    """Date, and what follows the target, of each row about a stock."""
    values = [[None if isnan(value) else value for value in row] for row in one.values.tolist()]
    shares = (one.centres * one.weights).tolist()
    parts = one.parts.tolist()
    for i, day in enumerate(one.dates.tolist()):
        for j, (member, weight) in enumerate(zip(one.members, one.weights.tolist(), strict=True)):
            *moved, base = parts[i][j]
            if isnan(base):
                yield day, (member, weight, UNDIVIDED, None, None, shares[i][j])
                continue
            yield day, (member, weight, BASE, None, None, base)
            for feature, value, part in zip(one.features, values[i], moved, strict=True):
                yield day, (member, weight, FEATURE, feature, value, part)
