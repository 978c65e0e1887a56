"""Tables of a page: sorted and paged by the database, whatever their length."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from bmastore.dashboard.asked import PAGE_SIZE, Asked
from bmastore.storage.statements import Part, Value, ask, quoted, run, statements
from bmastore.table import Table

# More rows than any listing has.
_ALL = 2**31


@dataclass(frozen=True)
class Listing:
    """One page of a table.

    Attributes
    ----------
    name:
        What it is called in headings and file names.
    table:
        The rows of this page.
    total:
        Rows of all pages.
    asked:
        The address that it is of.
    sort, descending:
        By which column it is sorted, and whether from the largest on.
    links:
        By column, where its values lead: an address that ends before the value.
    """

    name: str
    table: Table
    total: int
    asked: Asked
    sort: str
    descending: bool
    links: Mapping[str, str]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE_SIZE))

    @property
    def number(self) -> int:
        """Number of this page, from 1."""
        return min(self.asked.number, self.pages)

    @property
    def reach(self) -> float:
        """The largest end of the intervals of this page's forecasts; 0 where it shows none."""
        if not {"q05", "q95"} <= set(self.table.columns):
            return 0.0
        ends = [row[name] for row in self.table.records() for name in ("q05", "q95")]
        return max((abs(end) for end in ends if end is not None), default=0.0)

    def sorted_by(self, column: str) -> str:
        """The address of the same list sorted by a column, or the other way around."""
        descending = column != self.sort or not self.descending
        return self.asked.but(sort=column, order="desc" if descending else "asc", page=None)


def read_table(duck: duckdb.DuckDBPyConnection, name: str, **values: Value | Part) -> Table:
    """All rows of ``sql/dashboard/<name>.sql``."""
    return _table(run(duck, f"dashboard/{name}", **values))


def read_listing(
    duck: duckdb.DuckDBPyConnection,
    name: str,
    asked: Asked,
    sort: str,
    *,
    title: str,
    descending: bool = False,
    links: Mapping[str, str] | None = None,
    **values: Value,
) -> Listing:
    """One page of ``sql/dashboard/<name>.sql``, in the order that is asked for.

    ``sort`` is its order where none is, or no such column. With ``format=csv`` in the address, all
    rows are on one page.
    """
    (text,) = statements(f"dashboard/{name}", **values)
    listing = Part(text)
    columns = [row[0] for row in run(duck, "dashboard/columns", listing=listing).fetchall()]
    wanted = asked.get("sort")
    if wanted is not None and wanted in columns:
        sort, descending = wanted, asked.get("order") == "desc"
    is_whole = asked.get("format") == "csv"
    found = _table(
        run(
            duck,
            "dashboard/page",
            listing=listing,
            column=Part(quoted(sort)),
            direction=Part("desc" if descending else "asc"),
            size=_ALL if is_whole else PAGE_SIZE,
            number=1 if is_whole else asked.number,
        )
    )
    total = found.rows[0][-1] if found.rows else 0
    rows = [row[:-1] for row in found.rows]
    table = Table(found.columns[:-1], found.types[:-1], rows)
    return Listing(title, table, total, asked, sort, descending, links or {})


def one_record(table: Table) -> dict[str, Any] | None:
    """The only row of a table; ``None`` where there is none."""
    return next(iter(table.records()), None)


def targets(duck: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Targets of the store."""
    found = ask(duck, "select distinct target from series order by target").fetchall()
    return tuple(name for (name,) in found)


def _table(found: duckdb.DuckDBPyConnection) -> Table:
    described = found.description or []
    return Table(
        tuple(column[0] for column in described),
        tuple(str(column[1]) for column in described),
        found.fetchall(),
    )
