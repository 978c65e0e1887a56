"""What may be ingested: files and frames, made into one DuckDB relation with known columns."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from bmastore.errors import InputError
from bmastore.storage.statements import literal, quoted

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")

# Spellings of Yahoo, Stooq and common vendors, without case and punctuation.
_SPELLINGS = {
    "ticker": ("ticker", "symbol"),
    "date": ("date", "datetime", "timestamp"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "volume": ("volume", "vol"),
    "adj_close": ("adjclose", "adjustedclose", "closeadj"),
}
PRICE_COLUMNS = ("open", "high", "low", "close", "volume", "adj_close")


@dataclass(frozen=True)
class Source:
    """What is to be ingested, readable in DuckDB as the view ``source``.

    Attributes
    ----------
    types:
        DuckDB type of each column by its name in the input.
    ticker, date:
        SQL expressions: the ticker as text, the date as DATE (NULL if unparsable).
    date_column:
        Name of the date column in the input.
    prices:
        Input column of each price column that was found.
    notes:
        What the user should know about how the input is read.
    """

    types: dict[str, str]
    ticker: str
    date: str
    date_column: str
    ticker_column: str | None
    prices: dict[str, str]
    notes: tuple[str, ...]

    @property
    def has_prices(self) -> bool:
        """Whether the input looks like daily prices."""
        return {"open", "high", "low", "close", "volume"} <= set(self.prices)

    def column(self, name: str) -> str:
        """The input's column of this name.

        Raises
        ------
        InputError
            If there is none; the message gives the nearest name.
        """
        return _find(name, self.types)


def open_source(
    duck: duckdb.DuckDBPyConnection,
    data: Any,
    ticker_col: str | None = None,
    date_col: str | None = None,
) -> Source:
    """Make ``data`` readable as the view ``source``.

    Parameters
    ----------
    duck:
        Connection on which the view is made.
    data:
        Paths or globs of Parquet and CSV files (one or a list), a pandas, Polars or
        Arrow table, or a dict of pandas frames or series by ticker.
    ticker_col, date_col:
        Names of the key columns where they are not the usual ones.

    Raises
    ------
    InputError
        If there is nothing to read, or a key column is missing.
    """
    notes: list[str] = []
    paths = _as_paths(data)
    if paths is not None:
        _read_files(duck, paths)
    else:
        _register_frame(duck, data)
    types = dict(duck.execute("select column_name, column_type from (describe source)").fetchall())
    own = {name: kind for name, kind in types.items() if name != "source_file"}
    spelled = _by_spelling(own)

    ticker_column = _find(ticker_col, own) if ticker_col else spelled.get("ticker")
    if ticker_column is None and paths is None:
        raise InputError(_missing("ticker", own))
    if ticker_column is None:
        ticker = "parse_filename(source_file, true)"
        notes.append("no ticker column: each file's name, without its ending, is its ticker")
    else:
        ticker = f"{quoted(ticker_column)}::varchar"

    date_column = _find(date_col, own) if date_col else spelled.get("date")
    if date_column is None:
        raise InputError(_missing("date", own))
    kind = own[date_column]
    if "WITH TIME ZONE" in kind:
        notes.append(f"{date_column!r} has a time zone: its dates are taken in UTC")
    return Source(
        own,
        f"trim({ticker})",
        _date_expression(date_column, kind),
        date_column,
        ticker_column,
        {name: spelled[name] for name in PRICE_COLUMNS if name in spelled},
        tuple(notes),
    )


def join_targets(frames: Any, targets: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Frames by ticker, each with its series of targets as the column ``target``.

    Dates that only a series has are left out: there is nothing to forecast from.

    Raises
    ------
    InputError
        If the frames are not a dict.
    """
    if not isinstance(frames, Mapping):
        raise InputError("targets by ticker go with a dict of frames by ticker")
    joined = {}
    for ticker, frame in frames.items():
        series = targets.get(ticker)
        values = float("nan") if series is None else series.reindex(frame.index)
        joined[ticker] = frame.assign(target=values)
    return joined, "target"


def number(column: str, kind: str) -> str:
    """SQL for a column's value as DOUBLE; NULL where missing or not a number.

    Raises
    ------
    InputError
        If the column's type cannot hold numbers.
    """
    name = quoted(column)
    if kind == "VARCHAR":
        return f"case when {is_filled(column)} then try_cast({name} as double) end"
    numeric = ("INT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN", "NULL")
    if not any(word in kind for word in numeric) or "[" in kind:
        raise InputError(f"column {column!r} holds {kind} values, not numbers; leave it out")
    return f"case when not isnan({name}::double) then {name}::double end"


def is_filled(column: str) -> str:
    """SQL for whether a text cell holds more than a usual sign for a missing number."""
    text = f"lower(trim({quoted(column)}))"
    return f"coalesce({text} not in ('', 'na', 'n/a', 'nan', 'null', 'none', '-'), false)"


def _as_paths(data: Any) -> list[Path] | None:
    if isinstance(data, str | Path):
        data = [data]
    if not isinstance(data, Sequence) or not all(isinstance(item, str | Path) for item in data):
        return None
    found: list[Path] = []
    for item in data:
        found.extend(_expand(Path(item)))
    if not found:
        raise InputError("no files to ingest")
    return list(dict.fromkeys(found))


def _expand(path: Path) -> list[Path]:
    if path.is_dir():
        inside = sorted(p for p in path.iterdir() if p.name.lower().endswith(_PARQUET + _CSV))
        if not inside:
            raise InputError(f"{path} has no Parquet or CSV files in it")
        return inside
    if path.exists():
        return [path]
    if re.search(r"[*?\[]", str(path)):
        root = Path(path.anchor) if path.is_absolute() else Path()
        matches = sorted(root.glob(str(path.relative_to(path.anchor))))
        if matches:
            return matches
        raise InputError(f"no file matches {path}")
    raise InputError(f"there is no file {path}{_suggest(path.name, _siblings(path))}")


