"""Tables that are no list of bars: a column per ticker, or a row per number, turned into one."""

import re
from collections import defaultdict
from collections.abc import Sequence

import duckdb

from bmastore.errors import InputError
from bmastore.panel.ingest import vendors
from bmastore.panel.ingest.batches import Batch
from bmastore.panel.ingest.files import NotTakenError
from bmastore.panel.ingest.numbers import is_number, is_text
from bmastore.storage.statements import Part, literal, run

_VARIABLES = ("variable", "field", "metric", "attribute", "item", "measure", "price", "type")
_VALUES = ("value", "val", "amount", "level")
# Most of the values of a column per ticker are closes, so none is below zero.
_MOST_ODD = 0.01


def as_bars(
    duck: duckdb.DuckDBPyConnection, batch: Batch, forced: str | None, date_col: str | None
) -> Batch:
    """The batch itself where it has a close, else the bars in it if they can be found."""
    if any(vendors.split_pair(name) for name in batch.names):
        return _from_pairs(duck, batch)
    if forced == "yfinance" and not vendors.are_prices(batch.names[1:]):
        raise InputError(f"{batch.shown} has no two rows of headers, as yfinance writes them")
    vendor = vendors.recognise(batch.names, None if forced in _SHAPES else forced)
    if forced not in _SHAPES and "close" in vendors.price_columns(vendor, batch.names):
        return batch
    if forced != "wide" and (melted := _melted(duck, batch)) is not None:
        return melted
    if forced == "melted":
        raise InputError(
            f"{batch.shown} is no melted table: it lacks a column of names such as 'variable' "
            f"that holds open, high, low, close, or one of numbers called 'value'"
        )
    return _wide(duck, batch, forced == "wide", date_col) or batch


_SHAPES = ("wide", "melted", "yfinance")


def _from_pairs(duck: duckdb.DuckDBPyConnection, batch: Batch) -> Batch:
    """Prices over tickers, or tickers over prices: a row per day and ticker."""
    pairs = {i: pair for i, name in enumerate(batch.names) if (pair := vendors.split_pair(name))}
    first, second = zip(*pairs.values(), strict=True)
    if vendors.are_prices(list(first)):
        by_ticker = {i: (ticker, price) for i, (price, ticker) in pairs.items()}
    elif vendors.are_prices(list(second)):
        by_ticker = dict(pairs)
    else:
        raise NotTakenError(
            "has two levels of columns, and neither holds Open, High, Low, Close alone; "
            "turn it with df.stack(level=1)"
        )
    kept = [i for i in range(len(batch.names)) if i not in pairs]
    columns: dict[str, dict[str, int]] = defaultdict(dict)
    for i, (ticker, price) in by_ticker.items():
        columns[vendors.role_of(price) or vendors.plain(price)][ticker] = i
    tickers = list(dict.fromkeys(ticker for ticker, _ in by_ticker.values()))
    lists = {
        role: _list(batch, [at.get(ticker) for ticker in tickers]) for role, at in columns.items()
    }
    return _unrolled(duck, batch, kept, tickers, lists)


def _wide(
    duck: duckdb.DuckDBPyConnection, batch: Batch, forced: bool, date_col: str | None
) -> Batch | None:
    """A column of closes per ticker; ``None`` if it does not look so."""
    day, _ = vendors.date_columns(vendors.VENDORS["usual"], batch.names)
    if date_col in batch.names:
        day = batch.names.index(date_col)
    if day is None:
        day = next((i for i, name in enumerate(batch.names) if is_nameless(name)), None)
    if day is None:
        return None
    others = [i for i in range(len(batch.names)) if i != day and not is_nameless(batch.names[i])]
    names = [batch.names[i] for i in others]
    usual = [name for name in names if vendors.role_of(name) or _is_key(name)]
    looks = [name for name in names if re.fullmatch(r"[\^$]?[A-Z0-9][A-Z0-9.=\-/: ]{0,14}", name)]
    numeric = [i for i in others if is_number(batch.types[i]) or is_text(batch.types[i])]
    if not forced and (usual or len(names) < 2 or len(looks) < len(names)):
        return None
    if len(numeric) < len(others) or not others:
        return None
    turned = _unrolled(duck, batch, [day], names, {"close": _list(batch, others)})
    odd, total = duck.execute(
        f"select count(*) filter (try_cast(c2::varchar as double) <= 0), count(*) "
        f"from {turned.table}"
    ).fetchall()[0]
    if not forced and odd > _MOST_ODD * total:
        return None
    return turned.noting("columns of one ticker each were taken as closes", len(names), names)


def _is_key(name: str) -> bool:
    return vendors.plain(name) in vendors.TICKERS


