"""Dates: the market's own day in whatever way it is written, told by the whole column."""

import re
from dataclasses import dataclass, replace
from datetime import date

import duckdb

from bmastore.errors import InputError
from bmastore.panel.ingest.batches import Batch
from bmastore.panel.ingest.numbers import is_number, is_text
from bmastore.panel.ingest.options import IngestOptions
from bmastore.storage.statements import Part, literal, run

_INSTANTS = ("seconds", "milliseconds", "microseconds", "nanoseconds")
# An instant before noon of UTC has the market's date on every exchange from London to
# Tokyo's afternoon and, as midnight of New York or Chicago, the right one as well. After
# noon it may be the evening before, as midnight in Asia.
_NOON = 12
_FIVE = 5


@dataclass(frozen=True)
class Dates:
    """How a batch's dates are read.

    Attributes
    ----------
    day, moment:
        SQL for the date, and for the time on the market's clock (NULL where there is none).
    join:
        The table of texts and moments that they refer to, if any, and SQL for the text.
    notes:
        What was guessed.
    """

    day: str
    moment: str | None = None
    join: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()


def read_dates(
    duck: duckdb.DuckDBPyConnection,
    batch: Batch,
    column: int,
    options: IngestOptions,
    date_order: str | None = None,
    time_column: int | None = None,
) -> Dates:
    """How to read column ``column`` of a batch as dates.

    Raises
    ------
    InputError
        If its type holds no dates, or if what is written may mean two dates.
    """
    dates = _read(duck, batch, column, options, date_order)
    if time_column is None:
        return dates
    return replace(dates, moment=_with_time(batch, time_column, dates.day))


def _read(
    duck: duckdb.DuckDBPyConnection,
    batch: Batch,
    column: int,
    options: IngestOptions,
    date_order: str | None,
) -> Dates:
    kind, name = batch.types[column], f"c{column}"
    if options.date_format == "excel":
        days = f"floor(try_cast({name}::varchar as double))::integer"
        return Dates(f"case when {days} between 1 and 200000 then date '1899-12-30' + {days} end")
    if options.date_format is not None and (is_text(kind) or is_number(kind)):
        text = f"trim({name})" if is_text(kind) else f"lpad({name}::hugeint::varchar, 8, '0')"
        return _by_format(duck, batch, text, options.date_format)
    if kind == "DATE":
        return Dates(f"case when isfinite({name}) then {name} end")
    if "WITH TIME ZONE" in kind and kind.startswith("TIMESTAMP"):
        return _zoned(duck, batch, column, options)
    if kind.startswith("TIMESTAMP"):
        moment = f"case when isfinite({name}) then {name}::timestamp end"
        return Dates(f"({moment})::date", moment, notes=_no_instants(options))
    if is_text(kind) or kind.startswith("ENUM"):
        text = f"{name}::varchar"
    elif is_number(kind) and kind != "BOOLEAN":
        text = f"case when {name}::double = floor({name}::double) and abs({name}::double) < 1e20 "
        text += f"then {name}::hugeint::varchar else {name}::varchar end"
    else:
        raise InputError(
            f"column {batch.names[column]!r} of {batch.shown} holds {kind[:50]} values, not dates; "
            f"name the date's column with --date-col"
        )
    return _written(duck, batch, column, text, options, date_order)


def _by_format(duck: duckdb.DuckDBPyConnection, batch: Batch, text: str, form: str) -> Dates:
    day = f"try_strptime({text}, {literal(form)})"
    try:
        duck.execute(f"select {day} from {batch.table} limit 0")
    except duckdb.Error as error:
        raise InputError(
            f"--date-format {form!r} is no format: {str(error).splitlines()[0]}; "
            f"write it like %d/%m/%Y, or say excel for serial numbers"
        ) from None
    # Of %Y, strptime takes fewer than four digits.
    day = f"case when year({day}) between 1800 and 2300 then {day} end"
    return Dates(f"({day})::date", day)


def _zoned(
    duck: duckdb.DuckDBPyConnection, batch: Batch, column: int, options: IngestOptions
) -> Dates:
    """Instants: in the zone that the input names, or the user."""
    name = f"c{column}"
    zone = options.time_zone or batch.zones.get(column)
    if zone is not None and not _is_utc(zone):
        moment = local_time(f"{name}::timestamp", zone)
        return Dates(f"({moment})::date", moment)
    moment = f"{name}::timestamp"
    if options.time_zone is not None:
        return Dates(f"({moment})::date", moment)
    hours, weekdays, n = duck.execute(
        f"select max(hour({moment})), list_sort(list(distinct isodow({moment}))), "
        f"count(distinct {moment}::date) from {batch.table} where isfinite({name})"
    ).fetchall()[0]
    notes = _check_instants(batch, column, hours, weekdays, n)
    return Dates(f"({moment})::date", moment, notes=notes)


