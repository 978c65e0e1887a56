"""The part of a store's interface that looks at it: its forecasts, its status, queries."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from bmastore.reports import queries
from bmastore.reports.explain import Explanation, with_reasons
from bmastore.reports.explain import explain as explain_stock
from bmastore.reports.queries import Status
from bmastore.storage.readonly import reach
from bmastore.storage.session import Reader, open_reader
from bmastore.table import Table
from bmastore.upkeep import Upkeep

if TYPE_CHECKING:
    import pandas as pd

    from bmastore.reports.picture import Picture
    from bmastore.reports.predict import PredictionReport


class Looks(Upkeep):
    """What reads a store, and changes nothing."""

    def predict(
        self,
        *,
        tickers: Sequence[str] | None = None,
        since: date | None = None,
        until: date | None = None,
        target: str | None = None,
        trusted: Sequence[str] = (),
        contributions: bool = False,
    ) -> "PredictionReport":
        """Forecast rows with the stored ensembles; the last row of each stock by default.

        Parameters
        ----------
        tickers:
            Stocks to forecast; ``None`` means all that are trained.
        since, until:
            First and last date to forecast. Without ``since``, the last row up to ``until``.
            From rows whose labels were known the ensembles have learnt: what was forecast of these
            before, and what came, is in ``v_outcomes``.
        target:
            The target, in whose units the forecasts are; ``None`` means all that the store has.
        trusted:
            Types that members of somebody's own may be of; see ``bmastore docs members``.
        contributions:
            In place of the forecasts, what their means are the sums of: a row per stock, date,
            member and feature; see ``bmastore docs reasons``.
        """
        from bmastore.reports.predict import predict

        named = [tickers] if isinstance(tickers, str) else tickers
        asked: dict[str, Any] = {"tickers": named, "since": since, "until": until}
        asked |= {"target": target, "trusted": trusted, "contributions": contributions}
        with open_reader(self.path, needs_panel=True) as reader:
            return predict(reader, **asked)

    def sql(
        self, query: str, parameters: dict[str, Any] | None = None, timeout: float | None = 60.0
    ) -> "pd.DataFrame":
        """Run a read-only query over tables and views; the answer as a pandas frame.

        The query is one SELECT, FROM, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN; ``parameters`` are
        the values of its ``$name``. It is ended after ``timeout`` seconds; ``None`` means never.

        Raises
        ------
        QueryError
            If the query is not valid SQL, does more than read, or takes too long.
        """
        return self.query(query, parameters, timeout).frame()

    def query(
        self, query: str, parameters: dict[str, Any] | None = None, timeout: float | None = 60.0
    ) -> Table:
        """As :meth:`sql`; the answer as a table of Python values, without pandas."""
        reads = reach(query)
        needs = {
            "needs_panel": bool(reads.panel),
            "prefers_panel": reads.is_of_catalog,
            "needs_history": reads.is_of_history,
        }
        with self._reading(**needs) as reader:
            return queries.query(reader, query, parameters, timeout=timeout)

    def results(self) -> Table:
        """One row per stock: status, weights, metrics, newest forecast."""
        with self._reading() as reader:
            return queries.results(reader)

    def status(self) -> Status:
        """Counts of stocks by status, and the newest run; one that was killed is interrupted."""
        with self._reading() as reader:
            found = queries.status(reader)
            may_be_dead = found.running is not None and queries.is_free(reader)
        if not may_be_dead:
            return found
        # Whoever ends a run says so before letting go of the store, which was let go of by now.
        with self._reading() as reader:
            now = queries.status(reader)
        if now.last_run is None or now.running != found.running:
            return now
        return replace(now, last_run={**now.last_run, "status": "interrupted"})

    def explain(self, ticker: str, trusted: Sequence[str] = ()) -> Explanation:
        """Why a stock has the status it has: ``facts``, a row per target, and ``members``.

        And why its newest forecasts are what they are: ``contributions``, as :meth:`predict` gives
        them, unless they need what is not there. ``no_reasons`` then says so.

        Raises :class:`UnknownTickerError` if the store has no such ticker.
        """
        with self._reading() as reader:
            found = explain_stock(reader, ticker)
        asked: dict[str, Any] = {"tickers": [ticker], "trusted": trusted, "contributions": True}
        return with_reasons(found, partial(self.predict, **asked))

    def plot(self, ticker: str, target: str | None = None) -> "Picture":
        """A stock as a figure of matplotlib: price, forecasts against what came, weights.

        Raises :class:`UnknownTickerError` if the store has no such ticker, and :class:`ConfigError`
        if it has several targets and none is named.
        """
        from bmastore.reports.picture import draw_stock

        with self._reading() as reader:
            return draw_stock(reader, ticker, target)

    @contextmanager
    def _reading(self, **needs: bool) -> Iterator[Reader]:
        """The store read-only; says so where older results answer in its place."""
        with open_reader(self.path, **needs) as reader:
            if reader.note:
                self._say(reader.note)
            yield reader
