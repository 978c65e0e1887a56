"""Text files: find out separator and header of each, and read those that are alike together."""

import csv
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from bmastore.panel.ingest import vendors
from bmastore.panel.ingest.batches import Batch, File
from bmastore.panel.ingest.encodings import (
    as_text,
    encoding_of,
    first_bad_encoding,
    head_of,
)
from bmastore.panel.ingest.files import NotTakenError, new_file
from bmastore.panel.ingest.options import IngestOptions
from bmastore.panel.ingest.report import Count
from bmastore.storage.statements import literal

_DELIMITERS = ("\t", ";", "|", ",", " ")
_LOOKED_AT = 60
_NUMBER = re.compile(r"[-+(]?[$€£¥₹]?\d[\d.,']*(e[-+]?\d+)?[)%]?", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{1,2}[- ][A-Za-z]{3}[- ]\d{2,4}")
# Names of the levels and of the index, in files with a row of headers per level.
_LEVELS = {"", "price", "ticker", "tickers", "symbols", "attributes", "names", "field", "variable"}
_INDEX = {"", "date", "datetime", "timestamp", "time"}
# Units, in upper case, that a line below the names may hold.
_UNITS = {
    "", "%", "$", "€", "£", "¥", "UNITS", "SHARES", "SHS", "STK", "STÜCK", "PCS", "LOTS",
    "USD", "EUR", "GBP", "GBX", "JPY", "CHF", "CAD", "AUD", "NZD", "HKD", "SGD", "CNY", "CNH",
    "KRW", "TWD", "INR", "BRL", "MXN", "ZAR", "ZAC", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF",
    "TRY", "ILS", "ILA", "THB", "IDR", "MYR", "PHP", "VND", "SAR", "AED", "CLP", "COP", "RUB",
}  # fmt: skip
# What DuckDB calls lines that have more cells than the header, or fewer.
_LONG, _SHORT = "TOO MANY COLUMNS", "MISSING COLUMNS"
# A cell in quotes may run over so many lines; beyond, its quote is a stray sign.
_LONGEST_CELL = 50


@dataclass(frozen=True)
class Form:
    """How a text file is laid out: files of one form are read together.

    ``skip`` counts the lines up to the first row.
    """

    names: tuple[str, ...]
    skip: int
    delimiter: str


def read_text(
    duck: duckdb.DuckDBPyConnection,
    files: Sequence[File],
    options: IngestOptions,
    scratch: Path,
    first_number: int,
) -> tuple[list[Batch], list[tuple[str, str]]]:
    """Batches of the files that can be read, and why others cannot."""
    groups: dict[Form, list[File]] = defaultdict(list)
    encodings: dict[str, list[str]] = defaultdict(list)
    left_out: list[tuple[str, str]] = []
    known: dict[str, Form] = {}
    for file in files:
        try:
            form, readable, encoding = _look(file, options, scratch, known)
        except NotTakenError as error:
            left_out.append((file.shown, str(error)))
            continue
        groups[form].append(readable)
        if encoding != "utf-8":
            encodings[encoding].append(file.shown)
    batches: list[Batch] = []
    for form, alike in groups.items():
        try:
            batches.append(_read(duck, first_number + len(batches), form, alike, scratch))
        except NotTakenError as error:
            left_out.extend((file.shown, str(error)) for file in alike)
    for encoding, shown in encodings.items():
        if batches and options.encoding is None:
            batches[0] = batches[0].noting(
                f"files read as {encoding}; name another encoding with --encoding",
                len(shown),
                shown,
            )
    return batches, left_out


def _look(
    file: File, options: IngestOptions, scratch: Path, known: dict[str, Form]
) -> tuple[Form, File, str]:
    """A file's form, the file as DuckDB can read it, and its encoding."""
    head = head_of(file.path)
    is_whole = len(head) < 1 << 16
    encoding = options.encoding or encoding_of(head, is_whole)
    encoding = "utf-8" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    start = head.decode(encoding, "replace").lstrip("\ufeff")
    lines = re.split(r"\r\n|\n|\r", start)
    if not is_whole and len(lines) > 1:
        del lines[-1]
    first = lines[0] if lines else ""
    form = known.get(first)
    ticker = None
    if form is None or len(lines) < 2 or len(_cells(lines[1], form.delimiter)) != len(form.names):
        form, ticker = _form(lines, is_whole)
        if ticker is None and form.skip == 1:
            known[first] = form
    file = replace(file, ticker=ticker)
    packed = file.path.lower().endswith((".bz2", ".xz"))
    if form.delimiter == " " or encoding != "utf-8" or packed:
        file = _rewritten(file, form, encoding, scratch)
        form = replace(form, delimiter=",", skip=0)
    return form, file, "utf-8" if encoding == "utf-8-sig" else encoding


def _form(lines: Sequence[str], is_whole: bool) -> tuple[Form, str | None]:
    """The form of a file that begins with these lines, and the ticker that its head names."""
    best: tuple[float, int, str] | None = None
    for delimiter in _DELIMITERS:
        widths = Counter(len(_cells(line, delimiter)) for line in lines[:_LOOKED_AT] if line)
        wide = {width: n for width, n in widths.items() if width > 1}
        if not wide or (delimiter == " " and best is not None):
            continue
        width = max(wide, key=lambda n: (wide[n], n))
        # One row that is as wide as its header says as much as many that agree by chance.
        head = _first_of_width(lines, delimiter, width)
        score = (wide[width] / sum(widths.values()) + (head is not None and head == 0), width)
        if best is None or score > best[:2]:
            best = (*score, delimiter)
    if best is None:
        some = next((line for line in lines if line.strip()), "")
        if not some:
            raise NotTakenError("is empty")
        raise NotTakenError(
            f"has one column only ({some[:40]!r}): it is a list, or its separator is none of "
            f"comma, semicolon, tab, bar and space"
        )
    delimiter, width = best[2], best[1]
    at = _first_of_width(lines, delimiter, width)
    if at is None:
        raise NotTakenError("has no line of names above its rows")
    rows = [_cells(line, delimiter) for line in lines[at : at + 4]]
    if (pairs := _levels(rows)) is not None:
        names, n_rows, ticker = pairs
        return Form(names, at + n_rows, delimiter), ticker
    if any(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell) for cell in rows[0][:3]) and not (
        len(rows) > 1 and _is_wide(rows)
    ):
        known = vendors.names_without_header(rows[0])
        if known is None:
            raise NotTakenError(
                f"has values, not names of columns, in its first line ({lines[at][:40]!r}); "
                f"put a line with the names above"
            )
        return Form(known, at, delimiter), None
    if is_whole and not any(line.strip() for line in lines[at + 1 :]):
        raise NotTakenError("has a header and no rows")
    names = tuple(rows[0])
    if len(names) < width:  # R's write.table leaves the row names without a header
        names = ("", *names) if len(rows) > 1 and rows[1][-1] else (*names, "")
    return Form(names, at + 1, delimiter), None