def _list(batch: Batch, columns: Sequence[int | None]) -> str:
    """SQL for a list of some columns' values, of one type."""
    types = {batch.types[i] for i in columns if i is not None}
    as_text = any(is_text(kind) for kind in types)
    numbers = all(is_number(kind) for kind in types)
    cast = "::varchar" if as_text or not numbers else "::double"
    return "[" + ", ".join("null" if i is None else f"c{i}{cast}" for i in columns) + "]"


def _unrolled(
    duck: duckdb.DuckDBPyConnection,
    batch: Batch,
    kept: Sequence[int],
    tickers: Sequence[str],
    lists: dict[str, str],
) -> Batch:
    """A row per row of the batch and ticker; those without any value are none."""
    n = len(kept)
    columns = [f"c{i} as k{at}" for at, i in enumerate(kept)]
    columns.append(f"unnest([{', '.join(literal(ticker) for ticker in tickers)}]) as k{n}")
    columns += [f"unnest({values}) as k{n + 1 + at}" for at, values in enumerate(lists.values())]
    if batch.files:
        columns.append("file_path")
    names = (*(batch.names[i] for i in kept), "ticker", *lists)
    some = " or ".join(f"k{n + 1 + at} is not null" for at in range(len(lists)))
    table = f"{batch.table}_bars"
    run(
        duck,
        "ingest/unrolled",
        table=Part(table),
        columns=Part(", ".join(columns)),
        batch=Part(batch.table),
        renamed=Part(", ".join(f"k{at} as c{at}" for at in range(len(names)))
                     + (", file_path" if batch.files else "")),
        some=Part(some),
    )  # fmt: skip
    return _replaced(duck, batch, table, names, {at: batch.zones[i] for at, i in enumerate(kept)
                                                 if i in batch.zones})  # fmt: skip


def _replaced(
    duck: duckdb.DuckDBPyConnection,
    batch: Batch,
    table: str,
    names: tuple[str, ...],
    zones: dict[int, str],
) -> Batch:
    from dataclasses import replace

    described = duck.execute(f"describe {table}").fetchall()
    types = tuple(row[1] for row in described if row[0] != "file_path")
    duck.execute(f"drop {'table' if batch.is_table else 'view'} if exists {batch.table}")
    duck.execute(f"alter table {table} rename to {batch.table}")
    return replace(batch, names=names, types=types, zones=zones, is_table=True)


def _melted(duck: duckdb.DuckDBPyConnection, batch: Batch) -> Batch | None:
    """A row per number, with what it is in a column; ``None`` if it does not look so."""
    usual = vendors.VENDORS["usual"]
    value = vendors.first_of(_VALUES, batch.names)
    day, _ = vendors.date_columns(usual, batch.names)
    ticker = vendors.ticker_column(usual, batch.names)
    if value is None or day is None:
        return None
    for name in _VARIABLES:
        at = vendors.first_of((name,), batch.names)
        if at is None or at == value or is_number(batch.types[at]):
            continue
        found = duck.execute(
            f"select distinct c{at}::varchar from {batch.table} where c{at} is not null limit 40"
        ).fetchall()
        kinds = [kind for (kind,) in found]
        if kinds and vendors.are_prices(kinds):
            break
    else:
        return None
    roles: dict[str, list[str]] = defaultdict(list)
    for kind in kinds:
        if role := vendors.role_of(kind):
            roles[role].append(kind)
    keys = [day] if ticker is None else [day, ticker]
    cells = [
        f"last(c{value}) filter (c{at}::varchar in ({', '.join(map(literal, written))})) "
        f"as k{len(keys) + k}"
        for k, written in enumerate(roles.values())
    ]
    names = (*(batch.names[i] for i in keys), *roles)
    table = f"{batch.table}_bars"
    by = ", ".join([f"c{i}" for i in keys] + (["file_path"] if batch.files else []))
    file = ", file_path" if batch.files else ""
    run(
        duck,
        "ingest/melted",
        table=Part(table),
        columns=Part(
            ", ".join([f"c{i} as k{k}" for k, i in enumerate(keys)] + cells) + file
        ),
        renamed=Part(", ".join(f"k{k} as c{k}" for k in range(len(names))) + file),
        batch=Part(batch.table),
        keys=Part(by),
    )  # fmt: skip
    before = duck.execute(f"select count(*) from {batch.table}").fetchall()[0][0]
    zones = {k: batch.zones[i] for k, i in enumerate(keys) if i in batch.zones}
    turned = _replaced(duck, batch, table, names, zones)
    return turned.noting("rows of one number each were put together into bars", before)


def is_nameless(name: str) -> bool:
    """Whether a column has no name, as the index in what pandas writes."""
    return bool(re.fullmatch(r"\s*|unnamed: ?\d+(_level_\d+)?|column0*|_c0|\.\.\.1", name.lower()))
