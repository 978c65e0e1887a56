"""A panel: upsert features and a target that are already made."""

from collections.abc import Callable
from functools import partial

import duckdb

from bmastore.errors import InputError
from bmastore.panel.ingest.counts import Count, IngestReport
from bmastore.panel.ingest.sources import Source, number
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
from bmastore.panel.series import feature_columns, target_horizons
from bmastore.storage.statements import Part, quoted, run

# Words that no feature may take because the panel uses them.
_RESERVED = ("ticker", "date")


def prepare_panel(
    duck: duckdb.DuckDBPyConnection, source: Source, target: str, horizon: int | None
) -> tuple[IngestReport, Callable[[], None]]:
    """Find, in temporary tables, all that ``source`` changes.

    Returns the report, and what puts the changes into the store, to be called
    in a transaction.

    Raises
    ------
    InputError
        If the target, its horizon or the features are missing or clash with the store.
    """
    if horizon is None:
        raise InputError(
            "a panel needs --horizon N: over how many trading days its target looks ahead"
        )
    known = target_horizons(duck)
    if known.get(target, horizon) != horizon:
        raise InputError(
            f"target {target!r} is stored with horizon {known[target]}, not {horizon}; "
            f"give it another name"
        )
    column = source.column(target)
    keys = {source.ticker_column, source.date_column, column}
    features = [name for name in source.types if name not in keys]
    clash = [name for name in features if name.lower() in _RESERVED]
    if clash or not features:
        raise InputError(
            f"a feature cannot be named {clash[0]!r}" if clash else "there are no feature columns"
        )
    # Under names of our own until they are stored, so that a feature may be called anything.
    alias = {name: f"x{i}" for i, name in enumerate(features)}
    names = {column: "y", **alias}
    cells = {short: number(name, source.types[name]) for name, short in names.items()}
    make_typed(duck, source, cells)
    run(
        duck,
        "ingest/judged_panel",
        features=Part(", ".join(as_float(short, short) for short in alias.values())),
        infinite=Part(
            ", ".join(f"coalesce(isinf({short}), false) as bad_{short}" for short in cells)
        ),
    )
    infinite = {f"bad_{cell}": f"infinite values in {name!r}" for name, cell in names.items()}
    rows_read, dropped, blanked = take_rows(duck, ", ".join(("ticker", "date", *cells)), infinite)
    notes = unreadable_cells(duck, source, [column, *features], all_bad_is_error=True)
    notes += blanked
    notes += drop_repeated(duck, tuple(cells))

    known_features = feature_columns(duck)
    stored = (
        f"features.{quoted(name)}" if name in known_features else "null::real" for name in features
    )
    run(
        duck,
        "ingest/changed_panel",
        incoming_features=Part(", ".join(f"incoming.{short}" for short in alias.values())),
        stored_features=Part(", ".join(stored)),
        target=target,
    )
    tickers, counts = count_changes(duck)
    duck.execute("create or replace temp table touched as select distinct ticker from changed")
    duck.execute(
        "create or replace temp view fresh as select ticker, date, "
        + ", ".join(f"{short} as {quoted(name)}" for name, short in alias.items())
        + " from changed"
    )
    tickers_changed = duck.execute("select count(*) from touched").fetchall()[0][0]
    notes += [Count(note, 0) for note in source.notes]
    report = IngestReport(
        "panel", rows_read, *counts, tickers, tickers_changed, tuple(dropped), tuple(notes)
    )
    return report, partial(_store, duck, target, horizon, features)


def _store(duck: duckdb.DuckDBPyConnection, target: str, horizon: int, features: list[str]) -> None:
    """Put features, targets and digests into the store."""
    add_columns(duck, features)
    upsert_features(duck, features)
    run(duck, "ingest/replace_panel_targets", target=target, horizon=horizon)
    refresh_touched(duck, target)
