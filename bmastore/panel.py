"""The panel: features and targets of all stocks, and the digests that tell what changed."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from bmastore.arrays import PanelArrays, StockArrays
from bmastore.calendar import utc_now
from bmastore.cross_section import CrossSections
from bmastore.errors import ConfigError, StoreError, UnknownTickerError
from bmastore.storage.statements import Part, Value, quoted, run

# Rows that are held in memory at once while digests are computed: some 200 MB.
_ROWS_AT_ONCE = 2_000_000
# Rows whose quartiles are computed at once: some 50 MB.
_ROWS_OF_DAYS = 400_000
# A date has its usual stocks if it has half as many as any of so many dates before it.
_RECENT_DAYS = 20


@dataclass(frozen=True)
class Series:
    """One stock's row of ``series``: what there is to train on, and its digest."""

    ticker: str
    n_rows: int
    first_date: date | None
    last_date: date | None
    digest: str


def feature_columns(duck: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Names of the store's features, sorted."""
    rows = duck.execute(
        "select column_name from duckdb_columns() where table_name = 'features' "
        "and database_name = current_database() and schema_name = 'main'"
    ).fetchall()
    return tuple(sorted(name for (name,) in rows if name not in ("ticker", "date")))


def target_horizons(duck: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The store's targets and their horizons in trading days."""
    rows = duck.execute("select distinct target, horizon from targets order by all").fetchall()
    return dict(rows)


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
    unknown = sorted(set(wanted) - {one.ticker for one in series})
    if unknown:
        raise UnknownTickerError("ticker", unknown)
    return [one for one in series if one.ticker in wanted]


def read_rows(
    duck: duckdb.DuckDBPyConnection,
    tickers: Sequence[str],
    target: str,
    features: Sequence[str],
) -> PanelArrays:
    """Rows of some stocks, in the order asked for, in one scan."""
    columns = feature_columns_sql(features)
    found = run(
        duck, "panel/read_rows", feature_columns=columns, tickers=tickers, target=target
    ).fetchnumpy()
    place = np.asarray(found["place"])
    X = np.empty((len(place), len(features)), dtype=np.float32)
    for i in range(len(features)):
        X[:, i] = found[f"x{i}"]
    return PanelArrays(
        tuple(tickers),
        np.searchsorted(place, np.arange(1, len(tickers) + 2)),
        _days(found["date"]),
        _days(found["label_end"]),
        X,
        np.asarray(found["value"], dtype=np.float64),
    )


def read_cross_sections(
    duck: duckdb.DuckDBPyConnection,
    features: Sequence[str],
    *,
    since: date | None = None,
    until: date | None = None,
) -> CrossSections:
    """Cross-sections of the dates from ``since`` to ``until``, and of the newest date before.

    Dates on which less than half of the usual stocks have a row have none.
    """
    days = run(duck, "panel/full_days", since=since, until=until, recent=_RECENT_DAYS).fetchall()
    asked = feature_columns_sql(features)
    step = max(1, _ROWS_OF_DAYS // max((n for _, n in days), default=1))
    sections = CrossSections.none(len(features))
    for start in range(0, len(days), step):
        wanted = [day for day, _ in days[start : start + step]]
        found = run(
            duck, "panel/rows_of_days", feature_columns=asked, first=wanted[0], last=wanted[-1]
        ).fetchnumpy()
        columns = [found[f"x{i}"] for i in range(len(features))]
        some = CrossSections.of(np.array(wanted, "datetime64[D]"), _days(found["date"]), columns)
        sections = sections.then(some)
    return sections


def digest(stock: StockArrays, features: Sequence[str]) -> str:
    """Content hash of a stock's rows: 32 hex digits of BLAKE2b.

    It covers dates, feature names and values, targets and label ends, of all
    rows: a row that waits for its label is to be forecast anew when it
    changes. It does not depend on the version of any database.
    """
    content = hashlib.blake2b(digest_size=16)
    content.update("\0".join(features).encode())
    for array in (
        stock.dates.astype("datetime64[D]").astype("<i4"),
        stock.label_ends.astype("datetime64[D]").astype("<i8"),
        stock.X.astype("<f4"),
        stock.y.astype("<f8"),
    ):
        content.update(np.ascontiguousarray(array).data)
    return content.hexdigest()


def refresh_series(duck: duckdb.DuckDBPyConnection, tickers: Sequence[str], target: str) -> None:
    """Compute the digests of some stocks anew and store them."""
    features = feature_columns(duck)
    found = [describe(stock, features) for stock in iterate_rows(duck, tickers, target, features)]
    if not found:
        return
    columns: dict[str, Value] = {
        field.name: [getattr(one, field.name) for one in found] for field in fields(Series)
    }
    now = utc_now()
    run(duck, "panel/replace_series", tickers=tickers, target=target, updated_at=now, **columns)


def describe(stock: StockArrays, features: Sequence[str]) -> Series:
    """A stock's row of ``series``: ``n_rows`` counts the labelled rows, the dates span all."""
    return Series(
        stock.ticker,
        int(np.count_nonzero(~np.isnan(stock.y))),
        stock.dates[0].item() if len(stock.dates) else None,
        stock.dates[-1].item() if len(stock.dates) else None,
        digest(stock, features),
    )


def iterate_rows(
    duck: duckdb.DuckDBPyConnection, tickers: Sequence[str], target: str, features: Sequence[str]
) -> Iterator[StockArrays]:
    """Stocks one after another, read in batches so that memory stays bounded."""
    rows, stocks = duck.execute("select count(*), count(distinct ticker) from features").fetchall()[
        0
    ]
    batch = max(1, _ROWS_AT_ONCE * max(1, stocks) // max(1, rows))
    for start in range(0, len(tickers), batch):
        yield from read_rows(duck, tickers[start : start + batch], target, features)


def feature_columns_sql(features: Sequence[str]) -> Part:
    """SQL for more columns of a query on ``features``: x0, x1, …; NaN where one is missing."""
    return Part(
        "".join(
            f", coalesce(features.{quoted(name)}, 'nan'::float) as x{i}"
            for i, name in enumerate(features)
        )
    )


def _days(column: Any) -> NDArray[np.datetime64]:
    filled = np.ma.filled(column, np.datetime64("NaT")) if np.ma.isMaskedArray(column) else column
    return np.asarray(filled).astype("datetime64[D]")
