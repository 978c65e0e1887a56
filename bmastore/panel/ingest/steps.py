"""The steps that ingesting prices and ingesting a panel have in common."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import duckdb

from bmastore.calendar import utc_now
from bmastore.errors import InputError, StoreError
from bmastore.panel.ingest.report import Count
from bmastore.panel.ingest.sources import Sources, source_sql
from bmastore.panel.series import feature_columns, refresh_series, target_horizons, value_columns
from bmastore.storage.statements import Part, ask, literal, quoted, run

_TICKER_RULES = {
    "coalesce(ticker, '') = ''": "no ticker",
    # What programs write where there is none. No stock is named so, but NAN, of Nuveen.
    "ticker in ('nan', 'NaN', 'NaT', '<NA>', 'None', 'null', 'NULL', 'N/A', 'n/a', '#N/A')": (
        "a word for 'none' as the ticker (the stock NAN: in capital letters)"
    ),
    "length(ticker) > 255": "ticker longer than 255 characters",
    "regexp_matches(ticker, '[\\x00-\\x1f]')": "control characters in the ticker",
}
_DATE_RULE = {"date is null": "date missing, or not readable (--date-format names its form)"}
# A date so many days from all others of its stock, on one side, with at most so many rows.
_FAR_DAYS = 3650
_FEW_ROWS = 5
_FEW_COLUMNS = 8
# Rows of the newest dates are stored behind all others: a forecast asks for those of all stocks,
# and reads them in a fraction of the time that it takes to look through everyone's history.
_NEWEST_DAYS = 30


@dataclass(frozen=True)
class Taken:
    """Rows that can be taken, as ``incoming``, and those that cannot."""

    rows_read: int
    dropped: tuple[Count, ...]
    notes: tuple[Count, ...]
    rows_repeated: int = 0


def make_source(
    duck: duckdb.DuckDBPyConnection, sources: Sources, cells: Sequence[Sequence[tuple[str, str]]]
) -> list[str]:
    """The table ``source``: keys and ``cells`` of all batches.

    Returns a SELECT per batch of the same rows, with the files that they are from.
    """
    drop(duck, "source")
    selects = []
    # Columns that say nothing are none: of millions of rows each costs memory.
    moment = any(layout.dates.moment is not None for layout in sources.layouts)
    written = any(not layout.has_typed_dates for layout in sources.layouts)
    for number, (layout, named) in enumerate(zip(sources.layouts, cells, strict=True)):
        verb = "insert into source by name" if number else "create temp table source as"
        select = source_sql(layout, named, moment=moment, written=written)
        duck.execute(f"{verb} {select}")
        file = ("file_path", "file_path" if layout.batch.files else "''")
        selects.append(source_sql(layout, [*named, file], moment=False, written=False))
    return selects


def _source_column(duck: duckdb.DuckDBPyConnection, name: str, kind: str) -> str:
    """SQL for a column of ``source`` that may not be there."""
    there = {row[0] for row in duck.execute("describe source").fetchall()}
    return name if name in there else f"null::{kind}"


def key_rules(duck: duckdb.DuckDBPyConnection) -> dict[str, Part]:
    """Fields of a view ``judged``: rules for keys, and how a bad row is shown.

    Each ticker is judged once, and each row only where one of them is bad: the rules for
    tickers are a fourth of the time in which an input's rows are judged.
    """
    bad = run(duck, "ingest/bad_tickers", ticker_rules=_when(_TICKER_RULES))
    rules = _TICKER_RULES | _DATE_RULE if bad.fetchall() != [(0,)] else _DATE_RULE
    written = _source_column(duck, "written", "varchar")
    branches = " when ".join(f"{rule} then {literal(text)}" for rule, text in rules.items())
    shown = (
        "left(coalesce(ticker, '?'), 40) || case when date is null "
        f"then ' on ' || coalesce({written}, 'no date') else '' end"
    )
    return {"key_rules": Part(branches), "shown": Part(shown), "written": Part(written)}


def _when(rules: Mapping[str, str]) -> Part:
    """Branches of a CASE that gives the text of the first rule that applies."""
    return Part(" ".join(f"when {rule} then {literal(text)}" for rule, text in rules.items()))


def take_rows(
    duck: duckdb.DuckDBPyConnection,
    columns: Sequence[str],
    blanks: Mapping[str, str],
    lost: Sequence[Count],
) -> Taken:
    """Rows of ``judged`` that can be taken, as ``incoming``.

    ``blanks`` says what each flag of a blanked cell means, ``lost`` which lines could not
    be read at all.
    """
    flags = "".join(f", count(*) filter (reason is null and {flag})" for flag in blanks)
    total, bad, *counts = duck.execute(
        f"select count(*), count(reason){flags} from judged"
    ).fetchall()[0]
    n_lost = sum(count.n for count in lost)
    if total + n_lost == 0:
        raise InputError("the input has no rows")
    dropped = list(lost)
    if bad:
        rows = run(duck, "ingest/odd_rows").fetchall()
        dropped += [Count(reason, n, tuple(shown)) for reason, n, shown in rows]
    if bad == total:
        reasons = "; ".join(
            f"{count.what} ({count.n}" + (f", e.g. {count.examples[0]})" if count.examples else ")")
            for count in dropped
        )
        raise InputError(f"none of the {total + n_lost} rows can be taken: {reasons}")
    # In place: a copy of all rows would cost more than all that was judged.
    blanked_rows = [flag for flag, n in zip(blanks, counts, strict=True) if n]
    if blanked_rows:
        columns_of = {flag: flag.split("_", 1)[1] for flag in blanked_rows}
        run(
            duck,
            "ingest/blank_cells",
            cells=Part(", ".join(f"{name} = judged.{name}" for name in
                                 sorted(set(columns_of.values())))),
            flags=Part(" or ".join(f"judged.{flag}" for flag in blanked_rows)),
        )  # fmt: skip
    if bad:
        duck.execute(
            "delete from source where rowid in (select place from judged where reason is not null)"
        )
    drop(duck, "incoming")
    moment = _source_column(duck, "moment", "timestamp")
    listed = ", ".join(("ticker", "date", f"{moment} as moment", *columns))
    duck.execute(f"create temp view incoming as select {listed} from source")
    blanked = tuple(
        Count(f"{what}, stored as missing", n)
        for what, n in zip(blanks.values(), counts, strict=True)
        if n
    )
    return Taken(total + n_lost, tuple(dropped), blanked)


def settle(duck: duckdb.DuckDBPyConnection, query: str = "from incoming") -> None:
    """Make ``incoming`` a table of its own, out of a query over itself."""
    duck.execute(f"create or replace temp table incoming_new as {query}")
    drop(duck, "incoming")
    duck.execute("alter table incoming_new rename to incoming")


def drop(duck: duckdb.DuckDBPyConnection, name: str) -> None:
    """Remove a temporary table or view, if there is one of this name."""
    found = duck.execute(
        f"select 'table' from duckdb_tables() where temporary and table_name = {literal(name)} "
        f"union all select 'view' from duckdb_views() where temporary "
        f"and view_name = {literal(name)}"
    ).fetchall()
    for (kind,) in found:
        duck.execute(f"drop {kind} temp.{quoted(name)}")


def drop_far_dates(duck: duckdb.DuckDBPyConnection) -> tuple[list[Count], list[Count]]:
    """Drop rows with mistyped years; returns their count, and notes on dates to come."""
    tomorrow = (utc_now() + timedelta(days=1)).date()
    run(duck, "ingest/far_dates", tomorrow=tomorrow, far=_FAR_DAYS, few=_FEW_ROWS)
    far, far_shown, n, shown = duck.execute(
        "select count(*) filter (is_far), list(ticker || ' ' || date) filter (is_far), "
        "count(*) filter (is_future and not is_far), "
        "list(distinct ticker) filter (is_future and not is_far) from far_dates"
    ).fetchall()[0]
    dropped, notes = [], []
    if far:
        settle(
            duck,
            "from incoming where not exists (from far_dates where is_far "
            "and far_dates.ticker = incoming.ticker and far_dates.date = incoming.date)",
        )
        n_rows = duck.execute("select count(*) from incoming").fetchall()[0][0]
        if n_rows == 0:
            raise InputError(f"the date is years from all others: {far_shown[0]}")
        dropped.append(
            Count("date is years from all others of its stock", far, tuple(sorted(far_shown)))
        )
    if n:
        notes.append(Count("dates lie in the future", n, tuple(sorted(shown))))
    return dropped, notes


def similar_tickers(duck: duckdb.DuckDBPyConnection) -> list[Count]:
    """Say which stocks of the input may be one stock that is written in two ways."""
    alike = [text for (text,) in run(duck, "ingest/similar_tickers").fetchall()]
    what = "tickers differ in case or accents alone, and are taken for different stocks"
    return [Count(what, len(alike), tuple(alike))] if alike else []


def odd_weekdays(duck: duckdb.DuckDBPyConnection) -> list[Count]:
    """Say where dates may be those of another time zone: they lack a day of the market's week."""
    late, early = run(duck, "ingest/odd_weekdays").fetchall()[0]
    what = (
        "rows fall on a {}, and none on a {}: are these the market's own dates, or instants of "
        "another time zone (--time-zone)?"
    )
    return [
        Count(what.format(*days), n)
        for days, n in ((("Saturday", "Monday"), late), (("Sunday", "Friday"), early))
        if n
    ]


