"""Ready-made features: upsert a panel of features and targets."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import duckdb

from bmastore.errors import InputError
from bmastore.panel.ingest.files import NotTakenError
from bmastore.panel.ingest.layout import Layout, missing
from bmastore.panel.ingest.numbers import read_numbers
from bmastore.panel.ingest.options import IngestOptions, split_target
from bmastore.panel.ingest.prices import check_keys, check_names
from bmastore.panel.ingest.report import Count, IngestReport
from bmastore.panel.ingest.sources import Sources
from bmastore.panel.ingest.steps import (
    count_changes,
    drop_far_dates,
    drop_repeated,
    key_rules,
    known_features,
    make_source,
    odd_weekdays,
    refresh_touched,
    set_columns,
    similar_tickers,
    take_rows,
    upsert_features,
)
from bmastore.panel.ingest.suspects import check_suspects
from bmastore.panel.series import target_horizons, value_columns
from bmastore.storage.statements import Part, quoted, run

# Words that no feature may take because the panel uses them.
_RESERVED = ("ticker", "date")


@dataclass(frozen=True)
class _Columns:
    """What a panel's columns are: targets with horizons, features, and short names of both.

    Under names of our own until they are stored, so that a feature may be called anything.
    """

    targets: dict[str, int]
    features: tuple[str, ...]

    @property
    def short(self) -> dict[str, str]:
        """Our name of each column, by its name in lower case."""
        ys = {name.lower(): f"y{i}" for i, name in enumerate(self.targets)}
        return ys | {name.lower(): f"x{i}" for i, name in enumerate(self.features)}


def fits(layout: Layout, options: IngestOptions) -> None:
    """Whether a batch holds the targets.

    Raises
    ------
    NotTakenError
        If it lacks one of them.
    """
    for text in options.targets:
        name, _ = split_target(text, layout.batch.names)
        if layout.column(name) is None:
            raise NotTakenError(missing(name, layout.batch.names))


def prepare_panel(
    duck: duckdb.DuckDBPyConnection, sources: Sources, options: IngestOptions
) -> tuple[IngestReport, Callable[[], None]]:
    """Find, in temporary tables, all that ``sources`` change.

    Returns the report, and what puts the changes into the store, to be called
    in a transaction.

    Raises
    ------
    InputError
        If a target, its horizon or the features are missing or clash with the store, or if
        a feature looks as if it knew the future.
    """
    settings = dict(duck.execute("select name, value from settings").fetchall())
    excluded = _remembered(settings, "excluded_columns")
    known = {name.lower() for name in (*excluded, *value_columns(duck))}
    excluded = sorted({*excluded, *options.exclude})
    # Those that the store knows need not be in each update.
    asked = tuple(name for name in options.exclude if name.lower() not in known)
    options = replace(options, exclude=asked)
    columns, notes = _columns(duck, sources, options, excluded)
    notes += sources.notes
    cells = []
    for layout in sources.layouts:
        named, said = _cells(duck, layout, columns, options)
        cells.append(named)
        notes += said
    selects = make_source(duck, sources, cells)
    check_names(duck, sources, selects)
    names = list(columns.short.values())
    shown = dict(zip(names, (*columns.targets, *columns.features), strict=True))
    taken = take_rows(duck, names, _judge(duck, shown), sources.lost)
    notes += taken.notes
    said, n_repeated, several = drop_repeated(duck, names)
    notes += said
    if several or options.aggregate:
        raise InputError(
            "there are several rows per stock and day, at different times; features are daily: "
            "keep one row per day (--aggregate is for prices)"
        )
    if n_repeated:
        check_keys(duck, sources, selects, names)
    notes += [*similar_tickers(duck), *odd_weekdays(duck)]
    dropped, said = drop_far_dates(duck)
    notes += said
    kept = _remembered(settings, "kept_columns")
    suspicious = check_suspects(
        duck, columns.targets, columns.features, set() if options.keep_suspicious else None, kept
    )
    counts, tickers, tickers_changed = _changes(duck, columns)
    notes += [*_vanished(duck, columns.features), *_erased(duck, columns)]
    report = IngestReport(
        "panel", taken.rows_read, *counts, tickers, tickers_changed,
        (*taken.dropped, *dropped), tuple(notes), rows_repeated=n_repeated,
    )  # fmt: skip
    remembered = {
        "excluded_columns": json.dumps(excluded),
        "kept_columns": json.dumps(sorted({*kept, *suspicious} - set(excluded))),
    }
    return report, partial(_store, duck, columns, excluded, remembered)


def _remembered(settings: dict[str, str], name: str) -> list[str]:
    return [str(item) for item in json.loads(settings.get(name, "[]"))]


def _columns(
    duck: duckdb.DuckDBPyConnection,
    sources: Sources,
    options: IngestOptions,
    excluded: Sequence[str],
) -> tuple[_Columns, list[Count]]:
    known = target_horizons(duck)
    targets = _targets(known, sources, options)
    others = {name.lower(): name for name in known}
    mine = {name.lower() for name in targets}
    not_features = {*mine, *others, *(name.lower() for name in excluded)}
    first_seen: dict[str, str] = {}
    for name in sources.names:
        first_seen.setdefault(name.lower(), name)
    features = tuple(name for low, name in first_seen.items() if low not in not_features)
    notes = _left_out(first_seen, others, mine, excluded, options)
    clash = [name for name in features if name.lower() in _RESERVED]
    if clash or not features:
        raise InputError(
            f"a feature cannot be named {clash[0]!r}" if clash else "there are no feature columns"
        )
    stored = known_features(duck)
    return _Columns(targets, tuple(stored.get(name.lower(), name) for name in features)), notes


def _targets(known: dict[str, int], sources: Sources, options: IngestOptions) -> dict[str, int]:
    """Names and horizons of the targets that are asked for."""
    all_names = [name for layout in sources.layouts for name in layout.batch.names]
    stored = {name.lower(): name for name in known}
    targets: dict[str, int] = {}
    for text in options.targets:
        name, days = split_target(text, all_names)
        first = sources.layouts[0]
        at = first.column(name)
        assert at is not None
        name = stored.get(name.lower(), first.batch.names[at])
        if days is None and options.horizons is not None and len(options.horizons) > 1:
            raise InputError(
                f"several horizons go with prices; for a panel, give each target its own: "
                f"--target {name}:{options.horizons[0]}"
            )
        days = days if days is not None else (options.horizons or (None,))[0]
        if days is None:
            raise InputError(
                f"a panel needs --horizon N (or --target {name}:N): over how many trading days "
                f"its target looks ahead"
            )
        if known.get(name, days) != days:
            raise InputError(
                f"target {name!r} is stored with horizon {known[name]}, not {days}; "
                f"give it another name"
            )
        targets[name] = days
    return targets


def _left_out(
    first_seen: dict[str, str],
    others: dict[str, str],
    mine: set[str],
    excluded: Sequence[str],
    options: IngestOptions,
) -> list[Count]:
    """What is said of columns that are no features."""
    unknown = [name for name in options.exclude if name.lower() not in first_seen]
    if unknown:
        raise InputError(missing(unknown[0], list(first_seen.values())) + " to exclude")
    notes = []
    targets = [first_seen[low] for low in others if low in first_seen and low not in mine]
    if targets:
        what = "columns are targets of the store, and left out of the features"
        notes.append(Count(what, len(targets), tuple(targets)))
    gone = sorted({first_seen[name.lower()] for name in excluded if name.lower() in first_seen})
    if gone:
        notes.append(Count("columns were left out, as told by --exclude", len(gone), tuple(gone)))
    return notes


def _cells(
    duck: duckdb.DuckDBPyConnection, layout: Layout, columns: _Columns, options: IngestOptions
) -> tuple[list[tuple[str, str]], list[Count]]:
    """SQL for targets and features of a batch, by our names, and what is to be said of them.

    A feature is FLOAT, with infinity for what is infinite and minus infinity for what lies
    beyond its range: both are counted, and neither is stored.
    """
    places = {short: layout.column(name) for name, short in columns.short.items()}
    wanted = [at for at in places.values() if at is not None]
    numbers = read_numbers(duck, layout.batch, wanted, options.decimal)
    if numbers.all_text:
        name = layout.batch.names[numbers.all_text[0]]
        raise InputError(
            f"column {name!r} holds text, not numbers (for instance "
            f"{numbers.examples[numbers.all_text[0]]!r}); leave it out (--exclude {name!r}) or "
            f"encode it"
        )
    cells = []
    for short, at in places.items():
        if at is None:
            cells.append((short, "null::double" if short.startswith("y") else "null::real"))
        elif short.startswith("y"):
            cells.append((short, numbers.cells[at]))
        elif layout.batch.types[at] in ("FLOAT", "TINYINT", "SMALLINT", "BOOLEAN"):
            value = f"nullif(c{at}::real, 'nan'::real)"
            cells.append((short, f"case when isinf({value}) then 'inf'::real else {value} end"))
        else:
            value = numbers.cells[at]
            cells.append(
                (
                    short,
                    f"case when isinf({value}) then 'inf'::real when ({value}) is not null "
                    f"then coalesce(try_cast({value} as real), '-inf'::real) end",
                )
            )
    # A zero has one sign: where a column holds nothing else, DuckDB stores one of both for all.
    return [(short, f"({value}) + 0") for short, value in cells], list(numbers.notes)


def _judge(duck: duckdb.DuckDBPyConnection, shown: dict[str, str]) -> dict[str, str]:
    """The view ``judged``: cells that can be stored, and flags of those that cannot.

    Returns what each flag means. Only columns that have such cells get flags, for a test per
    cell would take longer than all the rest.
    """
    extremes = ", ".join(f"max({name}), min({name})" for name in shown)
    found = duck.execute(f"select {extremes} from source").fetchall()[0]
    blanks = {}
    flags = []
    for name, largest, smallest in zip(shown, found[::2], found[1::2], strict=True):
        is_feature = name.startswith("x")
        if largest == math.inf or (not is_feature and smallest == -math.inf):
            test = f"{name} = 'inf'::real" if is_feature else f"isinf({name})"
            flags.append(f"coalesce({test}, false) as bad_{name}")
            blanks[f"bad_{name}"] = f"infinite values in {shown[name]!r}"
        if is_feature and smallest == -math.inf:
            flags.append(f"coalesce({name} = '-inf'::real, false) as far_{name}")
            blanks[f"far_{name}"] = f"values beyond 3.4e38 in {shown[name]!r}"
    cells = dict.fromkeys(flag.split("_", 1)[1] for flag in blanks)
    run(
        duck,
        "ingest/judged_panel",
        cells=Part(
            "".join(f", case when isfinite({name}) then {name} end as {name}" for name in cells)
        ),
        flags=Part("".join(f", {flag}" for flag in flags)),
        all_missing=Part(f"coalesce({', '.join(f'{name}::double' for name in shown)}) is null"),
        **key_rules(duck),
    )
    return blanks


def _changes(
    duck: duckdb.DuckDBPyConnection, columns: _Columns
) -> tuple[tuple[int, int, int], int, int]:
    """Find the rows that are new or differ: the table ``changed``, ``touched`` and ``fresh``."""
    known = {name.lower(): name for name in value_columns(duck)}
    short = columns.short
    stored = [
        f"features.{quoted(known[name.lower()])}" if name.lower() in known else "null::real"
        for name in columns.features
    ]
    joins, relabelled = [], []
    for i, target in enumerate(columns.targets):
        y = short[target.lower()]
        run(duck, "ingest/labels_of_target", table=Part(f"label{i}"), target=target)
        joins.append(
            f"left join label{i} on label{i}.ticker = incoming.ticker "
            f"and label{i}.date = incoming.date"
        )
        relabelled.append(f"label{i}.value is distinct from incoming.{y}")
    mine = [short[name.lower()] for name in columns.features]
    run(
        duck,
        "ingest/changed_panel",
        joins=Part(" ".join(joins)),
        relabelled=Part(", ".join(f"{test} as relabelled{i}" for i, test in enumerate(relabelled))),
        any_relabelled=Part(" or ".join(relabelled)),
        incoming_features=Part(", ".join(f"incoming.{name}" for name in mine)),
        stored_features=Part(", ".join(stored)),
    )
    tickers, counts = count_changes(duck)
    duck.execute("create or replace temp table touched as select distinct ticker from changed")
    duck.execute(
        "create or replace temp view fresh as select ticker, date, "
        + ", ".join(f"{short[name.lower()]} as {quoted(name)}" for name in columns.features)
        + " from changed"
    )
    tickers_changed = duck.execute("select count(*) from touched").fetchall()[0][0]
    return counts, tickers, tickers_changed


def _erased(duck: duckdb.DuckDBPyConnection, columns: _Columns) -> list[Count]:
    """Say which targets of the store go, for the input has the rows without them."""
    notes = []
    for i, target in enumerate(columns.targets):
        ((n,),) = duck.execute(
            f"select count(*) from changed inner join label{i} as stored using (ticker, date) "
            f"where stored.value is not null and changed.{columns.short[target.lower()]} is null"
        ).fetchall()
        if n:
            what = f"values of {target!r} in the store are blank in this input: they are erased"
            notes.append(Count(what, n))
    return notes


def _vanished(duck: duckdb.DuckDBPyConnection, features: Sequence[str]) -> list[Count]:
    """Say which features the newest rows lack, and which the older rows do."""
    known = known_features(duck)
    if not known:
        return []
    n_new = duck.execute("select count(*) from changed where not is_revision").fetchall()[0][0]
    n_old = duck.execute("select count(*) from main.features").fetchall()[0][0]
    mine = {name.lower() for name in features}
    gone = [name for low, name in known.items() if low not in mine]
    new = [name for name in features if name.lower() not in known]
    notes = []
    if gone and n_new:
        what = "new rows lack features of the store that are not in this input"
        notes.append(Count(what, n_new, tuple(gone)))
    if new and n_old:
        n_without = (
            n_old
            - duck.execute(
                "select count(*) from incoming inner join main.features using (ticker, date)"
            ).fetchall()[0][0]
        )
        if n_without:
            what = "rows before have no value of features that are new in this input"
            notes.append(Count(what, n_without, tuple(new)))
    return notes


def _store(
    duck: duckdb.DuckDBPyConnection,
    columns: _Columns,
    excluded: Sequence[str],
    remembered: dict[str, str],
) -> None:
    """Put features, targets, digests and settings into the store."""
    before = set(value_columns(duck))
    no_features = {name.lower() for name in (*excluded, *columns.targets)}
    gone = [name for name in before if name.lower() in no_features]
    set_columns(duck, columns.features, gone)
    upsert_features(duck, columns.features)
    for i, (target, horizon) in enumerate(columns.targets.items()):
        run(
            duck,
            "ingest/replace_panel_targets",
            target=target,
            horizon=horizon,
            y=Part(columns.short[target.lower()]),
            relabelled=Part(f"relabelled{i}"),
        )
    names, values = zip(*remembered.items(), strict=True)
    run(duck, "ingest/replace_settings", names=names, new_values=values)
    if gone:
        # The digests of all stocks cover fewer features now.
        duck.execute("create or replace temp table touched as "
                     "select distinct ticker from main.features")  # fmt: skip
    refresh_touched(duck, list(columns.targets))
