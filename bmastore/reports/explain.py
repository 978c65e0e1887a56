"""Why a stock has the status that it has."""

from dataclasses import dataclass

from bmastore.errors import UnknownTickerError
from bmastore.reports.queries import query
from bmastore.storage.session import Reader
from bmastore.storage.statements import statements
from bmastore.table import Table

# What each cause of a stale or pending stock means.
CAUSES = {
    "new": "it has never been tried",
    "data": "its rows have changed since its last entry",
    "config": "the settings have changed since its last entry",
    "code": "bmastore, LightGBM or XGBoost has changed since its last entry",
    "decay": "its intervals were found to hold no longer (bmastore monitor)",
    "age": "its last entry is older than --max-age of the last run allowed",
}


@dataclass(frozen=True)
class Explanation:
    """A stock's status with the inputs now and then, and its members' weights."""

    facts: Table
    members: Table


def explain(reader: Reader, ticker: str) -> Explanation:
    """Why a stock has the status it has.

    Raises
    ------
    UnknownTickerError
        If the store has no such ticker.
    """
    facts = query(reader, statements("report/explain", ticker=ticker)[0])
    if not facts.rows:
        raise UnknownTickerError("ticker", [ticker])
    members = query(reader, statements("report/explain_members", ticker=ticker)[0])
    return Explanation(facts, members)
