"""A small table of answers, on its way from the store to a person or a program."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


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
        """The rows as a pandas frame, dates as ``datetime64``."""
        import pandas as pd

        frame = pd.DataFrame(self.rows, columns=list(self.columns))
        for name, kind in zip(self.columns, self.types, strict=True):
            if kind == "DATE":
                frame[name] = pd.to_datetime(frame[name])
        return frame