def _first_of_width(lines: Sequence[str], delimiter: str, width: int) -> int | None:
    """The first line that may be the header of rows of this width."""
    for i, line in enumerate(lines):
        cells = _cells(line, delimiter)
        if len(cells) == width and (i == 0 or sum(map(bool, cells)) > width // 2):
            following = [len(_cells(other, delimiter)) for other in lines[i - 1 : i]] if i else []
            return i - 1 if following == [width - 1] and width > 3 else i
    return None


def _is_wide(rows: Sequence[Sequence[str]]) -> bool:
    """Whether numbers in a header may be tickers: its first column is named, and of dates."""
    first = rows[0][0]
    return not _NUMBER.fullmatch(first) and not _DATE.fullmatch(first) and bool(
        _DATE.fullmatch(rows[1][0])
    )  # fmt: skip


def _levels(rows: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], int, str | None] | None:
    """Names out of two rows of headers, prices over tickers or the reverse, or over units.

    Returns the names, the number of rows of headers, and the ticker if there is only one.
    """
    if len(rows) < 3 or rows[0][0].lower() not in _LEVELS | _INDEX:
        return None
    if rows[0][0] and not rows[1][0] and {cell.upper() for cell in rows[1]} <= _UNITS:
        return tuple(rows[0]), 2, None
    first, second = (_filled(row[1:]) for row in rows[:2])
    if rows[1][0].lower() not in _LEVELS | _INDEX or len(first) != len(second):
        return None
    if vendors.are_prices(first) and not any(_NUMBER.fullmatch(cell) for cell in first):
        prices, tickers = first, second
    elif vendors.are_prices(second):
        prices, tickers = second, first
    else:
        return None
    named = rows[2][0].lower() in _INDEX and not any(rows[2][1:])
    if not named and any(_NUMBER.fullmatch(cell) for cell in rows[1][1:2]):
        return None
    index = rows[2][0] if named and rows[2][0] else "Date"
    n_rows = 3 if named else 2
    if len(set(tickers)) == 1:
        return (index, *prices), n_rows, tickers[0]
    joined = (vendors.pair(price, ticker) for price, ticker in zip(prices, tickers, strict=True))
    return (index, *joined), n_rows, None


