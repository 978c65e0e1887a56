"""What the panel holds: its features, targets and stocks, with the digests that tell a change."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime

import duckdb
import numpy as np

from bmastore import digests
from bmastore.arrays import StockArrays
from bmastore.calendar import utc_now
from bmastore.errors import ConfigError, StoreError, UnknownTickerError
from bmastore.panel.read import iterate_rows
from bmastore.storage.statements import Value, run


@dataclass(frozen=True)
class Series:
    """One stock's row of ``series``: what there is to train on, and its digest.

    Attributes
    ----------
    n_rows:
        Labelled rows.
    first_date, last_date, digest:
        Of all rows.
    labelled_digest:
        Digest of the labelled rows, but for the ends of the last labels: the stock's history.
    history_since:
        When its history came to be what it is, but for rows that were added since.
    updated_at:
        When any row last changed.
    """

    ticker: str
    n_rows: int
    first_date: date | None
    last_date: date | None
    digest: str
    labelled_digest: str | None = field(default=None, compare=False)
    history_since: datetime | None = field(default=None, compare=False)
    updated_at: datetime | None = field(default=None, compare=False)


def value_columns(duck: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Names of the columns of ``features`` that are no keys, as they stand there."""
    rows = duck.execute(
        "select column_name from duckdb_columns() where table_name = 'features' "
        "and database_name = current_database() and schema_name = 'main' order by column_index"
    ).fetchall()
    return tuple(name for (name,) in rows if name not in ("ticker", "date"))


def feature_columns(duck: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Names of the store's features, sorted.

    A column that is a target of the store is none of them, whatever was ingested first: it
    holds what is to be forecast, of this target or of another.
    """
    targets = {name.lower() for name in target_horizons(duck)}
    return tuple(sorted(name for name in value_columns(duck) if name.lower() not in targets))


def target_horizons(duck: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The store's targets and their horizons in trading days."""
    # A target has one horizon: to look for others takes four times as long.
    one_each = "select target, any_value(horizon) from targets group by all order by all"
    return dict(duck.execute(one_each).fetchall())


def choose_target(duck: duckdb.DuckDBPyConnection, wanted: str | None) -> tuple[str, int]:
    """The target to forecast and its horizon; the only one where none is named.

    Raises
    ------
    ConfigError
        If the store has no such target, or several and none is named.
    StoreError
        If the store has no target at all.
    """
    known = target_horizons(duck)
    if not known:
        raise StoreError("the store holds no targets yet; run `bmastore ingest FILE` first")
    if wanted is None and len(known) > 1:
        raise ConfigError(f"the store has several targets; name one of {', '.join(known)}")
    name = next(iter(known)) if wanted is None else wanted
    if name not in known:
        raise ConfigError(f"the store has no target {name!r}; it has {', '.join(known)}")
    return name, known[name]


def choose_features(
    duck: duckdb.DuckDBPyConnection, wanted: tuple[str, ...] | None
) -> tuple[str, ...]:
    """The feature columns to use: those named, or all.

    Raises
    ------
    ConfigError
        If the store lacks a named feature.
    """
    known = feature_columns(duck)
    unknown = sorted(set(wanted or ()) - set(known))
    if unknown:
        raise ConfigError(f"the store has no feature {unknown[0]!r}; it has {', '.join(known)}")
    return known if wanted is None else wanted


def read_series(duck: duckdb.DuckDBPyConnection, target: str) -> list[Series]:
    """All stocks of a target, by ticker."""
    rows = run(duck, "panel/read_series", target=target).fetchall()
    return [Series(*row) for row in rows]


def choose_series(
    duck: duckdb.DuckDBPyConnection, target: str, wanted: Sequence[str] | None
) -> list[Series]:
    """The stocks of a target that are named, or all, by ticker.

    Raises
    ------
    UnknownTickerError
        If a named ticker is not in the store.
    """
    series = read_series(duck, target)
    if wanted is None:
        return series
    named = set(wanted)
    unknown = sorted(named - {one.ticker for one in series})
    if unknown:
        raise UnknownTickerError("ticker", unknown)
    return [one for one in series if one.ticker in named]


def refresh_series(duck: duckdb.DuckDBPyConnection, tickers: Sequence[str], target: str) -> None:
    """Compute the digests of some stocks anew and store them."""
    features, now = feature_columns(duck), utc_now()
    horizon = target_horizons(duck).get(target, 1)  # without any label there is none to end
    before = {one.ticker: one for one in read_series(duck, target)}
    found = [
        replace(
            describe(stock, features, horizon),
            history_since=_history_since(stock, features, horizon, before.get(stock.ticker)) or now,
            updated_at=now,
        )
        for stock in iterate_rows(duck, tickers, target, features)
    ]
    if not found:
        return
    columns: dict[str, Value] = {
        one.name: [getattr(stock, one.name) for stock in found] for one in fields(Series)
    }
    run(duck, "panel/replace_series", tickers=tickers, target=target, **columns)


def _history_since(
    stock: StockArrays, features: Sequence[str], horizon: int, before: Series | None
) -> datetime | None:
    """Since when a stock's history goes on; ``None`` where it begins anew."""
    if before is None or before.labelled_digest is None:
        return None
    known = stock.take(np.flatnonzero(~np.isnan(stock.y))[: before.n_rows])
    goes_on = _digest_of_history(known, features, horizon) == before.labelled_digest
    return before.history_since if goes_on else None


def _digest_of_history(labelled: StockArrays, features: Sequence[str], horizon: int) -> str:
    """Digest of labelled rows, without the ends of the last labels.

    Where all rows of a panel have labels these are guesses, until the rows come by which they end.
    """
    ends = labelled.label_ends.copy()
    ends[-horizon:] = np.datetime64("NaT")
    return digests.of_rows(replace(labelled, label_ends=ends), features)


def describe(stock: StockArrays, features: Sequence[str], horizon: int) -> Series:
    """A stock's row of ``series``: ``n_rows`` counts the labelled rows, the dates span all."""
    return Series(
        stock.ticker,
        int(np.count_nonzero(~np.isnan(stock.y))),
        stock.dates[0].item() if len(stock.dates) else None,
        stock.dates[-1].item() if len(stock.dates) else None,
        digests.of_rows(stock, features),
        _digest_of_history(stock.labelled(), features, horizon),
    )