# What may be wrong with prices or volumes that are taken all the same, and the query that finds how
# many of which stocks.
_ODD_PRICES = {
    "ingest/closes_outside": (
        "closes lie above the high or below the low of their day, kept; where closes are adjusted "
        "and the others are not, features of ranges and gaps are wrong"
    ),
    "ingest/small_volumes": (
        "volumes are below 1,000 with up to three digits after the point, kept; they may be "
        "thousands of shares, or points between thousands, which belong out of the file"
    ),
}


def odd_prices(duck: duckdb.DuckDBPyConnection) -> list[Count]:
    """Say which prices and volumes of ``incoming`` look as if they meant something else."""
    asked = [(what, run(duck, query).fetchall()) for query, what in _ODD_PRICES.items()]
    return [
        Count(what, sum(n for _, n in found), tuple(ticker for ticker, _ in found))
        for what, found in asked
        if found
    ]


def drop_repeated(
    duck: duckdb.DuckDBPyConnection,
    columns: Sequence[str],
    check: Callable[[], None] = lambda: None,
) -> tuple[list[Count], int, int]:
    """Keep the last of the rows with one (ticker, date), and sort the rows by these.

    ``check`` is called where some disagree, before any goes. Returns what is to be said, how many
    rows went, and how many keys have several times.
    """
    if run(duck, "ingest/out_of_order").fetchall() == [(0,)]:
        return [], 0, 0
    settle(duck)
    row = "row(" + ", ".join(f"incoming.{name}" for name in columns) + ")"
    run(duck, "ingest/repeated", row=Part(row))
    same, disagreeing, examples, several = duck.execute(
        "select coalesce(sum(n - 1) filter (not disagree), 0)::bigint, "
        "coalesce(sum(n - 1) filter (disagree), 0)::bigint, "
        "max(ticker || ' ' || date, 5) filter (disagree), "
        "count(*) filter (n_moments > 1) from repeated"
    ).fetchall()[0]
    if disagreeing:
        check()
    if same + disagreeing:
        run(duck, "ingest/drop_repeated")
    settle(duck, "from incoming order by ticker, date")
    counts = (
        Count("rows repeat a (ticker, date) with the same values", same),
        Count(
            "rows repeat a (ticker, date) with other values; the last one was taken",
            disagreeing,
            tuple(sorted(examples or ())),
        ),
    )
    return [count for count in counts if count.n], same + disagreeing, several


