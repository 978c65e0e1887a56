"""Forecasts rows with the stored ensembles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np

from bmastore.arrays import StockArrays
from bmastore.calendar import as_day
from bmastore.errors import ConfigError, UnknownTickerError
from bmastore.ledger import in_use
from bmastore.models.mixture import QUANTILE_COLUMNS
from bmastore.models.results import Contributions, Forecasts
from bmastore.panel.series import choose_target
from bmastore.reports.contributions import contribution_table
from bmastore.storage.session import Reader
from bmastore.storage.statements import ask, run
from bmastore.table import Table, Tabular


@dataclass(frozen=True)
class PredictionReport(Tabular):
    """Forecasts with the columns of ``v_predictions``, but for the entry and the sector.

    Or what they are the sums of, with the columns of
    :func:`bmastore.reports.contributions.contribution_table`.
    ``failures`` maps the tickers that could not be forecast to the reason.
    """

    table: Table
    failures: dict[str, str]


def predict(
    reader: Reader,
    *,
    target: str | None = None,
    tickers: Sequence[str] | None = None,
    since: date | None = None,
    until: date | None = None,
    trusted: Sequence[str] = (),
    contributions: bool = False,
) -> PredictionReport:
    """Forecast rows of the panel with each stock's current ensemble.

    Parameters are those of :meth:`bmastore.Store.predict`, and ``trusted`` types. A stock whose
    artifact is missing or corrupt is a failure of its own.

    Raises
    ------
    ConfigError, StoreError
        If the store has no such target or tickers.
    """
    since, until = as_day("since", since), as_day("until", until)
    if since and until and since > until:
        raise ConfigError(f"since {since} is after until {until}")
    trained = ask(reader.duck, "select distinct target from v_latest order by all").fetchall()
    targets = [target] if target else [name for (name,) in trained]
    if target or not trained:  # what has an ensemble in use is there
        choose_target(reader.duck, target)
    wanted = None if tickers is None else list(tickers)
    mine = run(reader.duck, "ledger/ensembles_in_use", targets=targets, tickers=wanted).fetchall()
    if wanted is not None:
        unknown = sorted(set(wanted) - {ticker for _, ticker, *_ in mine})
        if unknown:
            raise UnknownTickerError("trained ensemble of", unknown)
    question = in_use.contributions if contributions else in_use.forecast
    tabulate = contribution_table if contributions else _table
    table = tabulate([], "")
    failures: dict[str, str] = {}
    for name in targets:
        found = _ask(
            reader,
            name,
            {ticker: sha256 for of, ticker, sha256, _ in mine if of == name},
            any(universe for of, _, _, universe in mine if of == name),
            trusted,
            question,
            since,
            until,
        )
        failures |= {ticker: said for ticker, said in found if isinstance(said, str)}
        table.rows.extend(tabulate(found, name).rows)
    return PredictionReport(table, failures)


def _ask(
    reader: Reader,
    target: str,
    hashes: dict[str, str],
    needs_sections: bool,
    trusted: Sequence[str],
    question: in_use.Question[Forecasts | Contributions],
    since: date | None,
    until: date | None,
) -> list[tuple[str, Forecasts | Contributions | str]]:
    """What the ensembles of some stocks say of the rows that are asked for."""
    first = None
    if needs_sections:
        first = since or _oldest_asked_for(reader, list(hashes), until)
    choose = partial(_asked_for, since=since, until=until)
    found = in_use.ask_in_use(
        reader, target, hashes, trusted, question, choose, sections_since=first, until=until
    )
    return list(found)


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


def _table(found: Sequence[tuple[str, object]], target: str) -> Table:
    columns = ("ticker", "date", "target", "mean", "sd", *QUANTILE_COLUMNS, "p_up")
    types = ("VARCHAR", "DATE", "VARCHAR", *["DOUBLE"] * (len(columns) - 3))
    rows = []
    for ticker, one in found:
        if isinstance(one, Forecasts):
            numbers = np.column_stack([one.mean, one.sd, one.quantiles, one.p_up]).tolist()
            rows += [
                (ticker, day, target, *some)
                for day, some in zip(one.dates.tolist(), numbers, strict=True)
            ]
    return Table(columns, types, rows)
