"""Whose column is what: ticker, date, prices, features and targets of each batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb

from bmastore.errors import InputError
from bmastore.panel.ingest import vendors
from bmastore.panel.ingest.batches import Batch
from bmastore.panel.ingest.dates import Dates, read_dates
from bmastore.panel.ingest.files import NotTakenError, suggest
from bmastore.panel.ingest.numbers import is_number
from bmastore.panel.ingest.options import IngestOptions
from bmastore.panel.ingest.reshape import is_nameless
from bmastore.panel.ingest.vendors import Vendor
from bmastore.storage.resources import sql
from bmastore.storage.statements import Part, fill

_WEAK_CLOSES = ("price", "px", "nav", "prc", "closingvalue")
# Shares that are told apart by their symbol alone.
_COMMON_SERIES = "('', 'EQ', 'BE', 'BZ', 'SM', 'ST', 'A', 'B', 'T', 'X')"
# Marks of zero width anywhere in a ticker, and blanks around it.
_UNSEEN = r"\p{Cf}|^\p{Z}+|\p{Z}+$"
# What libraries write beside the data; row numbers only if they count the rows.
_BOOKKEEPING = ("indexlevel0", "indexlevel1", "level0", "fragmentindex", "batchindex")
_ROW_NUMBERS = ("index", "row", "rownum", "rownumber", "rowid", "rownames", "id", "no", "nr", "n")


@dataclass(frozen=True)
class Layout:
    """How the columns of a batch are read.

    Attributes
    ----------
    ticker:
        SQL for the ticker as text.
    named_by:
        ``"column"``, ``"folder"``, ``"head"`` or ``"name"``: what holds the ticker.
    dates:
        How dates are read.
    prices:
        The column of each role of prices.
    others:
        Columns that are neither key nor bookkeeping, in the order of the input.
    """

    batch: Batch
    vendor: Vendor
    ticker: str
    named_by: str
    ticker_column: int | None
    date_column: int | None
    dates: Dates
    prices: dict[str, int]
    others: tuple[int, ...]
    left_out: tuple[str, ...] = field(default=())

    @property
    def has_typed_dates(self) -> bool:
        """Whether the dates' type is one, so that none can be unreadable."""
        return self.date_column is not None and self.batch.types[self.date_column] == "DATE"

    def column(self, name: str) -> int | None:
        """The column of this name, whatever its case."""
        names = list(self.batch.names)
        if name in names:
            return names.index(name)
        same = [i for i, other in enumerate(names) if other.lower() == name.lower()]
        return same[0] if len(same) == 1 else None


def lay_out(duck: duckdb.DuckDBPyConnection, batch: Batch, options: IngestOptions) -> Layout:
    """Find out what the columns of a batch are.

    Raises
    ------
    NotTakenError
        If it is a file that has no ticker or no date.
    InputError
        If what it holds may mean two things, so that the user must say which.
    """
    vendor = vendors.recognise(batch.names, options.vendor)
    ticker, named_by, ticker_column = _ticker(batch, vendor, options)
    day, time = _date_columns(batch, vendor, options, ticker_column)
    if day is None:
        dates = _dates_of_files(batch, vendor)
    else:
        dates = read_dates(duck, batch, day, options, vendor.date_order, time)
    keys = {ticker_column, day}
    others, left_out = [], []
    for i, name in enumerate(batch.names):
        if i in keys:
            continue
        if _is_bookkeeping(duck, batch, i):
            left_out.append(name or "(without a name)")
        else:
            others.append(i)
    hive = {key for file in batch.files for key in file.keys}
    left_out += sorted(
        key for key in hive if not (vendors.plain(key) in vendors.TICKERS and named_by == "folder")
    )
    return Layout(
        batch, vendor, ticker, named_by, ticker_column, day, dates,
        _prices(vendor, batch.names), tuple(others), tuple(left_out),
    )  # fmt: skip


def missing(wanted: str, names: Sequence[str], option: str | None = None) -> str:
    """What to say of a column that is not there."""
    hint = f"; name it with {option}" if option else ""
    return f"there is no column {wanted!r}{suggest(wanted, names)} (columns: {listed(names)}){hint}"


def listed(names: Sequence[str]) -> str:
    """Some names of columns for people."""
    return ", ".join(
        name if name.strip() and name.isprintable() else repr(name) for name in names[:20]
    )


def _ticker(batch: Batch, vendor: Vendor, options: IngestOptions) -> tuple[str, str, int | None]:
    """SQL for the ticker, what it is taken from, and its column."""
    names = batch.names
    if options.ticker_col is not None:
        at = _named(options.ticker_col, names)
        if at is None and not any(options.ticker_col in file.keys for file in batch.files):
            raise NotTakenError(missing(options.ticker_col, names))
    else:
        at = vendors.ticker_column(vendor, names)
        if at is not None and at == vendors.date_columns(vendor, names)[0]:
            at = None
    if at is not None:
        return _ticker_sql(batch, vendor, at), "column", at
    if not batch.files:
        raise InputError(
            missing("ticker", names, "--ticker-col") + ", or give a dict of frames by ticker"
        )
    if all(_folder_ticker(file.keys, options) is not None for file in batch.files):
        return "files.file_ticker", "folder", None
    if all(file.ticker for file in batch.files):
        return "files.file_ticker", "head", None
    return "files.file_ticker", "name", None


