"""Plots of a page, as values: what they show, and a sentence that says how to read it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from bmastore.table import Table


@dataclass(frozen=True)
class Plot:
    """Lines over time, with bands between some of them.

    Attributes
    ----------
    title, reading:
        What it is, and how to read it.
    times:
        Shape (n,): seconds since 1970.
    lines:
        By label, n values; ``None`` where there is none.
    bands:
        Pairs of labels, upper and lower, the space between which is filled.
    points:
        Labels of lines that are drawn as points.
    level:
        A value at which a line goes through the plot.
    """

    title: str
    reading: str
    times: tuple[float, ...]
    lines: Mapping[str, Sequence[float | None]]
    bands: tuple[tuple[str, str], ...] = ()
    points: tuple[str, ...] = ()
    level: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value is not None for line in self.lines.values() for value in line)

    def to_json(self) -> str:
        """What the script in the page draws."""
        content = {
            "times": self.times,
            "lines": [{"label": name, "values": list(line)} for name, line in self.lines.items()],
            "bands": self.bands,
            "points": self.points,
            "level": self.level,
        }
        # Inside of a script element, the end of one would end it.
        return json.dumps(content).replace("<", "\\u003c")


def plot(
    table: Table,
    time: str,
    lines: Mapping[str, str],
    *,
    title: str,
    reading: str,
    **how: Any,
) -> Plot:
    """A plot of columns of a table, by label, over one of dates or times."""
    places = {name: i for i, name in enumerate(table.columns)}
    rows = sorted(table.rows, key=lambda row: row[places[time]])
    return Plot(
        title,
        reading,
        tuple(_seconds(row[places[time]]) for row in rows),
        {label: [row[places[column]] for row in rows] for label, column in lines.items()},
        **how,
    )


def plot_long(
    table: Table, time: str, label: str, value: str, *, title: str, reading: str, **how: Any
) -> Plot:
    """A plot of a long table: one line for each label."""
    at = {name: i for i, name in enumerate(table.columns)}
    found = {(row[at[time]], row[at[label]]): row[at[value]] for row in table.rows}
    times = sorted({when for when, _ in found})
    labels = sorted({name for _, name in found})
    return Plot(
        title,
        reading,
        tuple(_seconds(when) for when in times),
        {name: [found.get((when, name)) for when in times] for name in labels},
        **how,
    )


def _seconds(when: date | datetime) -> float:
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day)
    return when.replace(tzinfo=UTC).timestamp()