def local_time(utc: str, zone: str) -> str:
    """SQL for the local time of a zone, out of a naive time of UTC."""
    offset = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", zone)
    if offset:
        minutes = int(f"{offset[1]}{int(offset[2]) * 60 + int(offset[3])}")
        return f"({utc} + interval ({minutes}) minutes)"
    return f"timezone({literal(zone)}, timezone('UTC', {utc}))"


def _no_instants(options: IngestOptions) -> tuple[str, ...]:
    """What is said of a time zone that nothing is read in."""
    if options.time_zone is None:
        return ()
    return ("dates without a zone are taken as they stand: --time-zone is for instants of UTC",)


def _is_utc(zone: str) -> bool:
    return zone.upper() in ("UTC", "ETC/UTC", "Z", "GMT", "+00:00", "UTC0", "ZULU")


def _check_instants(
    batch: Batch, column: int, latest_hour: int | None, weekdays: list[int], n_days: int
) -> tuple[str, ...]:
    """Instants of UTC name the market's day, or the user must name its zone."""
    if latest_hour is None or latest_hour < _NOON:
        return ()
    if n_days >= _FIVE and set(weekdays) <= {1, 2, 3, 4, 5} and {1, 5} <= set(weekdays):
        return ()
    raise InputError(
        f"the dates in {batch.names[column]!r} of {batch.shown} are instants of UTC after noon, "
        f"which may be the market's day or the one before; name the market's zone, "
        f"for instance --time-zone America/New_York or --time-zone Asia/Kolkata"
    )


def _written(
    duck: duckdb.DuckDBPyConnection,
    batch: Batch,
    column: int,
    text: str,
    options: IngestOptions,
    date_order: str | None,
) -> Dates:
    """Dates written as text or numbers: each distinct text is read once."""
    relation = f"(select {text} as text from {batch.table})"
    fields = {"relation": Part(relation), "text": Part("text")}
    run(duck, "ingest/date_texts", **fields)
    shapes = dict(duck.execute("select shape, count(*) from date_texts group by all").fetchall())
    orders, notes = _orders(duck, batch, column, shapes, date_order)
    if date_order is None and len(batch.files) > 1:
        _check_files(duck, batch, text, orders["xxy"])
    number = batch.table.removeprefix("batch_")
    utc = "written"
    run(
        duck,
        "ingest/dates_read",
        number=Part(number),
        instant=Part(local_time(utc, options.time_zone) if options.time_zone else utc),
        serial=Part("null"),
        other=Part("null"),
        **{f"order_{shape}": Part(order) for shape, order in orders.items()},
    )
    instants = duck.execute(
        f"select max(written_hour), list_sort(list(distinct weekday)), count(distinct moment::date)"
        f" from dates_{number} where is_instant"
    ).fetchall()[0]
    if options.time_zone is None:
        notes += _check_instants(batch, column, *instants)
    elif instants[0] is None:
        notes += _no_instants(options)
    n_good = duck.execute(f"select count(*) from dates_{number}").fetchall()[0][0]
    if not n_good and shapes.get("serial"):
        raise InputError(
            f"the dates in {batch.names[column]!r} of {batch.shown} are numbers like Excel's "
            f"serial ones; if they are, say --date-format excel"
        )
    clock = duck.execute(f"select bool_or(has_time) from dates_{number}").fetchall()[0][0]
    plain = set(shapes) == {"ymd"} and not clock and is_text(batch.types[column])
    if plain and _are_iso(duck):
        return Dates(f"try_cast(c{column} as date)", notes=notes)
    moment = "dates.moment" if clock else None
    return Dates("dates.moment::date", moment, (f"dates_{number}", text), notes)


def _are_iso(duck: duckdb.DuckDBPyConnection) -> bool:
    odd = r"select count(*) from date_texts where not regexp_full_match(given, '\d{4}-\d{2}-\d{2}')"
    return bool(duck.execute(odd).fetchall() == [(0,)])


def _with_time(batch: Batch, column: int, day: str) -> str:
    """SQL for the moment of a date whose time of day has a column of its own."""
    text = f"trim(c{column}::varchar)"
    digits = f"lpad(regexp_extract({text}, '^(\\d{{1,6}})(\\.0*)?$', 1), 6, '0')"
    clock = f"coalesce(try_cast({text} as time), try_strptime({digits}, '%H%M%S')::time)"
    return f"(({day}) + coalesce({clock}, time '00:00:00'))"


