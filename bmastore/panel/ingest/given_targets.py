"""Targets that are given in Python beside their frames: by ticker, or in the order of the rows."""

from collections.abc import Mapping
from typing import Any

from bmastore.errors import InputError
from bmastore.panel.ingest.report import Count

NAME = "target"


def join_targets(data: Any, targets: Any) -> tuple[Any, str, list[Count]]:
    """Frames with their targets as a column, its name, and what is to be said.

    Series are joined by date: by that of the market, whatever their time zone and time of
    day. Arrays have as many values as their frame has rows. Dates that only a series has are
    left out, and counted: there is nothing to forecast from.

    Raises
    ------
    InputError
        If targets and frames do not match: other tickers, dates or lengths, or a date twice.
    """
    if isinstance(targets, Mapping):
        if not isinstance(data, Mapping):
            raise InputError("targets by ticker go with a dict of frames by ticker")
        return _by_ticker(data, targets)
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        raise InputError(
            "targets beside the data go with a pandas frame, or as a dict by ticker with a dict "
            "of frames; or name the column that holds them"
        )
    return data.assign(**{NAME: _beside("the frame", data, targets)}), NAME, []


def _by_ticker(
    frames: Mapping[Any, Any], targets: Mapping[Any, Any]
) -> tuple[dict[Any, Any], str, list[Count]]:
    import pandas as pd

    stray = [str(ticker) for ticker in targets if ticker not in frames]
    if len(stray) == len(targets):
        raise InputError(
            f"no features have the tickers of the targets, for instance {stray[0]!r}; the frames' "
            f"are {', '.join(repr(str(ticker)) for ticker in list(frames)[:5])}"
            if stray
            else "there are no targets: the dict is empty"
        )
    joined = {}
    dated_only, by_place, without = {}, [], []
    for ticker, frame in frames.items():
        if not isinstance(frame, pd.DataFrame):
            raise InputError(f"the features of {ticker!r} are no pandas frame")
        if NAME in frame.columns:
            raise InputError(f"the frame of {ticker!r} has a column {NAME!r} already; rename it")
        if ticker not in targets or targets[ticker] is None:
            without.append(str(ticker))
            joined[ticker] = frame.assign(**{NAME: float("nan")})
            continue
        given = targets[ticker]
        if isinstance(given, pd.DataFrame) and given.shape[1] == 1:
            given = given.iloc[:, 0]
        if isinstance(given, pd.Series):
            values, n_stray = _by_date(ticker, frame, given)
            if n_stray:
                dated_only[str(ticker)] = n_stray
        else:
            values = _beside(repr(ticker), frame, given)
            by_place.append(str(ticker))
        joined[ticker] = frame.assign(**{NAME: values})
    counts = (
        Count("tickers have targets and no features, and were left out", len(stray), tuple(stray)),
        Count("tickers have no targets", len(without), tuple(without)),
        Count(
            "targets are of dates that have no features, and were left out",
            sum(dated_only.values()),
            tuple(dated_only),
        ),
        Count(
            "tickers have targets without dates, taken in the order of the rows",
            len(by_place),
            tuple(by_place),
        ),
    )
    return joined, NAME, [count for count in counts if count.n]


def _beside(whose: str, frame: Any, values: Any) -> Any:
    """Targets in the order of a frame's rows."""
    import numpy as np
    import pandas as pd

    if isinstance(values, pd.Series):
        if len(values) == len(frame) and values.index.equals(frame.index):
            return values.to_numpy()
        raise InputError(
            f"the targets' index is not that of {whose}; give a series with the same index, or "
            f"put the targets into a column and name it"
        )
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise InputError(
            f"the targets of {whose} are no numbers; targets by ticker are series indexed by date"
        ) from None
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (len(frame),):
        raise InputError(
            f"the targets of {whose} are {array.shape} values for {len(frame)} rows; targets by "
            f"ticker are series indexed by date, or arrays as long as their frames"
        )
    return array


def _by_date(ticker: Any, frame: Any, series: Any) -> tuple[Any, int]:
    """A series' values on the dates of a frame, and how many of its dates the frame lacks."""
    dates = _market_dates(ticker, _dates_of(frame), "features")
    days = _market_dates(ticker, series.index, "targets")
    if days is None or dates is None:
        if days is None and dates is None and series.index.equals(frame.index):
            return series.to_numpy(), 0
        which = "targets" if days is None else "features"
        raise InputError(
            f"the {which} of {ticker!r} are not indexed by date, and no date of its targets "
            f"occurs in its features; targets by ticker are series indexed by date"
        )
    if days.has_duplicates:
        twice = days[days.duplicated()][0]
        raise InputError(f"the targets of {ticker!r} have {twice.date()} twice")
    known = series.set_axis(days)
    n_stray = int((~days.isin(dates)).sum())
    if n_stray == len(days) and len(days):
        raise InputError(
            f"no date of the targets of {ticker!r} occurs in its features: they are from "
            f"{days.min().date()} to {days.max().date()}"
        )
    return known.reindex(dates).to_numpy(), n_stray


def _dates_of(frame: Any) -> Any:
    import pandas as pd

    from bmastore.panel.ingest import vendors

    if isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex):
        return frame.index
    plain = [vendors.plain(str(name)) for name in frame.columns]
    day, _ = vendors.date_columns(vendors.VENDORS["usual"], plain)
    return frame.index if day is None else pd.Index(frame.iloc[:, day])


def _market_dates(ticker: Any, index: Any, what: str) -> Any:
    """The market's dates of an index; ``None`` if it holds none."""
    import pandas as pd

    if isinstance(index, pd.MultiIndex):
        dated = [i for i in range(index.nlevels)
                 if isinstance(index.get_level_values(i), pd.DatetimeIndex)]  # fmt: skip
        if len(dated) != 1:
            return None
        index = index.get_level_values(dated[0])
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if not isinstance(index, pd.DatetimeIndex):
        if pd.api.types.is_numeric_dtype(index):
            return None
        try:
            index = pd.DatetimeIndex(pd.to_datetime(index, format="ISO8601"))
        except (ValueError, TypeError, OverflowError):
            return None
    if index.tz is not None:
        index = index.tz_localize(None)
    if index.hasnans:
        raise InputError(f"the {what} of {ticker!r} have a date that is missing")
    return index.normalize()
