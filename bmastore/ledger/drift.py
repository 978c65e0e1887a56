"""Features by day: measured once per day, against the window of days that models learnt from.

The window of a day are the 252 days before the first day of its cell of 21 calendar days, at which
a universe is made anew; of these, some are looked at. Nothing of the day itself or after it has
a part in it.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmastore.arrays import evenly_spread
from bmastore.calendar import Grid, utc_now
from bmastore.ledger.entries import Columns
from bmastore.models.config import Splits
from bmastore.models.drift import FeatureDay, Reference, feature_day
from bmastore.panel.read import RECENT_DAYS, feature_columns_sql
from bmastore.panel.series import feature_columns
from bmastore.storage.session import Writer
from bmastore.storage.statements import run

# Days of a window, and how many a first measuring goes back.
_WINDOW, _FIRST = 252, 60
# Days of a window that are looked at: so many at least, and as many as give so many values.
_FEWEST_DAYS, _VALUES = 24, 10_000
# Values that are read at once: a first measuring of 100,000 stocks looks at 16 million per feature.
_AT_ONCE = 10_000_000


def measure_new_days(writer: Writer) -> int:
    """Record how features stood on days since the last one recorded, inside a transaction.

    A day counts once it has its usual stocks. Returns the number of days.
    """
    features = feature_columns(writer.duck)
    ((last,),) = (row.values() for row in writer.ledger_rows("newest_feature_day"))
    found = run(
        writer.duck, "panel/full_days", since=None, until=None, recent=RECENT_DAYS
    ).fetchall()
    days = [day for day, _ in found]
    new = [day for day in days[-_FIRST:] if last is None or day > last]
    if not new or not features:
        return 0
    sample = max(_FEWEST_DAYS, _VALUES // max(n for _, n in found))
    windows = {day: _window(days, day, sample) for day in new}
    wanted = sorted({*new, *(day for window in windows.values() for day in window)})
    stocks = dict(found)
    at_once = max(1, _AT_ONCE // sum(stocks[day] for day in wanted))
    measured: dict[tuple[date, str], FeatureDay] = {}
    for start in range(0, len(features), at_once):
        some = features[start : start + at_once]
        for feature, rows in zip(some, _read(writer, wanted, some), strict=True):
            # Days of one cell have one window.
            references = {window: _reference(rows, window) for window in set(windows.values())}
            for day in new:
                measured[day, feature] = feature_day(rows[day], references[windows[day]])
    columns, now = Columns(), utc_now()
    for day in new:
        for feature in features:
            one = measured[day, feature]
            columns.add(date=day, feature=feature, measured_at=now, **vars(one))
    writer.insert("feature_days", columns.values)
    return len(new)


def _window(days: list[date], day: date, sample: int) -> tuple[date, ...]:
    """Days of a day's training window that are looked at, spread evenly over it."""
    grid = Grid(Splits().refresh_days)
    first = grid.first_day(grid.cell(day))
    return tuple(evenly_spread([one for one in days if one < first][-_WINDOW:], sample))


def _reference(
    rows: Mapping[date, NDArray[np.float32]], window: tuple[date, ...]
) -> Reference | None:
    """How a feature lies in a window."""
    return Reference.of(np.concatenate([rows[day] for day in window])) if window else None


def _read(
    writer: Writer, days: list[date], features: tuple[str, ...]
) -> Iterator[dict[date, NDArray[np.float32]]]:
    """Of one feature after another the values of all stocks by day, in one scan."""
    found: dict[str, Any] = run(
        writer.duck, "panel/rows_of_named_days", feature_columns=feature_columns_sql(features),
        days=days,
    ).fetchnumpy()  # fmt: skip
    places = np.asarray(found["place"])
    order = np.argsort(places, kind="stable")
    edges = np.searchsorted(places[order], np.arange(len(days) + 1))
    for i in range(len(features)):
        values = np.asarray(found[f"x{i}"])[order]
        yield {day: values[edges[k] : edges[k + 1]] for k, day in enumerate(days)}
