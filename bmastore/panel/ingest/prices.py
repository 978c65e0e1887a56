"""Prices: upsert them, and compute features and targets of the stocks that they touch."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import duckdb

from bmastore.errors import InputError
from bmastore.panel.ingest.counts import Count, IngestReport
from bmastore.panel.ingest.sources import PRICE_COLUMNS, Source, number
from bmastore.panel.ingest.steps import (
    add_columns,
    as_float,
    count_changes,
    drop_repeated,
    make_typed,
    refresh_touched,
    take_rows,
    unreadable_cells,
    upsert_features,
)
from bmastore.panel.series import feature_columns
from bmastore.storage.resources import sql
from bmastore.storage.statements import Part, fill, literal, quoted, run

DEFAULT_HORIZON = 5
_ROLES = ("ticker", "date", "label_end", "target")
_BLANKS = {
    "bad_open": "open not positive or infinite",
    "bad_high": "high not positive or infinite",
    "bad_low": "low not positive or infinite",
    "bad_volume": "negative or infinite volume",
}
_LOOKBACK = re.compile(r"^--\s*lookback:\s*(\d+)\s*rows", re.MULTILINE)


@dataclass(frozen=True)
class _Recipe:
    """What computes features and target, and whether it is another than before."""

    sql: str
    horizon: int
    is_new: bool
    before: dict[str, str]

    @property
    def target(self) -> str:
        return f"log_return_{self.horizon}d"

    @property
    def lookback(self) -> int | None:
        """Earlier rows that a day's features need; ``None`` where the SQL does not say."""
        found = _LOOKBACK.search(self.sql)
        return int(found[1]) if found else None

    def statement(self) -> str:
        """The SQL as one statement, for this horizon.

        Raises
        ------
        InputError
            If it is not one statement, or names a field other than ``$horizon``.
        """
        try:
            found = fill(self.sql, {"horizon": self.horizon})
        except KeyError as error:
            raise InputError(
                f"the feature SQL names the field {error}; it may use $horizon alone"
            ) from None
        if len(found) != 1:
            raise InputError(f"the feature SQL must be one SELECT, not {len(found)} statements")
        return found[0]


def prepare_prices(
    duck: duckdb.DuckDBPyConnection,
    source: Source,
    horizon: int | None,
    features_sql: str | None,
) -> tuple[IngestReport, Callable[[], None]]:
    """Compute, in temporary tables, all that ``source`` changes.

    Returns the report, and what puts the changes into the store, to be called
    in a transaction. They are computed before it because DuckDB reads tables
    that the running transaction has filled with one thread only.
    """
    cells = {
        name: number(source.prices[name], source.types[source.prices[name]])
        if name in source.prices
        else "null::double"
        for name in PRICE_COLUMNS
    }
    make_typed(duck, source, cells)
    run(duck, "ingest/judged_prices")
    columns = ", ".join(("ticker", "date", *PRICE_COLUMNS))
    rows_read, dropped, blanked = take_rows(duck, columns, _BLANKS)
    notes = unreadable_cells(duck, source, list(source.prices.values()))
    notes += blanked
    notes += drop_repeated(duck, PRICE_COLUMNS)

    if duck.execute("select count(*) from main.prices").fetchall() == [(0,)]:
        duck.execute(
            "create or replace temp view changed as select *, false as is_revision from incoming"
        )
    else:
        run(duck, "ingest/changed_prices")
    run(duck, "ingest/current_prices")
    tickers, counts = count_changes(duck)
    run(duck, "ingest/touched_by_prices")
    tickers_changed = duck.execute("select count(*) from touched").fetchall()[0][0]
    recipe = _recipe(duck, horizon, features_sql)
    features = _compute(duck, recipe)
    notes += _jumps(duck)
    notes += [Count(note, 0) for note in source.notes]
    report = IngestReport(
        "prices", rows_read, *counts, tickers, tickers_changed, tuple(dropped), tuple(notes)
    )
    return report, partial(_store, duck, recipe, features)