def count_changes(duck: duckdb.DuckDBPyConnection) -> tuple[int, tuple[int, int, int]]:
    """Stocks in the input, and its rows that are new, revised and unchanged."""
    rows, tickers = duck.execute(
        "select count(*), count(distinct ticker) from incoming"
    ).fetchall()[0]
    changed, revised = duck.execute(
        "select count(*), count(*) filter (is_revision) from changed"
    ).fetchall()[0]
    return tickers, (changed - revised, revised, rows - changed)


def as_float(expression: str, name: str) -> str:
    """SQL for a feature's value as the store keeps it: a finite 32-bit float, or NULL."""
    return (
        f"case when isfinite({expression}) then try_cast({expression} as real) end "
        f"as {quoted(name)}"
    )


def set_columns(
    duck: duckdb.DuckDBPyConnection,
    add: Sequence[str],
    leave_out: Sequence[str] = (),
    *,
    empty: bool = False,
) -> None:
    """Give the features table the columns that it lacks, and take others from it, at once.

    Many are put in by writing the table anew, for a column at a time takes time with the
    square of their number. With ``empty`` its rows are not kept.
    """
    known = value_columns(duck)
    kept = [name for name in known if name.lower() not in _lower(leave_out)]
    lacking = [name for name in dict.fromkeys(add) if name.lower() not in _lower(kept)]
    if not empty and len(kept) == len(known) and len(lacking) <= _FEW_COLUMNS:
        for name in lacking:
            duck.execute(f"alter table main.features add column {quoted(name)} real")
        return
    columns = "".join(f", {quoted(name)} real" for name in (*kept, *lacking))
    duck.execute(
        f"create table main.features_new (ticker varchar not null, date date not null{columns})"
    )
    # Once a table was given the rows of an empty one, DuckDB 1.5.6 loses sight of what the same
    # transaction gives it next, where that is 122,880 rows or more.
    if not empty and has_rows(duck, "main.features"):
        listed = ", ".join(["ticker", "date", *map(quoted, kept)])
        duck.execute(f"insert into main.features_new by name select {listed} from main.features")
    duck.execute("drop table main.features")
    duck.execute("alter table main.features_new rename to features")


