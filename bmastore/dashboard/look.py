"""How values look on a page."""

from datetime import date, datetime
from typing import Any

_LONG = 120
_NUMERIC = ("DOUBLE", "FLOAT", "BIGINT", "INTEGER", "HUGEINT", "UBIGINT", "SMALLINT", "TINYINT")
_NOTHING = "\N{EN DASH}"


def kind_of(block: Any) -> str:
    """Name of the template that shows a block."""
    return type(block).__name__.lower()


def is_numeric(kind: str) -> bool:
    """Whether a column of a DuckDB type holds numbers, which stand to the right."""
    return kind in _NUMERIC or kind.startswith("DECIMAL")


def shown(value: Any) -> str:
    """A value for people."""
    match value:
        case None:
            return _NOTHING
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return _number(value)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
        case _:
            text = str(value)
            return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def _number(value: float) -> str:
    if value != value:
        return _NOTHING
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.4f}" if size else "0"