def _recipe(
    duck: duckdb.DuckDBPyConnection, horizon: int | None, features_sql: str | None
) -> _Recipe:
    """The feature SQL and horizon: those given, else those last used, else the defaults."""
    before = dict(duck.execute("select name, value from settings").fetchall())
    text = features_sql or before.get("features_sql") or sql("features/ohlcv")
    days = horizon or int(before.get("horizon", DEFAULT_HORIZON))
    is_new = (text, str(days)) != (before.get("features_sql"), before.get("horizon"))
    return _Recipe(text, days, is_new, before)


def _compute(duck: duckdb.DuckDBPyConnection, recipe: _Recipe) -> list[str]:
    """Run the feature SQL into the table ``computed``; returns the features' names.

    Raises
    ------
    InputError
        If it lacks a column that it must have.
    """
    if recipe.is_new:
        duck.execute(
            "create or replace temp table touched as select distinct ticker from current_prices"
        )
    if recipe.is_new or recipe.lookback is None:
        prices = "select * from current_prices where ticker in (select ticker from touched)"
        run(duck, "ingest/whole_spans")
    else:
        reach = recipe.horizon + recipe.lookback
        run(duck, "ingest/spans", horizon=recipe.horizon, reach=reach)
        prices = sql("ingest/prices_of_spans")
    text = recipe.statement()
    described = duck.execute(
        f"describe with prices as (select * from main.prices limit 0) select * from ({text})"
    ).fetchall()
    columns = [row[0] for row in described]
    missing = [name for name in _ROLES if name not in columns]
    if missing:
        raise InputError(f"the feature SQL gives no column {missing[0]!r}")
    features = [name for name in columns if name not in _ROLES]
    values = ", ".join(as_float(quoted(name), name) for name in features)
    run(
        duck,
        "ingest/computed",
        prices=Part(prices),
        features=Part(values),
        features_sql=Part(text),
    )
    return features


def _store(duck: duckdb.DuckDBPyConnection, recipe: _Recipe, features: list[str]) -> None:
    """Put prices, features, targets, digests and the recipe into the store."""
    if recipe.is_new:
        _forget_computed(duck, recipe.before)
    add_columns(duck, features)
    if recipe.is_new and set(feature_columns(duck)) == set(features):
        duck.execute("delete from features")
    run(duck, "ingest/upsert_prices")
    run(duck, "ingest/fresh")
    upsert_features(duck, features)
    run(duck, "ingest/replace_computed_targets", target=recipe.target, horizon=recipe.horizon)
    settings = {
        "features_sql": recipe.sql,
        "horizon": str(recipe.horizon),
        "target": recipe.target,
        "computed_features": "\n".join(features),
    }
    names, values = zip(*settings.items(), strict=True)
    run(duck, "ingest/replace_settings", names=names, new_values=values)
    refresh_touched(duck, recipe.target)


def _jumps(duck: duckdb.DuckDBPyConnection) -> list[Count]:
    jumps = run(duck, "ingest/jumps").fetchall()
    if not jumps:
        return []
    examples = tuple(f"{ticker} ({largest:.1f})" for ticker, _, largest in jumps)
    return [
        Count(
            "one-day moves with |log return| > 1, kept; check these stocks for splits",
            sum(n for _, n, _ in jumps),
            examples,
        )
    ]


def _forget_computed(duck: duckdb.DuckDBPyConnection, known: dict[str, str]) -> None:
    """Remove what an earlier feature SQL or horizon computed.

    In one transaction DuckDB alters a table only before it deletes from it, so the rows
    stay until the new columns are there.
    """
    if "target" not in known:
        return
    for name in known["computed_features"].split("\n"):
        duck.execute(f"alter table features drop column {quoted(name)}")
    for table in ("targets", "series"):
        duck.execute(f"delete from {table} where target = {literal(known['target'])}")