def _ticker_sql(batch: Batch, vendor: Vendor, at: int) -> str:
    kind, name = batch.types[at], f"c{at}"
    if kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL("):
        # A whole number that became a float because one is missing elsewhere.
        whole = f"{name}::double = floor({name}::double) and abs({name}::double) < 1e15"
        text = f"case when {whole} then {name}::bigint::varchar else {name}::varchar end"
    else:
        column = Part(f"{name}::varchar")
        text = fill(sql("ingest/ticker"), {"text": column, "unseen": _UNSEEN})[0]
    series = vendors.first_of((vendor.series,), batch.names) if vendor.series else None
    if series is not None:
        kind_of_share = f"trim(coalesce(c{series}::varchar, ''))"
        text = (
            f"{text} || case when {kind_of_share} in {_COMMON_SERIES} then '' "
            f"else '.' || {kind_of_share} end"
        )
    return text


def _folder_ticker(keys: dict[str, str] | object, options: IngestOptions) -> str | None:
    assert isinstance(keys, dict)
    for key, value in keys.items():
        if key == options.ticker_col or (
            options.ticker_col is None and vendors.plain(key) in vendors.TICKERS
        ):
            return str(value)
    return None


def ticker_of_file(layout: Layout, index: int, options: IngestOptions) -> str:
    """The ticker that a file of a batch names: its folder, its head, or its name."""
    file = layout.batch.files[index]
    if layout.named_by == "folder":
        return _folder_ticker(file.keys, options) or ""
    return file.ticker or vendors.ticker_of_stem(file.stem, layout.vendor)


def date_of_file(layout: Layout, index: int) -> str:
    """The date in a file's folder or name, as text; empty if there is none."""
    file = layout.batch.files[index]
    for key, value in file.keys.items():
        if vendors.plain(key) in vendors.DATES:
            return value
    return vendors.date_of_stem(file.stem, layout.vendor)


def _date_columns(
    batch: Batch, vendor: Vendor, options: IngestOptions, ticker: int | None
) -> tuple[int | None, int | None]:
    names = batch.names
    if options.date_col is not None:
        at = _named(options.date_col, names)
        if at is None and not any(options.date_col in file.keys for file in batch.files):
            raise NotTakenError(missing(options.date_col, names))
        return at, None
    day, time = vendors.date_columns(vendor, names)
    if day is None or day == ticker:
        day = next((i for i, name in enumerate(names) if is_nameless(name)), None)
    if day is None and batch.files and ticker is not None:
        return None, None
    if day is None and any(
        vendors.plain(key) in vendors.DATES for file in batch.files for key in file.keys
    ):
        return None, None
    if day is None:
        raise NotTakenError(missing("date", names, "--date-col"))
    return day, time


def _dates_of_files(batch: Batch, vendor: Vendor) -> Dates:
    some = [
        any(vendors.plain(key) in vendors.DATES for key in file.keys)
        or vendors.date_of_stem(file.stem, vendor)
        for file in batch.files
    ]
    if not all(some):
        raise NotTakenError(missing("date", batch.names, "--date-col"))
    return Dates(
        "try_cast(files.file_date as date)",
        notes=("no date column: the date in each file's name, or folder, is that of its rows",),
    )


def _prices(vendor: Vendor, names: Sequence[str]) -> dict[str, int]:
    found = vendors.price_columns(vendor, names)
    if "close" not in found and "adj_close" in found:
        found["close"] = found["adj_close"]
    if "close" not in found:
        at = vendors.first_of(_WEAK_CLOSES, names)
        if at is not None:
            found["close"] = at
    return found


def _is_bookkeeping(duck: duckdb.DuckDBPyConnection, batch: Batch, i: int) -> bool:
    name = vendors.plain(batch.names[i])
    if is_nameless(batch.names[i]) or name in _BOOKKEEPING:
        return True
    if name not in _ROW_NUMBERS:
        return False
    if not is_number(batch.types[i]) and batch.types[i] != "VARCHAR":
        return False
    number = f"try_cast(c{i} as double)"
    found = duck.execute(
        f"select count(distinct {number}) = max({number}) - min({number}) + 1 "
        f"and count({number}) = count(*) and count(*) > 2 from {batch.table}"
    ).fetchall()
    return bool(found[0][0])


def _named(wanted: str, names: Sequence[str]) -> int | None:
    if wanted in names:
        return list(names).index(wanted)
    same = [i for i, name in enumerate(names) if name.lower() == wanted.lower()]
    return same[0] if len(same) == 1 else None