def _orders(
    duck: duckdb.DuckDBPyConnection,
    batch: Batch,
    column: int,
    shapes: dict[str, int],
    date_order: str | None,
) -> tuple[dict[str, str], tuple[str, ...]]:
    """SQL for the date by each shape whose order is not told by itself; "null" where unknown."""
    orders = {"xxy": "null", "xxx": "null", "xmx": "null"}
    notes: tuple[str, ...] = ()
    total = sum(shapes.values()) or 1
    for shape, candidates in _CANDIDATES.items():
        if not shapes.get(shape):
            continue
        order = _decide(duck, shape, candidates, date_order)
        if order is not None:
            orders[shape] = candidates[order]
        elif shapes[shape] * 10 > total:
            some = duck.execute(
                f"select t from date_texts where shape = {literal(shape)} order by t limit 1"
            ).fetchall()[0][0]
            raise InputError(
                f"dates like {some!r} in {batch.names[column]!r} of {batch.shown} can be read in "
                f"more than one way, and the others do not tell which; say "
                f"--date-format '%d/%m/%Y' or '%m/%d/%Y', as they are written"
            )
    return orders, notes


def _check_files(duck: duckdb.DuckDBPyConnection, batch: Batch, text: str, told: str) -> None:
    """See that no file's dates were read in an order that others tell and that is not its own.

    Raises
    ------
    InputError
        If its dates lie close together in the other order alone.
    """
    others = [read for read in _CANDIDATES["xxy"].values() if read != told]
    if len(others) != 1:
        return
    relation = Part(f"(select file_path, {text} as text from {batch.table})")
    found = run(
        duck,
        "ingest/files_of_another_order",
        relation=relation,
        told=Part(told),
        other=Part(others[0]),
    ).fetchall()
    if found:
        shown = next(file.shown for file in batch.files if file.path == found[0][0])
        raise InputError(
            f"the dates of {shown} can be read in more than one way, and lie close together in "
            f"another than the other files tell; ingest it alone with --date-format '%d/%m/%Y' or "
            f"'%m/%d/%Y', or name the format of all"
        )


def _number_date(year: str, month: str, day: str) -> str:
    return f"try_cast(format('{{:04d}}-{{:02d}}-{{:02d}}', {year}, {month}, {day}) as date)"


def _century(part: str) -> str:
    """SQL for the year that two digits mean: at most the next one from now."""
    newest = date.today().year + 1 - 2000
    return f"({part} + case when {part} > {newest} then 1900 else 2000 end)"


# By shape, how each order reads it. Of years in two digits, only an order that fits without
# doubt is taken.
_NAMED = "try_strptime(format('{{}}-{{}}-{{:04d}}', {}, month, {}), '%d-%b-%Y')::date"
_FIRST = r"try_cast(regexp_extract(t, '^(\d{1,2})', 1) as integer)"
_LAST = r"try_cast(regexp_extract(t, '^\d{1,2}[-/ .]?[A-Za-z]+[-/ .]?(\d{2})', 1) as integer)"
_CANDIDATES = {
    "xxy": {"dmy": _number_date("c", "b", "a"), "mdy": _number_date("c", "a", "b")},
    "xxx": {
        "dmy": _number_date(_century("c"), "b", "a"),
        "mdy": _number_date(_century("c"), "a", "b"),
        "ymd": _number_date(_century("a"), "b", "c"),
    },
    "xmx": {
        "dmy": _NAMED.format(_FIRST, _century(_LAST)),
        "ymd": _NAMED.format(_LAST, _century(_FIRST)),
    },
}


def _decide(
    duck: duckdb.DuckDBPyConnection,
    shape: str,
    candidates: dict[str, str],
    date_order: str | None,
) -> str | None:
    """The one order in which all dates of a shape can be read, or ``None``.

    Where two orders differ in what is the year, the right one has the dates close
    together: its span is at most a fifth of the other's. That cannot part days from months.
    """
    if date_order in candidates:
        return date_order
    columns = ", ".join(
        f"bool_and(({read}) is not null), date_diff('day', min({read}), max({read}))"
        for read in candidates.values()
    )
    n, *found = duck.execute(
        f"select count(*), {columns} from date_texts where shape = {literal(shape)}"
    ).fetchall()[0]
    spans = {
        order: span
        for order, fits, span in zip(candidates, found[::2], found[1::2], strict=True)
        if fits
    }
    if len(spans) <= 1:
        return next(iter(spans), None)
    if {"dmy", "mdy"} <= set(spans) or n < _FIVE:
        return None
    best, other = sorted(spans, key=lambda order: spans[order])[:2]
    return best if spans[best] * 5 < spans[other] else None
