"""Tables of Python: pandas, Polars, Arrow, and dicts of them, as batches."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import duckdb

from bmastore.errors import BmastoreError, InputError
from bmastore.panel.ingest import vendors
from bmastore.panel.ingest.batches import Batch, as_batch
from bmastore.storage.statements import literal, quoted

# What third-party frames raise when their content does not fit.
_TROUBLE = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError)


def read_frame(duck: duckdb.DuckDBPyConnection, data: Any, number: int = 0) -> Batch:
    """A table of Python as a batch.

    Raises
    ------
    InputError
        If ``data`` is no table, or cannot be read as one.
    """
    try:
        return _read(duck, data, number)
    except BmastoreError:
        raise
    except ModuleNotFoundError as error:
        raise InputError(
            f"to read a {type(data).__name__}, {error.name} is needed: pip install {error.name}"
        ) from None
    except duckdb.Error as error:
        raise InputError(f"cannot read this {type(data).__name__}: {first_line(error)}") from None
    except _TROUBLE as error:
        raise InputError(f"cannot read this {type(data).__name__}: {error}") from None


def first_line(error: BaseException) -> str:
    """The first line of an error's text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _read(duck: duckdb.DuckDBPyConnection, data: Any, number: int) -> Batch:
    if isinstance(data, duckdb.DuckDBPyRelation):
        data = data.df()
    if hasattr(data, "collect") and hasattr(data, "lazy"):  # a Polars lazy frame
        data = data.collect()
    if isinstance(data, Mapping):
        data = _from_mapping(data)
    elif isinstance(data, Sequence) and data and all(isinstance(row, Mapping) for row in data):
        import pandas as pd

        data = pd.DataFrame(list(data))
    kind = type(data).__module__.split(".")[0]
    zones: dict[str, str] = {}
    if kind == "pandas":
        data = _plain_pandas(data)
        names = [str(name) for name in data.columns]
    elif kind == "polars":
        data, names = _plain_polars(data), list(data.columns)
    elif kind == "pyarrow" or hasattr(data, "__arrow_c_stream__"):
        data, zones, names = _plain_arrow(data)
    else:
        raise InputError(
            f"cannot read a {type(data).__name__}; give paths, a pandas, Polars or Arrow table, "
            f"or a dict of frames by ticker"
        )
    _check_names(names)
    duck.register("frame", data)
    try:
        return as_batch(duck, number, "frame", zones=zones)
    finally:
        duck.unregister("frame")


def _check_names(names: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other is not name and (other != name or names.count(name) > 1):
            what = f"twice a column {name!r}" if other == name else f"{other!r} and {name!r}"
            raise InputError(f"the input has {what}; rename one of them")
    if not names:
        raise InputError("the input has no columns")


def _plain_pandas(frame: Any) -> Any:
    """A pandas frame with its index as columns, and its dates as those of the market's clock."""
    import pandas as pd

    if isinstance(frame, pd.Series):
        frame = frame.to_frame(frame.name if frame.name is not None else "value")
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"cannot read a pandas {type(frame).__name__}; give a DataFrame")
    frame = _with_index(frame)
    if isinstance(frame.columns, pd.MultiIndex):
        frame = frame.copy(deep=False)
        frame.columns = [_joined(name) for name in frame.columns]
    frame = frame.copy(deep=False)
    frame.columns = [str(name) for name in frame.columns]
    _check_names(list(frame.columns))
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            frame[name] = column.dt.tz_localize(None)
        elif isinstance(column.dtype, pd.PeriodDtype):
            frame[name] = column.dt.start_time
        elif isinstance(column.dtype, pd.SparseDtype):
            frame[name] = column.sparse.to_dense()
        elif column.dtype == object:
            frame[name] = _plain_objects(column)
        if _is_reversed(frame[name]):
            frame[name] = frame[name].copy()
    return frame


def _is_reversed(column: Any) -> bool:
    """Whether a column is a view of another from its end on, which DuckDB cannot read."""
    import numpy as np

    values = column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array
    return any(step < 0 for step in getattr(values, "strides", ()))


def _with_index(frame: Any) -> Any:
    import pandas as pd

    index = frame.index
    if isinstance(index, pd.RangeIndex) and index.name is None:
        return frame
    levels = frame.columns.nlevels
    taken = {str(name).lower() for name in frame.columns}
    plain = [vendors.plain(str(name)) for name in frame.columns]
    names: list[Hashable] = []
    for i, name in enumerate(index.names):
        values = index.get_level_values(i)
        if name is None and isinstance(values, pd.DatetimeIndex | pd.PeriodIndex):
            name = "date" if not vendors.DATES & set(plain) else None
        elif name is None and index.nlevels == 2 and pd.api.types.is_string_dtype(values.dtype):
            name = "ticker" if not vendors.TICKERS & set(plain) else None
        if name is None or (levels == 1 and str(name).lower() in taken):
            # Row numbers, labels without a meaning, or what a column says as well.
            continue
        names.append(name)
        frame = frame.copy(deep=False)
        key = name if levels == 1 else (name, *[""] * (levels - 1))
        frame.insert(len(names) - 1, key, values)
    return frame.reset_index(drop=True)


