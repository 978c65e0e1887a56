"""Forecasts rows with the stored ensembles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bmastore.arrays import StockArrays
from bmastore.errors import ConfigError, UnknownTickerError
from bmastore.ledger.in_use import forecast_in_use
from bmastore.models.mixture import QUANTILE_COLUMNS
from bmastore.models.results import Forecasts
from bmastore.panel.series import choose_target
from bmastore.storage.session import Reader
from bmastore.storage.statements import ask, run
from bmastore.table import Table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PredictionReport:
    """Forecasts with the columns of ``v_predictions``, but for the entry and the sector.

    ``failures`` maps the tickers that could not be forecast to the reason.
    """

    table: Table
    failures: dict[str, str]

    @property
    def frame(self) -> "pd.DataFrame":
        """The forecasts as a pandas frame."""
        return self.table.frame()


def predict(
    reader: Reader,
    *,
    target: str | None = None,
    tickers: Sequence[str] | None = None,
    since: date | None = None,
    until: date | None = None,
    trusted: Sequence[str] = (),
) -> PredictionReport:
    """Forecast rows of the panel with each stock's current ensemble.

    Parameters are those of :meth:`bmastore.Store.predict`, and ``trusted`` types. A stock whose
    artifact is missing or corrupt is a failure of its own.

    Raises
    ------
    ConfigError, StoreError
        If the store has no such target or tickers.
    """
    if since and until and since > until:
        raise ConfigError(f"since {since} is after until {until}")
    stored = ask(
        reader.duck,
        "select target, ticker, artifact_sha256, universe_sha256 from v_latest order by all",
    ).fetchall()
    targets = [target] if target else sorted({name for name, *_ in stored})
    for name in targets or [None]:
        choose_target(reader.duck, name)
    mine = [row for row in stored if row[0] in targets]
    if tickers is not None:
        unknown = sorted(set(tickers) - {ticker for _, ticker, *_ in mine})
        if unknown:
            raise UnknownTickerError("trained ensemble of", unknown)
        mine = [row for row in mine if row[1] in tickers]
    tables: list[Table] = []
    failures: dict[str, str] = {}
    for name in targets:
        hashes = {ticker: sha256 for of, ticker, sha256, _ in mine if of == name}
        needs_sections = any(universe for of, _, _, universe in mine if of == name)
        first = None
        if needs_sections:
            first = since or _oldest_asked_for(reader, list(hashes), until)
        choose = partial(_asked_for, since=since, until=until)
        found = list(
            forecast_in_use(
                reader, name, hashes, trusted, choose, sections_since=first, until=until
            )
        )
        forecasts = [(ticker, one) for ticker, one in found if isinstance(one, Forecasts)]
        failures |= {ticker: one for ticker, one in found if isinstance(one, str)}
        tables.append(_table(forecasts, name))
    rows = [row for table in tables for row in table.rows]
    empty = _table([], "")
    return PredictionReport(Table(empty.columns, empty.types, rows), failures)


def _oldest_asked_for(reader: Reader, tickers: Sequence[str], until: date | None) -> date | None:
    """Date of the oldest of the rows that are forecast where no first date is named."""
    found = run(reader.duck, "panel/oldest_newest_row", tickers=tickers, until=until).fetchall()
    oldest: date | None = found[0][0]
    return oldest


def _asked_for(stock: StockArrays, since: date | None, until: date | None) -> StockArrays:
    """Rows from ``since`` to ``until``; the last one up to ``until`` without ``since``."""
    n = len(stock.dates)
    stop = n if until is None else int(np.searchsorted(stock.dates, np.datetime64(until), "right"))
    if since is None:
        return stock.take(slice(max(0, stop - 1), stop))
    return stock.take(slice(int(np.searchsorted(stock.dates, np.datetime64(since))), stop))


def _table(forecasts: list[tuple[str, Forecasts]], target: str) -> Table:
    columns = ("ticker", "date", "target", "mean", "sd", *QUANTILE_COLUMNS, "p_up")
    types = ("VARCHAR", "DATE", "VARCHAR", *["DOUBLE"] * (len(columns) - 3))
    rows = []
    for ticker, found in forecasts:
        numbers = np.column_stack([found.mean, found.sd, found.quantiles, found.p_up]).tolist()
        rows += [
            (ticker, day, target, *some)
            for day, some in zip(found.dates.tolist(), numbers, strict=True)
        ]
    return Table(columns, types, rows)
