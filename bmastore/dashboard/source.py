"""What pages are read from: a store's published results, as they are at one time."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from bmastore.dashboard.asked import Asked
from bmastore.dashboard.blocks import Filter
from bmastore.dashboard.listing import targets


@dataclass(frozen=True)
class Source:
    """Published results of a store.

    Attributes
    ----------
    store:
        The store's file, as a user names it.
    duck:
        A cursor on them.
    """

    store: Path
    duck: duckdb.DuckDBPyConnection

    def target(self, asked: Asked) -> str:
        """The target that is asked for, or the first."""
        known = targets(self.duck)
        wanted = asked.get("target")
        return wanted if wanted in known else next(iter(known), "")

    def filters(self, asked: Asked) -> list[Filter]:
        """The choice among targets, where there are several."""
        known = targets(self.duck)
        if len(known) < 2:
            return []
        return [Filter("target", "Target", self.target(asked), [(one, one) for one in known])]