def _filled(cells: Iterable[str]) -> list[str]:
    filled: list[str] = []
    for cell in cells:
        filled.append(cell or (filled[-1] if filled else ""))
    return filled


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        if '"' not in line:
            return line.split()
        line = " ".join(line.split())
    if '"' not in line:
        return [cell.strip() for cell in line.split(delimiter)]
    try:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
    except (csv.Error, StopIteration):
        cells = line.split(delimiter)
    return [cell.strip() for cell in cells]


def _read(
    duck: duckdb.DuckDBPyConnection,
    number: int,
    form: Form,
    files: list[File],
    scratch: Path,
) -> Batch:
    """Read files of one form into a table, once; odd ones are written anew before."""
    try:
        kinds = _scan(duck, number, form, files)
    except duckdb.Error:
        kinds = {"the reader gave up": len(files)}
    if set(kinds) - {_LONG, _SHORT}:
        files = [_clean(file, form, scratch) for file in files]
        form = replace(form, skip=0, delimiter=",")
        try:
            kinds = _scan(duck, number, form, files)
        except duckdb.Error as error:
            raise NotTakenError(f"cannot be read: {str(error).splitlines()[0]}") from None
    if _SHORT in kinds and _may_be_short(duck, number, len(form.names)):
        _scan(duck, number, form, files, may_be_short=True)
    _check_second_header(duck, number, form)
    lost = duck.execute(
        f"select error_type::varchar, count(*), "
        f"max(left(trim(csv_line, chr(10) || chr(13)), 40), 3) "
        f"from (from rejects_{number} select distinct on (file_id, line) csv_line, error_type) "
        f"group by 1"
    ).fetchall()
    return Batch(
        f"batch_{number}",
        form.names,
        ("VARCHAR",) * len(form.names),
        files=tuple(files),
        lost=tuple(
            Count(
                f"lines have {'fewer' if kind == _SHORT else 'more'} cells than the header",
                n,
                tuple(sorted(examples)),
            )
            for kind, n, examples in sorted(lost)
        ),
    )


def _check_second_header(duck: duckdb.DuckDBPyConnection, number: int, form: Form) -> None:
    """See that no later line has the names in another order, as where files were put together.

    Raises
    ------
    NotTakenError
        If one has.
    """
    names = [name.lower() for name in form.names]
    listed = ", ".join(map(literal, names))
    likely = " and ".join(f"lower(trim(c{i})) in ({listed})" for i in range(min(2, len(names))))
    for row in duck.execute(
        f"select distinct columns('c[0-9]+') from batch_{number} where {likely} limit 10"
    ).fetchall():
        cells = [str(cell or "").strip().lower() for cell in row]
        if cells != names and sorted(cells) == sorted(names):
            raise NotTakenError(
                f"has a second line of names, with the columns in another order "
                f"({', '.join(map(str, row))[:60]}): make two files of it"
            )


