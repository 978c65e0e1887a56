"""A small table of answers, on its way from the store to a person or a program."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import count
from typing import TYPE_CHECKING, Any

from bmastore.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

# Rows that a notebook shows of a table.
_SHOWN = 60
# Types of whole numbers of which floats do not hold all, and up to where they do.
_LARGE = ("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT")
_EXACT = 2**53


@dataclass(frozen=True)
class Table:
    """The answer to a query.

    Attributes
    ----------
    columns, types:
        Names and DuckDB types of the columns.
    rows:
        The rows, as Python values.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def records(self) -> list[dict[str, Any]]:
        """The rows as dicts."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def frame(self) -> "pd.DataFrame":
        """The rows as a pandas frame: dates as ``datetime64``, fractions as ``float64``.

        Whole numbers among which some are missing are ``float64`` too, unless one is too large to
        be told by it: those stay Python's.
        """
        import pandas as pd

        frame = pd.DataFrame(self.rows, columns=list(self.columns))
        for i, (name, kind) in enumerate(zip(self.columns, self.types, strict=True)):
            if kind == "DATE" or (kind.startswith("TIMESTAMP") and not kind.endswith("]")):
                frame[name] = pd.to_datetime(frame[name])
            elif kind in ("FLOAT", "DOUBLE"):
                frame[name] = frame[name].astype("float64")
            elif kind in _LARGE:
                values = [row[i] for row in self.rows]
                if None in values and any(abs(value or 0) > _EXACT for value in values):
                    frame[name] = pd.Series(values, dtype=object)
        return frame

    def arrow(self) -> "pa.Table":
        """The rows as an Arrow table.

        Raises
        ------
        ConfigError
            If pyarrow is not installed.
        """
        try:
            import pyarrow as pa
        except ModuleNotFoundError:
            raise ConfigError("an Arrow table needs pyarrow; pip install pyarrow") from None
        kinds = {
            "VARCHAR": pa.string(),
            "DATE": pa.date32(),
            "TIMESTAMP": pa.timestamp("us"),
            "BOOLEAN": pa.bool_(),
            "INTEGER": pa.int32(),
            "BIGINT": pa.int64(),
            "UBIGINT": pa.uint64(),
            "FLOAT": pa.float32(),
            "DOUBLE": pa.float64(),
        }
        columns = list(zip(*self.rows, strict=True)) or [()] * len(self.columns)
        arrays = [
            pa.array(values, kinds.get(kind))
            for values, kind in zip(columns, self.types, strict=True)
        ]
        return pa.table(arrays, names=list(self.columns))

    def polars(self) -> "pl.DataFrame":
        """The rows as a Polars frame.

        Raises
        ------
        ConfigError
            If Polars or pyarrow is not installed.
        """
        try:
            import polars as pl
        except ModuleNotFoundError:
            raise ConfigError("a Polars frame needs polars; pip install polars") from None
        return pl.DataFrame(self.arrow())

    def _repr_html_(self) -> str:
        """The first rows, for a notebook."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        rows = "".join(
            f"<tr>{''.join(f'<td>{_shown(value)}</td>' for value in row)}</tr>"
            for row in self.rows[:_SHOWN]
        )
        more = len(self.rows) - _SHOWN
        left = f"<p>and {more:,} rows more</p>" if more > 0 else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{left}"


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names of columns of which no two are the same, as DuckDB tells them apart: a, a_1, a_2.

    Case makes no other name. What is known by its name alone, as in JSON, would lose all but one.
    """
    found: dict[str, str] = {}
    for name in names:
        told = name
        for n in count(1):
            if told.lower() not in found:
                break
            told = f"{name}_{n}"
        found[told.lower()] = told
    return tuple(found.values())


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return escape(f"{value:.5g}" if isinstance(value, float) else str(value))


class Tabular:
    """What has a table: pandas, Arrow and Polars have it in one way, and a notebook shows it."""

    if TYPE_CHECKING:  # a field of some, and computed by others

        @property
        def table(self) -> Table:
            """What it says."""

    @property
    def frame(self) -> "pd.DataFrame":
        """As a pandas frame."""
        return self.table.frame()

    def arrow(self) -> "pa.Table":
        """As an Arrow table; see :meth:`Table.arrow`."""
        return self.table.arrow()

    def polars(self) -> "pl.DataFrame":
        """As a Polars frame; see :meth:`Table.polars`."""
        return self.table.polars()

    def _repr_html_(self) -> str:
        return self.table._repr_html_()