def _joined(name: tuple[Hashable, ...]) -> str:
    parts = [str(part) for part in name if str(part) != ""]
    if len(parts) > 2:
        raise InputError("columns have more than two levels; give prices over tickers")
    return vendors.pair(*parts) if len(parts) == 2 else (parts or [""])[0]


def _plain_objects(column: Any) -> Any:
    """A column of Python objects as numbers, or as text where they are not all numbers."""
    import pandas as pd

    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "string":
        return column
    if kind in ("integer", "floating", "mixed-integer-float", "decimal", "boolean", "empty"):
        if kind == "empty":
            return column.astype("float64")
        try:
            return column.map(lambda v: None if pd.isna(v) else float(v)).astype("float64")
        except OverflowError:
            pass
    return column.map(_as_text).astype(object)


def _as_text(value: Any) -> str | None:
    if value is None or value != value:
        return None
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return None if text in ("<NA>", "NaT") else text


def _plain_polars(frame: Any) -> Any:
    import polars as pl

    if isinstance(frame, pl.Series):
        frame = frame.to_frame()
    # Local times without their zone: the market's own dates.
    return frame.with_columns(
        pl.col(name).dt.replace_time_zone(None)
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Datetime) and kind.time_zone
    )


def _plain_arrow(data: Any) -> tuple[Any, dict[str, str], list[str]]:
    import pyarrow as pa

    if hasattr(data, "to_table"):  # a dataset
        data = data.to_table()
    if isinstance(data, pa.RecordBatch):
        data = pa.Table.from_batches([data])
    if not hasattr(data, "schema"):
        data = pa.RecordBatchReader.from_stream(data)
    names = list(data.schema.names)
    return data, zones_of(data.schema), names


def zones_of(schema: Any) -> dict[str, str]:
    """Time zones of an Arrow schema's columns."""
    return {
        field.name: field.type.tz for field in schema if getattr(field.type, "tz", None) is not None
    }


def _from_mapping(data: Mapping[Any, Any]) -> Any:
    """One table out of a dict of tables by ticker, or of columns by name."""
    import pandas as pd

    if not data:
        raise InputError("there are no frames: the dict is empty")
    kinds = {type(value).__module__.split(".")[0] for value in data.values()}
    if kinds == {"polars"} or kinds == {"pyarrow"}:
        return _stacked(data)
    if all(isinstance(value, pd.Series | pd.DataFrame) for value in data.values()):
        return pd.concat(
            [_of_ticker(ticker, frame) for ticker, frame in data.items()], ignore_index=True
        )
    if any(isinstance(value, pd.DataFrame) or value is None for value in data.values()):
        raise InputError("a dict of frames by ticker holds something else than frames")
    return pd.DataFrame(dict(data))


def _of_ticker(ticker: Any, frame: Any) -> Any:
    """One stock's frame with its ticker as a column."""
    import pandas as pd

    if isinstance(frame, pd.Series):
        frame = frame.rename("close").to_frame()
    ticker = ticker[0] if isinstance(ticker, tuple) and len(ticker) == 1 else ticker
    if pd.api.types.is_scalar(ticker) and pd.isna(ticker):
        raise InputError(f"a frame of the dict has the key {ticker!r}, which is no ticker")
    frame = _with_index(frame)
    own = [name for name in frame.columns if vendors.plain(str(name)) in vendors.TICKERS]
    for name in own:
        others = {str(value) for value in frame[name].dropna().unique()} - {str(ticker)}
        if others and vendors.plain(str(name)) in ("ticker", "symbol"):
            raise InputError(
                f"the frame of {ticker!r} has {sorted(others)[0]!r} in its column {name!r}"
            )
        if not others:
            frame = frame.drop(columns=name)
    name = "ticker"
    if name in frame.columns:
        raise InputError(f"the frame of {ticker!r} has a column 'ticker' of other tickers")
    frame = frame.copy(deep=False)
    frame.insert(0, name, str(ticker))
    return frame


def _stacked(data: Mapping[Any, Any]) -> Any:
    """Polars or Arrow tables by ticker as one pandas frame."""
    with duckdb.connect() as duck:
        parts = []
        for i, (ticker, table) in enumerate(data.items()):
            plain = _plain_polars(table) if type(table).__module__.startswith("polars") else table
            duck.register(f"frame_{i}", plain)
            has_ticker = any(vendors.plain(name) == "ticker" for name in duck.table(
                f"frame_{i}").columns)  # fmt: skip
            key = "" if has_ticker else f"{literal(str(ticker))} as ticker, "
            parts.append(f"select {key}* from {quoted(f'frame_{i}')}")
        return duck.execute(" union all by name ".join(parts)).df()
