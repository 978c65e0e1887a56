"""Prices: upsert them, and compute features and targets of the stocks that they touch."""

import math
import re
from collections.abc import Callable, Sequence
from functools import partial

import duckdb

from bmastore.errors import InputError
from bmastore.panel.ingest import vendors
from bmastore.panel.ingest.basis import carry_over, check_one_basis, one_basis
from bmastore.panel.ingest.batches import select
from bmastore.panel.ingest.files import NotTakenError
from bmastore.panel.ingest.layout import Layout, listed
from bmastore.panel.ingest.numbers import read_numbers
from bmastore.panel.ingest.options import IngestOptions
from bmastore.panel.ingest.recipes import (
    Recipe,
    beside_others,
    compute,
    forget_labels,
    recipe_for,
    targets_gone,
)
from bmastore.panel.ingest.report import Count, IngestReport
from bmastore.panel.ingest.sources import Sources
from bmastore.panel.ingest.steps import (
    count_changes,
    drop_far_dates,
    drop_repeated,
    key_rules,
    make_source,
    odd_prices,
    odd_weekdays,
    refresh_touched,
    set_columns,
    settle,
    similar_tickers,
    take_rows,
    upsert_features,
)
from bmastore.panel.series import value_columns
from bmastore.storage.resources import sql
from bmastore.storage.statements import Part, run

PRICE_COLUMNS = vendors.ROLES
_BLANKS = {
    "bad_open": "open not positive or infinite",
    "bad_high": "high not positive, infinite or below the low",
    "bad_low": "low not positive, infinite or above the high",
    "bad_volume": "negative or infinite volume",
}
# Shares that one share becomes in the splits that are usual.
SPLIT_RATIOS = (1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0,
                50.0, 100.0)  # fmt: skip
_TICKER_OF_FOLDER = "put a column of tickers into the files, or name the folders ticker=AAPL"
# With more rows per key than this, they are no daily rows of the stocks that are named.
_TOO_MANY = 1.5


def fits(layout: Layout) -> None:
    """Whether a batch holds prices.

    Raises
    ------
    NotTakenError
        If it has no close.
    """
    if "close" not in layout.prices:
        absent = sorted({"open", "high", "low", "close", "volume"} - set(layout.prices))
        raise NotTakenError(
            f"is neither prices (there is no {', '.join(absent)}) nor a panel "
            f"(no --target was named); columns: {listed(layout.batch.names)}"
        )


def prepare_prices(
    duck: duckdb.DuckDBPyConnection, sources: Sources, options: IngestOptions
) -> tuple[IngestReport, Callable[[], None]]:
    """Compute, in temporary tables, all that ``sources`` change.

    Returns the report, and what puts the changes into the store, to be called
    in a transaction. They are computed before it because DuckDB reads tables
    that the running transaction has filled with one thread only.
    """
    if options.exclude:
        raise InputError(
            "--exclude leaves out columns of a panel, and these are prices, whose features are "
            "computed: name those to train on (bmastore train --features A,B), or compute others "
            "(--features-sql FILE)"
        )
    notes = list(sources.notes)
    cells = []
    for layout in sources.layouts:
        named, said = _cells(duck, layout, options)
        cells.append(named)
        notes += said
    selects = make_source(duck, sources, cells)
    check_names(duck, sources, selects)
    run(duck, "ingest/judged_prices", **key_rules(duck))
    taken = take_rows(duck, PRICE_COLUMNS, _BLANKS, sources.lost)
    notes += taken.notes
    dropped = list(taken.dropped)
    n_repeated, said = _one_row_per_day(duck, sources, selects, options)
    notes += said
    notes += [*similar_tickers(duck), *odd_weekdays(duck), *odd_prices(duck)]
    for step in (drop_far_dates, one_basis):
        gone, said = step(duck)
        dropped += gone
        notes += said

    if duck.execute("select exists (from main.prices)").fetchall() == [(False,)]:
        run(duck, "ingest/all_prices_are_new")
    else:
        run(duck, "ingest/changed_prices")
    tickers, counts = count_changes(duck)
    notes += [*_erased(duck), *carry_over(duck)]
    run(duck, "ingest/current_prices")
    run(duck, "ingest/touched_by_prices")
    tickers_changed = duck.execute("select count(*) from touched").fetchall()[0][0]
    recipe = recipe_for(duck, options.horizons, options.features_sql)
    features = compute(duck, recipe)
    notes += [*beside_others(duck, recipe, features), *targets_gone(duck, recipe)]
    n_new, _, _ = counts
    notes += _jumps(duck) + (_absent(sources) if n_new else [])
    report = IngestReport(
        "prices", taken.rows_read, *counts, tickers, tickers_changed, tuple(dropped), tuple(notes),
        rows_repeated=n_repeated,
    )  # fmt: skip
    return report, partial(_store, duck, recipe, features)


