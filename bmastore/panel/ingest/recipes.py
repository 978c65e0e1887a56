"""What computes features and targets from prices: the feature SQL and its horizons."""

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bmastore.errors import InputError, QueryError
from bmastore.panel.ingest.report import Count
from bmastore.panel.ingest.steps import as_float
from bmastore.panel.series import value_columns
from bmastore.storage.paths import named_path
from bmastore.storage.readonly import check_computation
from bmastore.storage.resources import sql
from bmastore.storage.statements import Part, Value, ask, fill, literal, quoted, run

DEFAULT_HORIZON = 5
_ROLES = ("ticker", "date", "label_end", "target")
_LOOKBACK = re.compile(r"^--\s*lookback:\s*(\d+)\s*rows", re.MULTILINE)


@dataclass(frozen=True)
class Recipe:
    """What computes features and targets, and whether it is another than before."""

    sql: str
    horizons: tuple[int, ...]
    is_new: bool
    before: dict[str, str]

    @property
    def targets(self) -> dict[str, int]:
        """The targets' names and horizons."""
        return {f"log_return_{days}d": days for days in self.horizons}

    @property
    def lookback(self) -> int | None:
        """Earlier rows that a day's features need; ``None`` where the SQL does not say."""
        found = _LOOKBACK.search(self.sql)
        return int(found[1]) if found else None

    def statement(self, horizon: int) -> str:
        """The SQL as one statement, for a horizon.

        Raises
        ------
        InputError
            If it is not one statement, or names a field other than ``$horizon``.
        """
        try:
            found = fill(self.sql, {"horizon": horizon})
        except KeyError as error:
            raise InputError(
                f"the feature SQL names the field {error}; it may use $horizon alone"
            ) from None
        if len(found) != 1:
            raise InputError(f"the feature SQL must be one SELECT, not {len(found)} statements")
        return found[0]

    def settings(self, features: list[str]) -> dict[str, str]:
        """What the store remembers of it."""
        return {
            "features_sql": self.sql,
            "horizon": ",".join(map(str, self.horizons)),
            "target": "\n".join(self.targets),
            "computed_features": "\n".join(features),
        }


def recipe_for(
    duck: duckdb.DuckDBPyConnection, horizons: tuple[int, ...] | None, features_sql: str | None
) -> Recipe:
    """The feature SQL and horizons: those given, else those last used, else the defaults."""
    before = dict(duck.execute("select name, value from settings").fetchall())
    text = features_sql or before.get("features_sql") or sql("features/ohlcv")
    known = tuple(int(days) for days in before.get("horizon", "").split(",") if days)
    days = horizons or known or (DEFAULT_HORIZON,)
    same = (text, sorted(days)) == (before.get("features_sql"), sorted(known))
    return Recipe(text, known if same else days, not same, before)


def compute(duck: duckdb.DuckDBPyConnection, recipe: Recipe) -> list[str]:
    """Run the feature SQL into ``computed`` and ``computed_targets``; returns the features' names.

    Raises
    ------
    InputError
        If it lacks a column that it must have, or reads anything but tables.
    """
    if recipe.is_new:
        duck.execute(
            "create or replace temp table touched as select distinct ticker from current_prices"
        )
    if recipe.is_new or recipe.lookback is None:
        prices = "select * from current_prices where ticker in (select ticker from touched)"
        run(duck, "ingest/whole_spans")
    else:
        longest = max(recipe.horizons)
        run(duck, "ingest/spans", horizon=longest, reach=longest + recipe.lookback)
        prices = sql("ingest/prices_of_spans")
    features: list[str] = []
    labels = []
    for number, (target, horizon) in enumerate(recipe.targets.items()):
        text = recipe.statement(horizon)
        table = f"computed_{number}" if number else "computed"
        values = []
        if not number:
            features = _features_of(duck, text)
            values = [as_float(quoted(name), name) for name in features]
        run(
            duck,
            "ingest/computed",
            table=Part(table),
            prices=Part(prices),
            # Only labels depend on the horizon: features are not computed again.
            features=Part("".join(f", {value}" for value in values)),
            features_sql=Part(text),
        )
        fields: dict[str, Value | Part] = {"table": Part(table), "target": target}
        fields["horizon"] = horizon
        labels += fill(sql("ingest/labels_of_horizon"), fields)
    duck.execute("create or replace temp view computed_targets as " + " union all ".join(labels))
    return features


def _features_of(duck: duckdb.DuckDBPyConnection, text: str) -> list[str]:
    try:
        check_computation(duck, text)
    except QueryError as error:
        raise InputError(f"the feature SQL is refused: {error}") from None
    described = duck.execute(
        f"describe with prices as (select * from main.prices limit 0) select * from ({text}\n)"
    ).fetchall()
    columns = [row[0] for row in described]
    missing = [name for name in _ROLES if name not in columns]
    if missing:
        raise InputError(f"the feature SQL gives no column {missing[0]!r}")
    return [name for name in columns if name not in _ROLES]


def beside_others(
    duck: duckdb.DuckDBPyConnection, recipe: Recipe, features: list[str]
) -> list[Count]:
    """Say which features are computed anew in a store that has others, of a panel."""
    there = value_columns(duck)
    computed = recipe.before.get("computed_features", "").split("\n")
    new = [name for name in features if name not in there]
    if not new or not set(there) - {*computed, *features}:
        return []
    what = (
        "features are computed from prices, and stand beside those of the panel: a pass learns "
        "from all of them; train --features chooses"
    )
    return [Count(what, len(new), tuple(new))]


def targets_gone(duck: duckdb.DuckDBPyConnection, recipe: Recipe) -> list[Count]:
    """Say which targets go with their labels, for the new horizons leave them out."""
    before = [name for name in recipe.before.get("target", "").split("\n") if name]
    gone = tuple(name for name in before if name not in recipe.targets)
    count = "select count(*) from main.targets where list_contains($gone, target)"
    ((n,),) = ask(duck, count, gone=gone).fetchall()
    known = [int(days) for days in recipe.before.get("horizon", "").split(",") if days]
    horizons = ",".join(map(str, sorted({*known, *recipe.horizons})))
    what = (
        f"labels go, for their targets are computed no longer; to keep them, name all horizons "
        f"(--horizon {horizons})"
    )
    return [Count(what, n, gone)] if n else []


def forget_labels(duck: duckdb.DuckDBPyConnection, targets: list[str]) -> None:
    """Remove targets that an earlier feature SQL or horizon computed."""
    for name in targets:
        for table in ("targets", "series"):
            duck.execute(f"delete from {table} where target = {literal(name)}")


def read_features_sql(path: str | Path) -> str:
    """Text of a user's feature SQL.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        return named_path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read the feature SQL {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"cannot read the feature SQL {path}: it is not UTF-8 text") from None
