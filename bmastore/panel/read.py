"""Reads rows of the panel as arrays: some stocks' rows, or all stocks' cross-sections."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from bmastore.arrays import PanelArrays, StockArrays
from bmastore.cross_section import CrossSections
from bmastore.storage.statements import Part, Value, quoted, run

# Rows that are held in memory at once while digests are computed: some 200 MB.
_ROWS_AT_ONCE = 2_000_000
# Numbers whose quartiles are computed at once: some 50 MB, and 250 MB in stores of so many that
# they would be scanned more than 25 times, for each time reads them all.
_OF_DAYS, _MOST_OF_DAYS, _SCANS = 5_000_000, 25_000_000, 25
# Most calendar days between rows, and how many trading days that is taken for.
_SPACINGS = ((4.0, 1), (12.0, 5), (50.0, 21), (float("inf"), 63))
# A date has its usual stocks if it has half as many as any of so many dates before it.
RECENT_DAYS = 20


def read_rows(
    duck: duckdb.DuckDBPyConnection,
    tickers: Sequence[str],
    target: str,
    features: Sequence[str],
    since: date = date.min,
) -> PanelArrays:
    """Rows of some stocks, in the order asked for, oldest first; none of dates before ``since``."""
    asked: dict[str, Value] = {
        "tickers": tickers,
        "first_ticker": min(tickers, default=""),
        "last_ticker": max(tickers, default=""),
        "since": since,
    }
    columns = feature_columns_sql(features)
    found = run(duck, "panel/read_rows", feature_columns=columns, **asked).fetchnumpy()
    labels = run(duck, "panel/read_row_labels", target=target, **asked).fetchnumpy()
    # They lie about in this order: to have DuckDB sort and join them would take longer than all
    # else that is done with them here.
    keys, order = _in_order(found)
    label_keys, label_order = _in_order(labels)
    at = np.searchsorted(label_keys, keys)
    is_known = at < len(label_keys)
    is_known[is_known] = label_keys[at[is_known]] == keys[is_known]
    known = label_order[at[is_known]]
    ends = np.full(len(keys), np.datetime64("NaT"), "datetime64[D]")
    ends[is_known] = _days(labels["label_end"])[known]
    y = np.full(len(keys), np.nan)
    y[is_known] = labels["value"][known]
    X = np.empty((len(keys), len(features)), dtype=np.float32)
    for i in range(len(features)):
        X[:, i] = found[f"x{i}"][order]
    starts = np.searchsorted(found["place"][order], np.arange(1, len(tickers) + 2))
    return PanelArrays(tuple(tickers), starts, _days(found["date"])[order], ends, X, y)


def _in_order(found: Mapping[str, Any]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Numbers of rows that sort as their place and date do, sorted, and how to sort the rows."""
    keys = np.asarray(found["place"]).astype(np.int64) << 32
    keys += _days(found["date"]).astype(np.int64)
    order = np.argsort(keys, kind="stable")
    return keys[order], order


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


def spacing(duck: duckdb.DuckDBPyConnection, target: str) -> int:
    """How many times as far apart as those of daily data a target's rows lie.

    1 for daily data, with weekends or without; 5 for weekly, 21 for monthly and 63 for
    quarterly data, for so many trading days lie between their rows. It is that of the
    store's typical stock, so that all stocks have the same folds, and rows that are
    appended do not change it.
    """
    ((days,),) = run(duck, "panel/days_apart", target=target).fetchall()
    return next(factor for most, factor in _SPACINGS if days is None or days <= most)


def read_cross_sections(
    duck: duckdb.DuckDBPyConnection,
    features: Sequence[str],
    *,
    since: date | None = None,
    until: date | None = None,
) -> CrossSections:
    """Cross-sections of dates up to ``until``, from the newest one at or before ``since`` on.

    Dates on which less than half of the usual stocks have a row have none.
    """
    days = run(duck, "panel/full_days", since=since, until=until, recent=RECENT_DAYS).fetchall()
    asked = feature_columns_sql(features)
    numbers = [n * max(1, len(features)) for _, n in days]
    at_once = min(max(_OF_DAYS, sum(numbers) // _SCANS), _MOST_OF_DAYS)
    step = max(1, at_once // max(numbers, default=1))
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
