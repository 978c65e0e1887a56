"""The page for queries of one's own, where it was asked for."""

from bmastore.dashboard.asked import Asked
from bmastore.dashboard.blocks import Block, Filter, Note, Page, Rows
from bmastore.dashboard.source import Source
from bmastore.errors import QueryError
from bmastore.reports.queries import query
from bmastore.storage.session import Reader
from bmastore.table import Table

_EXAMPLE = "from v_newest_forecasts order by mean desc"
_MOST_ROWS, _TIMEOUT_S = 1000, 20.0


def sql(source: Source, asked: Asked) -> Page:
    """The answer to a query; the same guard as that of ``bmastore sql`` watches over it."""
    text = asked.get("query")
    filters = [Filter("query", "Query", text or _EXAMPLE, is_long=True)]
    blocks: list[Block] = [Note("Views and their columns: bmastore docs views.")]
    if text is not None:
        try:
            found = query(Reader(source.store, source.duck, None), text, timeout=_TIMEOUT_S)
        except QueryError as error:
            return Page("SQL", [Note(str(error))], filters)
        reading = f"{len(found.rows):,} rows"
        if len(found.rows) > _MOST_ROWS and asked.get("format") != "csv":
            reading = f"The first {_MOST_ROWS:,} of {reading}; the CSV has all."
            found = Table(found.columns, found.types, found.rows[:_MOST_ROWS])
        blocks = [Rows("Answer", reading, found, {})]
    return Page("SQL", blocks, filters)