def _cells(
    duck: duckdb.DuckDBPyConnection, layout: Layout, options: IngestOptions
) -> tuple[list[tuple[str, str]], list[Count]]:
    """SQL for the prices of a batch, by role, and what is to be said of them."""
    vendor, batch = layout.vendor, layout.batch
    divisor = vendors.first_of((vendor.divisor,), batch.names) if vendor.divisor else None
    columns = [*layout.prices.values(), *([] if divisor is None else [divisor])]
    numbers = read_numbers(duck, batch, list(dict.fromkeys(columns)), options.decimal)
    cells = {role: numbers.cells[at] for role, at in layout.prices.items()}
    notes = list(numbers.notes)
    if vendor.signed:
        negative = select(duck, batch.table, [f"count(*) filter (({cells['close']}) < 0)"])[0][0]
        cells = {role: f"abs({cell})" if role != "volume" else cell for role, cell in cells.items()}
        # CRSP writes a price of zero where there is none.
        cells["close"] = f"nullif({cells['close']}, 0)"
        if negative:
            what = "prices below zero are averages of bid and ask: their absolute value is taken"
            notes.append(Count(what, int(str(negative))))
    if divisor is not None:
        cells["adj_close"] = f"({cells['close']}) / nullif({numbers.cells[divisor]}, 0)"
        notes.append(Count(f"adjusted closes are close / {batch.names[divisor]}", 0))
    if vendor.lot != 1 and "volume" in cells:
        cells["volume"] = f"({cells['volume']}) * {vendor.lot}"
        notes.append(Count(f"volume is in lots of {vendor.lot} shares, and stored in shares", 0))
    used = {*columns, layout.ticker_column, layout.date_column}
    unused = [batch.names[i] for i in layout.others if i not in used]
    if unused:
        notes.append(Count("columns that are no prices were left out", len(unused), tuple(unused)))
    return [(role, cells.get(role, "null::double")) for role in PRICE_COLUMNS], notes


def _erased(duck: duckdb.DuckDBPyConnection) -> list[Count]:
    """Say which stored prices go, for the input has another close of the day and none of them."""
    rows = [row for (row,) in run(duck, "ingest/erased_prices").fetchall()]
    if not rows:
        return []
    what = (
        "days get another close, without the open, high, low or volume that the store had of "
        "them: those are erased"
    )
    return [Count(what, len(rows), tuple(rows))]


def _absent(sources: Sources) -> list[Count]:
    """Say which prices no file has: the features of these are missing."""
    there = {role for layout in sources.layouts for role in layout.prices}
    absent = [role for role in ("open", "high", "low", "volume") if role not in there]
    if not absent:
        return []
    return [Count("there is no " + ", ".join(absent) + ": features of these are missing", 0)]


