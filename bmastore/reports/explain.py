"""Why a stock has the status that it has, and its forecast the size that it has."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bmastore.errors import BmastoreError, StoreLockedError, UnknownTickerError
from bmastore.reports.queries import query
from bmastore.storage.session import Reader
from bmastore.storage.statements import statements
from bmastore.table import Table, Tabular

if TYPE_CHECKING:
    from bmastore.reports.predict import PredictionReport

# What each cause of a stale or pending stock means.
CAUSES = {
    "new": "it has never been tried",
    "data": "its rows have changed since its last entry",
    "config": "the settings have changed since its last entry",
    "code": "bmastore, LightGBM or XGBoost has changed since its last entry",
    "decay": "its intervals were found to hold no longer (bmastore monitor)",
    "age": "its last entry is older than --max-age of the last run allowed",
}
_HELD = "another process holds the store, and features are not published; ask again when it is done"


@dataclass(frozen=True)
class Explanation(Tabular):
    """A stock's status with the inputs now and then, and its members' weights.

    ``contributions`` are what its newest forecasts are the sums of, a long table with the columns
    of :func:`bmastore.reports.contributions.contribution_table`; ``None`` where they cannot be
    told: ``no_reasons`` then says why.
    """

    facts: Table
    members: Table
    contributions: Table | None = None
    no_reasons: str | None = None

    @property
    def table(self) -> Table:
        """The members."""
        return self.members

    def whole(self) -> Table:
        """All of it: a row per target, with lists of its members and contributions."""
        columns, types = list(self.facts.columns), list(self.facts.types)
        lists = {"members": self.members, "contributions": self.contributions}
        at = self.facts.columns.index("target")
        rows = [
            (
                *row,
                *(
                    None
                    if table is None
                    else [one for one in table.records() if one["target"] == row[at]]
                    for table in lists.values()
                ),
                self.no_reasons,
            )
            for row in self.facts.rows
        ]
        return Table(
            (*columns, *lists, "no_reasons"), (*types, *["JSON"] * len(lists), "VARCHAR"), rows
        )


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


def with_reasons(found: Explanation, ask: "Callable[[], PredictionReport]") -> Explanation:
    """An explanation with what ``ask`` gives of the contributions, or why it gives none."""
    try:
        said = ask()
    except StoreLockedError:
        return replace(found, no_reasons=_HELD)
    except BmastoreError as error:
        return replace(found, no_reasons=str(error))
    if said.failures:
        return replace(found, no_reasons="; ".join(said.failures.values()))
    return replace(found, contributions=said.table)