def has_rows(duck: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether a table, named as in SQL, has any row."""
    return duck.execute(f"select exists (from {table})").fetchall() == [(True,)]


def _lower(names: Sequence[str]) -> set[str]:
    return {name.lower() for name in names}


def upsert_features(duck: duckdb.DuckDBPyConnection, features: Sequence[str]) -> None:
    """Put the rows of ``fresh`` into the features table, which has their columns."""
    mine = _lower(features)
    kept = [name for name in value_columns(duck) if name.lower() not in mine]
    if kept:
        columns = ", ".join(f"features.{quoted(name)}" for name in kept)
        run(duck, "ingest/merge_features", kept_columns=Part(columns))
    if has_rows(duck, "main.features"):
        run(duck, "ingest/drop_stale_features")
    insert = "insert into main.features by name select * from fresh"
    count = "select count(*) from main.features"
    ((before,),) = duck.execute(count).fetchall()
    ((newest,),) = run(duck, "ingest/newest_dates", days=_NEWEST_DAYS).fetchall()
    added = sum(
        ask(duck, f"{insert} where date {which} $newest", newest=newest).fetchall()[0][0]
        for which in ("<", ">=")
    )
    ((after,),) = duck.execute(count).fetchall()
    if after != before + added:
        raise StoreError(
            f"DuckDB shows {after:,} rows of features where it has stored {before + added:,}; "
            f"nothing was taken: report this, with the version of DuckDB ({duckdb.__version__})"
        )


def refresh_touched(duck: duckdb.DuckDBPyConnection, targets: Sequence[str]) -> None:
    """Compute the digests of the stocks in ``touched`` anew, for ``targets`` and all others."""
    tickers = [row[0] for row in duck.execute("select ticker from touched order by all").fetchall()]
    for name in sorted({*targets, *target_horizons(duck)}):
        refresh_series(duck, tickers, name)


def known_features(duck: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The store's features by their names in lower case."""
    return {name.lower(): name for name in feature_columns(duck)}