def _one_row_per_day(
    duck: duckdb.DuckDBPyConnection,
    sources: Sources,
    selects: Sequence[str],
    options: IngestOptions,
) -> tuple[int, list[Count]]:
    """Make one row per stock and day, or refuse what cannot be; returns rows gone and notes."""
    if options.aggregate == "daily":
        before = duck.execute("select count(*) from incoming").fetchall()[0][0]
        settle(duck)
        settle(duck, sql("ingest/daily_bars"))
        gone = before - duck.execute("select count(*) from incoming").fetchall()[0][0]
        said = [Count("bars were merged into one per day", gone)] if gone else []
        return gone, said
    _check_period(duck, sources)

    def check() -> None:
        if duck.execute("select max(n_moments) from repeated").fetchall() <= [(1,)]:
            check_keys(duck, sources, selects, PRICE_COLUMNS)
            check_one_basis(duck)

    notes, n_repeated, several = drop_repeated(duck, PRICE_COLUMNS, check)
    if several:
        examples = duck.execute(
            "select ticker || ' ' || date, n from repeated where n_moments > 1 order by 1 limit 1"
        ).fetchall()[0]
        raise InputError(
            f"there are several bars per day ({examples[1]} of {examples[0]}), and prices are "
            f"daily; say --aggregate daily to make one bar of them, or give daily files"
        )
    if n_repeated:
        check_keys(duck, sources, selects, PRICE_COLUMNS)
    return n_repeated, notes


def _check_period(duck: duckdb.DuckDBPyConnection, sources: Sources) -> None:
    """Stooq and others write the minutes of a bar into a column."""
    for layout in sources.layouts:
        at = vendors.first_of(("per", "interval", "timeframe"), layout.batch.names)
        if at is None:
            continue
        found = duck.execute(
            f"select c{at}::varchar from {layout.batch.table} "
            rf"where regexp_full_match(trim(c{at}::varchar), '\d+[mMhH]?(in)?') limit 1"
        ).fetchall()
        if found:
            raise InputError(
                f"{layout.batch.shown} has bars of {found[0][0]} ({layout.batch.names[at]}), and "
                f"prices are daily; say --aggregate daily to make one bar per day of them"
            )


def check_keys(
    duck: duckdb.DuckDBPyConnection,
    sources: Sources,
    selects: Sequence[str],
    columns: Sequence[str],
) -> None:
    """Refuse rows of several stocks under one ticker, and name the column that parts them.

    Raises
    ------
    InputError
        If a file whose name is the ticker has a date more than once, or if other rows far
        outnumber the keys.
    """
    for layout, text in zip(sources.layouts, selects, strict=True):
        by_name = layout.named_by != "column"
        row = f"row({', '.join(columns)})"
        if layout.named_by == "name":
            _check_folders(duck, row, text)
        found = run(
            duck,
            "ingest/rows_per_key",
            row=Part(row),
            rows=Part(text),
        ).fetchall()
        if not found:
            continue
        ticker, n_rows, n_different, n_keys = found[0]
        likely = _likely_ticker(duck, layout)
        too_many = n_different > _TOO_MANY * n_keys
        if not too_many and not (by_name and likely is not None and n_different > 1.05 * n_keys):
            continue
        if by_name:
            hint = (
                f"--ticker-col {likely!r} seems to be the column of the ticker"
                if likely is not None
                else "name the column of the ticker with --ticker-col, or keep one row per day"
            )
            raise InputError(
                f"{layout.batch.shown} has {n_rows:,} rows on {n_keys:,} days: the file's name "
                f"({ticker!r}) cannot be the ticker of them all; {hint}"
            )
        example = run(duck, "ingest/key_of_different_rows", row=Part(row), rows=Part(text))
        ((of, day),) = example.fetchall()
        raise InputError(
            f"{layout.batch.shown} has {n_different:,} different rows of {n_keys:,} stocks and "
            f"days (of {of} on {day}, e.g.): keep one row of each"
            + (f"; or is {likely!r} the ticker? (--ticker-col {likely!r})" if likely else "")
        )


def check_names(duck: duckdb.DuckDBPyConnection, sources: Sources, selects: Sequence[str]) -> None:
    """Refuse names of files that are no tickers: years of their rows, parts of tables.

    Raises
    ------
    InputError
        If there is one.
    """
    for layout, text in zip(sources.layouts, selects, strict=True):
        if layout.named_by != "name" or not any(
            re.match(r"(19|20)\d{2}|part-\d", file.stem) for file in layout.batch.files
        ):
            continue
        found = run(duck, "ingest/names_that_are_years", rows=Part(text)).fetchall()
        if found:
            raise InputError(
                f"the file's name ({found[0][0]!r}) says which part of the data it is, not of "
                f"which stock; {_TICKER_OF_FOLDER}"
            )


