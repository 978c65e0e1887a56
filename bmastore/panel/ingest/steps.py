"""The steps that ingesting prices and ingesting a panel have in common."""

from collections.abc import Mapping

import duckdb

from bmastore.errors import InputError
from bmastore.panel.ingest.counts import Count
from bmastore.panel.ingest.sources import Source, is_filled, number
from bmastore.panel.series import feature_columns, refresh_series, target_horizons
from bmastore.storage.statements import Part, literal, quoted, run

_TICKER_RULES = {
    "coalesce(key_ticker, '') = ''": "no ticker",
    "length(key_ticker) > 255": "ticker longer than 255 characters",
    "regexp_matches(key_ticker, '[\\x00-\\x1f]')": "control characters in the ticker",
}
_DATE_RULES = {
    "key_date is null": "date missing or not like 2024-01-31, 2024/01/31 or 20240131",
    "not isfinite(key_date)": "date is infinite",
}


def make_typed(duck: duckdb.DuckDBPyConnection, source: Source, cells: dict[str, str]) -> None:
    """The view ``typed`` of the input; ``cells`` are SQL expressions by name."""
    # Each ticker is judged once, and each row only where one of them is bad: the rules for
    # tickers are a fourth of the time in which an input's rows are judged.
    ticker = Part(source.ticker)
    bad = run(duck, "ingest/bad_tickers", ticker=ticker, ticker_rules=_when(_TICKER_RULES))
    any_bad = bad.fetchall() != [(0,)]
    run(
        duck,
        "ingest/typed",
        ticker=ticker,
        date=Part(source.date),
        rules=_when(_TICKER_RULES | _DATE_RULES if any_bad else _DATE_RULES),
        date_column=Part(quoted(source.date_column)),
        cells=Part(", ".join(f"{value} as {quoted(name)}" for name, value in cells.items())),
    )


def _when(rules: Mapping[str, str]) -> Part:
    """Branches of a CASE that gives the text of the first rule that applies."""
    return Part(" ".join(f"when {rule} then {literal(text)}" for rule, text in rules.items()))


def take_rows(
    duck: duckdb.DuckDBPyConnection, columns: str, blanks: Mapping[str, str]
) -> tuple[int, list[Count], list[Count]]:
    """Rows that can be taken, as the table ``incoming``.

    ``blanks`` says what each flag of a blanked cell means. Returns how many rows were
    read, those that cannot be taken by reason, and the blanked cells of the others.
    """
    duck.execute(
        "create or replace temp table incoming as "
        f"select {columns} from judged where reason is null"
    )
    taken = duck.execute("select count(*) from incoming").fetchall()[0][0]
    total = duck.execute("select count(*) from source").fetchall()[0][0]
    if total == 0:
        raise InputError("the input has no rows")
    rows = run(
        duck,
        "ingest/odd_rows",
        counts=Part("".join(f", count(*) filter ({flag})" for flag in blanks)),
        or_blanked=Part("".join(f" or {flag}" for flag in blanks)),
    ).fetchall()
    dropped = [Count(reason, n, tuple(shown)) for reason, n, shown, *_ in rows if reason]
    if taken == 0:
        reasons = "; ".join(
            f"{count.what} ({count.n}, e.g. {count.examples[0]})" for count in dropped
        )
        raise InputError(f"none of the {total} rows can be taken: {reasons}")
    counts = next((counts for reason, _, _, *counts in rows if reason is None), [0] * len(blanks))
    blanked = [
        Count(f"{what}, stored as missing", n)
        for what, n in zip(blanks.values(), counts, strict=True)
        if n
    ]
    return total, dropped, blanked


def unreadable_cells(
    duck: duckdb.DuckDBPyConnection,
    source: Source,
    columns: list[str],
    *,
    all_bad_is_error: bool = False,
) -> list[Count]:
    """Text cells that are no numbers, counted a column."""
    notes = []
    for column in columns:
        if source.types[column] != "VARCHAR":
            continue
        name, value = quoted(column), number(column, "VARCHAR")
        unreadable = f"{is_filled(column)} and ({value}) is null"
        n, good, example = duck.execute(
            f"select count(*) filter ({unreadable}), count({value}), "
            f"any_value({name}) filter ({unreadable}) from source"
        ).fetchall()[0]
        if n and not good and all_bad_is_error:
            raise InputError(
                f"column {column!r} holds text, not numbers (for instance {example!r}); "
                f"leave it out or encode it"
            )
        if n:
            notes.append(
                Count(f"cells of {column!r} are no numbers, stored as missing", n, (example,))
            )
    return notes


def drop_repeated(duck: duckdb.DuckDBPyConnection, columns: tuple[str, ...]) -> list[Count]:
    """Keep the last of the rows with one (ticker, date), and sort the rows by these."""
    if run(duck, "ingest/out_of_order").fetchall() == [(0,)]:
        return []
    row = "row(" + ", ".join(f"incoming.{name}" for name in columns) + ")"
    run(duck, "ingest/repeated", row=Part(row))
    total, disagreeing, examples = duck.execute(
        "select count(*), count(*) filter (disagree), "
        "(max(ticker || ' ' || date, 5) filter (disagree)) from repeated"
    ).fetchall()[0]
    if total:
        run(duck, "ingest/drop_repeated")
    run(duck, "ingest/sort_incoming")
    counts = (
        Count("rows repeat a (ticker, date) with the same values", total - disagreeing),
        Count(
            "rows repeat a (ticker, date) with other values; the last one was taken",
            disagreeing,
            tuple(sorted(examples or ())),
        ),
    )
    return [count for count in counts if count.n]


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


def add_columns(duck: duckdb.DuckDBPyConnection, features: list[str]) -> None:
    """Give the features table the columns that it lacks."""
    for name in features:
        if name not in feature_columns(duck):
            duck.execute(f"alter table features add column {quoted(name)} real")


def upsert_features(duck: duckdb.DuckDBPyConnection, features: list[str]) -> None:
    """Put the rows of ``fresh`` into the features table, which has their columns."""
    kept = [name for name in feature_columns(duck) if name not in features]
    if kept:
        columns = ", ".join(f"features.{quoted(name)}" for name in kept)
        run(duck, "ingest/merge_features", kept_columns=Part(columns))
    run(duck, "ingest/upsert_features")


def refresh_touched(duck: duckdb.DuckDBPyConnection, target: str) -> None:
    """Compute the digests of the stocks in ``touched`` anew, for ``target`` and all others."""
    tickers = [row[0] for row in duck.execute("select ticker from touched order by all").fetchall()]
    for name in sorted({target, *target_horizons(duck)}):
        refresh_series(duck, tickers, name)
