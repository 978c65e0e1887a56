"""Stocks that a pass does not train: their ensembles in use forecast what rows are new."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from bmastore.arrays import StockArrays
from bmastore.ledger.causes import Inputs, NewestAttempt
from bmastore.ledger.in_use import ask_in_use, forecast
from bmastore.models.results import Forecasts
from bmastore.panel.series import Series
from bmastore.storage.session import Session
from bmastore.storage.statements import run


@dataclass(frozen=True)
class Kept:
    """A stock whose ensemble in use forecasts its new rows, and is not fitted again yet.

    ``entry_id`` is that of the ensemble, ``artifact`` and ``universe`` are the hashes of its file
    and of that of what it shares with other stocks.
    """

    ticker: str
    entry_id: str
    artifact: str
    universe: str | None


def is_behind(one: Series, last: NewestAttempt, now: Inputs) -> bool:
    """Whether a stock that is not trained has rows of which its ensemble has not been asked."""
    if last.status != "trained" or last.inputs == now or one.last_date is None:
        return False
    if last.forecast_date is None or last.forecast_date < one.last_date:
        return True
    asked_at, changed_at = last.forecast_at, one.updated_at
    return changed_at is not None and (asked_at is None or asked_at < changed_at)


def keep(ticker: str, last: NewestAttempt) -> Kept:
    """A stock with the ensemble that its newest attempt, which was trained, made."""
    assert last.current_entry is not None, "it was trained"
    assert last.current_artifact is not None, "it was trained"
    return Kept(ticker, last.current_entry, last.current_artifact, last.current_universe)


def forecast_kept(
    session: Session,
    target: str,
    kept: Sequence[Kept],
    as_of: date | None,
    trusted: Sequence[str],
) -> Iterator[tuple[Kept, Forecasts | str]]:
    """What the ensembles of some stocks (at least one) forecast, or why they do not.

    The rows of a stock whose label is not known yet, and its newest, as its fit would forecast
    them; ``as_of`` a date, what was known then. Members may be of ``trusted`` types.
    """

    def newest_rows(stock: StockArrays) -> StockArrays:
        known = stock if as_of is None else stock.as_of(np.datetime64(as_of, "D"))
        return known.to_forecast()

    tickers = [one.ticker for one in kept]
    ((since,),) = run(
        session.duck, "panel/oldest_newest_label", tickers=tickers, target=target, as_of=as_of
    ).fetchall()
    found = ask_in_use(
        session,
        target,
        {one.ticker: one.artifact for one in kept},
        trusted,
        forecast,
        newest_rows,
        rows_since=since or date.min,
        sections_since=since if any(one.universe for one in kept) else None,
        until=as_of,
    )
    return zip(kept, (forecasts for _, forecasts in found), strict=True)