def _may_be_short(duck: duckdb.DuckDBPyConnection, number: int, width: int) -> bool:
    """Whether lines with fewer cells than the header lack what is blank in most of the others.

    Some programs leave blank cells at the end of a line out. Where there are few such lines, and
    the last column is filled in the others, they were cut off, or have lost a cell: then nobody
    knows which.
    """
    whole, filled, short = duck.execute(
        f"select count(*), count(c{width - 1}), (select count(distinct (file_id, line)) "
        f"from rejects_{number} where error_type = '{_SHORT}') from batch_{number}"
    ).fetchall()[0]
    return bool(short >= whole or 2 * filled < whole)


def _scan(
    duck: duckdb.DuckDBPyConnection,
    number: int,
    form: Form,
    files: Sequence[File],
    *,
    may_be_short: bool = False,
) -> dict[str, int]:
    """Read the files as text into ``batch_<number>``; returns the kinds of lines refused."""
    paths = "[" + ", ".join(literal(_no_glob(file.path)) for file in files) + "]"
    columns = ", ".join(f"c{i}: 'VARCHAR'" for i in range(len(form.names)))
    some = " or ".join(f"c{i} is not null" for i in range(len(form.names)))
    for table in (f"rejects_{number}", f"rejects_of_{number}"):
        duck.execute(f"drop table if exists {table}")
    # Quotes are set, for they are otherwise looked for in the first 20,480 rows only.
    duck.execute(
        f"create or replace temp table batch_{number} as "
        f"select * from read_csv({paths}, auto_detect = false, header = false, "
        f"skip = {form.skip}, delim = {literal(form.delimiter)}, quote = '\"', escape = '\"', "
        f"columns = {{{columns}}}, null_padding = {may_be_short}, filename = 'file_path', "
        f"store_rejects = true, rejects_table = 'rejects_{number}', "
        f"rejects_scan = 'rejects_of_{number}', rejects_limit = 0) where {some}"
    )
    kinds = duck.execute(
        f"select error_type::varchar, count(*) from rejects_{number} group by 1"
    ).fetchall()
    return dict(kinds)


def _clean(file: File, form: Form, scratch: Path) -> File:
    """The file written anew as plain UTF-8 CSV without a header."""
    encoding = first_bad_encoding(file.path) or "utf-8"
    return _rewritten(file, form, encoding, scratch)


def _rewritten(file: File, form: Form, encoding: str, scratch: Path) -> File:
    """The rows of a file in a file of our own: UTF-8, commas, and no header.

    A quote that is not closed within ``_LONGEST_CELL`` lines is a sign like any other.
    """
    place = new_file(scratch, ".csv")
    with as_text(file.path, encoding) as text, place.open("w", encoding="utf-8", newline="") as out:
        write = csv.writer(out).writerow
        lines = (line.rstrip("\r\n").lstrip("\ufeff") for line in text)
        for line in itertools.islice(lines, form.skip, None):
            waiting = [line]
            n_quotes = line.count('"')
            while n_quotes % 2 and len(waiting) < _LONGEST_CELL:
                more = next(lines, None)
                if more is None:
                    break
                waiting.append(more)
                n_quotes += more.count('"')
            if n_quotes % 2:
                for one in waiting:
                    write(cell.strip() for cell in one.replace('"', "").split(form.delimiter))
            elif len(waiting) == 1:
                write(_cells(line, form.delimiter))
            else:
                # A line end in a cell is a space: DuckDB reads such lines with one thread.
                write(" ".join(cell.split()) for cell in _long_cells(waiting, form.delimiter))
    return replace(file, path=str(place))


def _long_cells(lines: Sequence[str], delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line + "\n" for line in lines], delimiter=delimiter))
    except (csv.Error, StopIteration):
        return " ".join(lines).split(delimiter)


def _no_glob(path: str) -> str:
    """A path in which no sign means other files."""
    return re.sub(r"([*?\[])", r"[\1]", path)