def _siblings(path: Path) -> list[str]:
    return [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []


def _read_files(duck: duckdb.DuckDBPyConnection, paths: list[Path]) -> None:
    for path in paths:
        if not path.name.lower().endswith(_PARQUET + _CSV):
            raise InputError(f"{path} is neither Parquet nor CSV by its name ({_PARQUET + _CSV})")
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty")
    parquet = [p for p in paths if p.name.lower().endswith(_PARQUET)]
    csv = [p for p in paths if not p.name.lower().endswith(_PARQUET)]
    parts = []
    if parquet:
        parts.append(
            f"select * from read_parquet({_list(parquet)}, union_by_name = true, "
            f"filename = 'source_file')"
        )
    if csv:
        parts.append(
            f"select * from read_csv({_list(csv)}, all_varchar = true, header = true, "
            f"union_by_name = true, filename = 'source_file')"
        )
    try:
        duck.execute("create or replace temp view source as " + " union all by name ".join(parts))
        duck.execute("select * from source limit 1").fetchall()
    except duckdb.Error as error:
        names = ", ".join(str(p) for p in paths[:3]) + (" …" if len(paths) > 3 else "")
        raise InputError(f"cannot read {names}: {first_line(error)}") from None


def first_line(error: BaseException) -> str:
    """The first line of an error's text, which in DuckDB's case says what is wrong."""
    return str(error).strip().splitlines()[0]


def _register_frame(duck: duckdb.DuckDBPyConnection, data: Any) -> None:
    frame = _concatenate(data) if isinstance(data, Mapping) else data
    if hasattr(frame, "reset_index"):
        frame = _flatten_pandas(frame)
    try:
        duck.register("source_frame", frame)
        duck.execute("create or replace temp view source as select * from source_frame")
    except (duckdb.Error, TypeError) as error:
        raise InputError(
            f"cannot read a {type(data).__name__}: {first_line(error)}; give paths, a pandas, "
            f"Polars or Arrow table, or a dict of frames by ticker"
        ) from None


def _concatenate(frames: Mapping[Any, Any]) -> Any:
    """A dict of frames or series by ticker as one frame; the index becomes ``date``."""
    import pandas as pd

    parts = []
    for ticker, frame in frames.items():
        if isinstance(frame, pd.Series):
            frame = frame.to_frame(frame.name or "value")
        if not isinstance(frame, pd.DataFrame):
            raise InputError(f"{ticker!r} holds a {type(frame).__name__}, not a pandas frame")
        flat = _flatten_pandas(frame)
        flat.insert(0, "ticker", str(ticker))
        parts.append(flat)
    if not parts:
        raise InputError("the dict holds no stocks")
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def _flatten_pandas(frame: Any) -> Any:
    """A pandas frame with its index as columns, and its dates as those of the market's clock."""
    import pandas as pd

    if any(not isinstance(name, str) for name in frame.columns):
        raise InputError("column names must be text, on one level")
    index = frame.index
    if not isinstance(index, pd.RangeIndex):
        if isinstance(index, pd.DatetimeIndex) and "date" not in _by_spelling(frame.columns):
            frame = frame.rename_axis("date")
        if all(frame.index.names):
            frame = frame.reset_index()
    frame = frame.copy(deep=False)
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.DatetimeTZDtype):
            frame[name] = frame[name].dt.tz_localize(None)
    return frame


def _by_spelling(columns: Iterable[str]) -> dict[str, str]:
    """Input column of each known name, by its spelling."""
    plain = {re.sub(r"[^a-z0-9]", "", str(name).lower()): name for name in reversed(list(columns))}
    found = {}
    for name, spellings in _SPELLINGS.items():
        for spelling in spellings:
            if spelling in plain:
                found[name] = plain[spelling]
                break
    return found


def _find(wanted: str, columns: Iterable[str]) -> str:
    names = list(columns)
    if wanted in names:
        return wanted
    same = [name for name in names if name.lower() == wanted.lower()]
    if len(same) == 1:
        return same[0]
    raise InputError(_missing(wanted, names))


def _missing(wanted: str, columns: Iterable[str]) -> str:
    names = list(columns)
    text = f"there is no column {wanted!r}{_suggest(wanted, names)}"
    option = {"ticker": "--ticker-col", "date": "--date-col"}.get(wanted)
    hint = f"; name it with {option}" if option else ""
    return f"{text} (columns: {', '.join(names[:20])}){hint}"


def _suggest(wanted: str, names: Sequence[str]) -> str:
    lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wanted.lower(), list(lower), n=1)
    return f"; did you mean {lower[near[0]]!r}?" if near else ""


def _list(paths: list[Path]) -> str:
    # A glob character in a file's name must not be expanded a second time.
    escaped = (re.sub(r"([*?\[])", r"[\1]", str(path)) for path in paths)
    return "[" + ", ".join(literal(path) for path in escaped) + "]"


def _date_expression(column: str, kind: str) -> str:
    name = quoted(column)
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        return f"{name}::date"
    # Text as 2024-01-31 with or without a time and zone (the date as written: that of
    # the market), 2024/01/31, or 20240131. Other orders are ambiguous: not guessed.
    text = f"trim({name}::varchar)"
    iso = f"regexp_extract({text}, '^(\\d{{4}}-\\d{{1,2}}-\\d{{1,2}})([T ].*)?$', 1)"
    compact = f"try_strptime({text}, ['%Y%m%d', '%Y/%m/%d'])::date"
    return f"coalesce(try_cast({iso} as date), {compact})"
