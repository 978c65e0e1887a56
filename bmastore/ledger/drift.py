"""Features by day: measured once per day, against the window of days that models learnt from.

The window of a day are the 252 days before the first day of its cell of 21 calendar days, at which
a universe is made anew; of these, some are looked at. Nothing of the day itself or after it has
a part in it.
"""

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmastore.arrays import evenly_spread
from bmastore.calendar import Grid, utc_now
from bmastore.ledger.entries import Columns
from bmastore.models.config import Splits
from bmastore.models.drift import Reference, feature_day
from bmastore.panel.read import RECENT_DAYS, feature_columns_sql
from bmastore.panel.series import feature_columns
from bmastore.storage.session import Writer
from bmastore.storage.statements import run

# Days of a window, and how many a first measuring goes back.
_WINDOW, _FIRST = 252, 60
# Days of a window that are looked at: so many at least, and as many as give so many values.
_FEWEST_DAYS, _VALUES = 24, 10_000


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
    rows = _read(writer, wanted, features)
    # Days of one cell have one window.
    references = {
        window: _references([rows[day] for day in window if day in rows], len(features))
        for window in set(windows.values())
    }
    columns = Columns()
    for day in new:
        for i, feature in enumerate(features):
            measured = feature_day(rows[day][:, i], references[windows[day]][i])
            columns.add(date=day, feature=feature, measured_at=utc_now(), **vars(measured))
    writer.insert("feature_days", columns.values)
    return len(new)


def _window(days: list[date], day: date, sample: int) -> tuple[date, ...]:
    """Days of a day's training window that are looked at, spread evenly over it."""
    grid = Grid(Splits().refresh_days)
    first = grid.first_day(grid.cell(day))
    return tuple(evenly_spread([one for one in days if one < first][-_WINDOW:], sample))


def _references(before: list[NDArray[np.float32]], n_features: int) -> list[Reference | None]:
    """How each feature lies in a window: on its days, each of shape (stocks, p)."""
    if not before:
        return [None] * n_features
    window = np.concatenate(before)
    return [Reference.of(window[:, i]) for i in range(n_features)]


def _read(
    writer: Writer, days: list[date], features: tuple[str, ...]
) -> dict[date, NDArray[np.float32]]:
    """Features of all stocks on some days, shape (stocks, p) by day, in one scan."""
    found: dict[str, Any] = run(
        writer.duck, "panel/rows_of_named_days", feature_columns=feature_columns_sql(features),
        days=days,
    ).fetchnumpy()  # fmt: skip
    X = np.column_stack([found[f"x{i}"] for i in range(len(features))]).astype(np.float32)
    at = np.asarray(found["date"]).astype("datetime64[D]")
    order = np.argsort(at, kind="stable")
    edges = np.searchsorted(at[order], np.array([*days, date.max], "datetime64[D]"))
    return {
        day: X[order[edges[i] : edges[i + 1]]]
        for i, day in enumerate(days)
        if edges[i] < edges[i + 1]
    }
