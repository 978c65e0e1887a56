"""What a page is made of. One template in ``templates/blocks`` shows each kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bmastore.dashboard.charts import Plot
from bmastore.dashboard.listing import Listing
from bmastore.table import Table


@dataclass(frozen=True)
class Tile:
    """A number with a name; ``href`` leads to what it counts."""

    label: str
    value: Any
    href: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Tiles:
    """Numbers side by side."""

    tiles: Sequence[Tile]


@dataclass(frozen=True)
class Bar:
    """A named value; ``share``, -1 to 1, is its part of the longest bar, to the left below 0."""

    label: str
    value: Any
    share: float
    href: str | None = None


@dataclass(frozen=True)
class Bars:
    """Bars below each other, each with its number."""

    title: str
    reading: str
    bars: Sequence[Bar]

    @property
    def zero(self) -> float:
        """Where all bars begin: at the left of their column, in its middle where some go left."""
        return 0.5 if any(bar.share < 0 for bar in self.bars) else 0.0


@dataclass(frozen=True)
class Facts:
    """Names and values of one thing."""

    title: str
    facts: Sequence[tuple[str, Any]]


@dataclass(frozen=True)
class Rows:
    """A table that is short enough to be shown whole."""

    title: str
    reading: str
    table: Table
    links: dict[str, str]


@dataclass(frozen=True)
class HeatMap:
    """Numbers by row and column, coloured from -``most`` to ``most``."""

    title: str
    reading: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[float | None]]]
    most: float


@dataclass(frozen=True)
class Running:
    """A pass that runs: how far it is, and how long it may still take, in seconds."""

    run_id: str
    done: int
    selected: int
    left_s: float | None


@dataclass(frozen=True)
class Note:
    """A sentence or two; ``command`` is what to type next, where there is something."""

    text: str
    command: str | None = None


@dataclass(frozen=True)
class Filter:
    """A field of the form above a page.

    ``options`` are the choices, the first of them that of no choice; without any it is a field for
    text, of several lines where ``is_long``.
    """

    name: str
    label: str
    value: str
    options: Sequence[tuple[str, str]] = ()
    is_long: bool = False


Block = Tiles | Bars | Facts | Rows | HeatMap | Running | Note | Plot | Listing


@dataclass(frozen=True)
class Page:
    """A page: a title, a form of filters, and blocks one after another."""

    title: str
    blocks: Sequence[Block]
    filters: Sequence[Filter] = ()

    def listing(self) -> Table | None:
        """The table that the page gives as CSV: its first."""
        tables = (one.table for one in self.blocks if isinstance(one, Listing | Rows))
        return next(tables, None)


def bars_of(
    table: Table,
    label: str,
    value: str,
    *,
    title: str,
    reading: str,
    href: str | None = None,
    most: float | None = None,
) -> Bars:
    """Bars of a table's rows, the longest as long as there is room.

    ``href`` is an address that ends before the label; ``most`` the value of a full bar.
    """
    records = [row for row in table.records() if row[value] is not None]
    longest = most or max((abs(row[value]) for row in records), default=0) or 1
    return Bars(
        title,
        reading,
        [
            Bar(
                str(row[label]),
                row[value],
                max(-1.0, min(1.0, row[value] / longest)),
                None if href is None else f"{href}{row[label]}",
            )
            for row in records
        ],
    )