def _check_folders(duck: duckdb.DuckDBPyConnection, row: str, text: str) -> None:
    found = run(duck, "ingest/same_name_in_folders", row=Part(row), rows=Part(text)).fetchall()
    if found:
        ticker, (first, second) = found[0]
        raise InputError(
            f"files called {ticker!r} in {first} and {second} have different rows of the same "
            f"days, so their name is not the ticker; {_TICKER_OF_FOLDER}"
        )


def _likely_ticker(duck: duckdb.DuckDBPyConnection, layout: Layout) -> str | None:
    """The column that, with the date, is different in each row, and the same in many."""
    batch, dates = layout.batch, layout.dates
    taken = {layout.ticker_column, layout.date_column, *layout.prices.values()}
    best: tuple[int, str] | None = None
    day = f"c{layout.date_column}" if layout.date_column is not None else "''"
    for i, name in enumerate(batch.names):
        if i in taken or batch.types[i] in ("DOUBLE", "FLOAT", "BOOLEAN"):
            continue
        n, keys, values = duck.execute(
            f"select count(*), count(distinct (c{i}, {day})), count(distinct c{i}) "
            f"from {batch.table}"
        ).fetchall()[0]
        if keys >= 0.95 * n and 1 < values <= n / 2 and (best is None or values < best[0]):
            best = (values, name)
    assert dates is not None
    return best[1] if best else None


def _jumps(duck: duckdb.DuckDBPyConnection) -> list[Count]:
    """One-day moves that people should look at."""
    found = run(duck, "ingest/jumps", ratios=SPLIT_RATIOS).fetchall()
    notes = []
    jumps = [row for row in found if row[1]]
    if jumps:
        examples = tuple(f"{ticker} ({largest:.1f})" for ticker, _, largest, *_ in jumps)
        what = "one-day moves with |log return| > 1, kept; check these stocks for splits"
        notes.append(Count(what, sum(row[1] for row in jumps), examples))
    splits = [row for row in found if row[5]]
    if splits:
        examples = tuple(
            f"{ticker} {day} ({_ratio(ratio)})" for ticker, _, _, day, ratio, _ in splits
        )
        what = (
            "one-day moves by the ratio of a split, with the volume moving the other way: likely "
            "splits that the prices do not reflect; give adjusted closes"
        )
        notes.append(Count(what, sum(row[5] for row in splits), examples))
    return notes


def _ratio(signed: float) -> str:
    ratio = abs(signed)
    text = "3:2" if ratio == 1.5 else "5:2" if ratio == 2.5 else f"{ratio:g}:1"
    return text if math.copysign(1, signed) < 0 else ":".join(reversed(text.split(":")))


def _in_spans(recipe: Recipe, since: str) -> Part:
    """A join that keeps what is to be stored; with a new recipe that is all that is computed."""
    if recipe.is_new:
        return Part("")
    return Part(
        f"inner join spans on spans.ticker = computed.ticker and computed.date >= spans.{since}"
    )


def _store(duck: duckdb.DuckDBPyConnection, recipe: Recipe, features: list[str]) -> None:
    """Put prices, features, targets, digests and the recipe into the store."""
    if recipe.is_new:
        mine = {name for name in recipe.before.get("computed_features", "").split("\n") if name}
        others = [name for name in value_columns(duck) if name not in mine]
        set_columns(duck, features, sorted(mine), empty=not others)
        forget_labels(duck, [t for t in recipe.before.get("target", "").split("\n") if t])
    else:
        set_columns(duck, features)
    run(duck, "ingest/upsert_prices")
    run(duck, "ingest/fresh", in_spans=_in_spans(recipe, "first_date"))
    upsert_features(duck, features)
    targets = list(recipe.targets)
    run(
        duck,
        "ingest/replace_computed_targets",
        targets=targets,
        in_spans=_in_spans(recipe, "label_from"),
    )
    names, values = zip(*recipe.settings(features).items(), strict=True)
    run(duck, "ingest/replace_settings", names=names, new_values=values)
    refresh_touched(duck, targets)
