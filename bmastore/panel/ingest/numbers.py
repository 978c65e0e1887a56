"""Numbers: whether text is one, and which sign is its decimal point, by the whole column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from bmastore.errors import InputError
from bmastore.panel.ingest.batches import Batch, select
from bmastore.panel.ingest.report import Count
from bmastore.storage.resources import sql
from bmastore.storage.statements import Part, fill

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_PLAIN = {
    *_INTEGERS,
    *(f"U{name}" for name in _INTEGERS),
    "FLOAT",
    "DOUBLE",
    "BOOLEAN",
    '"NULL"',
}
_MISSING = "('', 'na', 'n/a', '#n/a', '#na', 'nan', 'null', 'none', '-', '--', '.', '<na>', 'nat')"


@dataclass(frozen=True)
class Numbers:
    """SQL for columns as DOUBLE, NULL where missing or no number, and what is to be said."""

    cells: dict[int, str]
    notes: tuple[Count, ...]
    all_text: tuple[int, ...]
    examples: dict[int, str]


def is_number(kind: str) -> bool:
    """Whether a DuckDB type holds numbers."""
    return kind in _PLAIN or kind.startswith("DECIMAL(")


def is_text(kind: str) -> bool:
    """Whether a DuckDB type holds free text."""
    return kind == "VARCHAR"


def filled(text: str) -> str:
    """SQL for whether a text cell holds more than a usual sign for a missing value."""
    return f"coalesce(lower(trim({text})) not in {_MISSING}, false)"


def read_numbers(
    duck: duckdb.DuckDBPyConnection, batch: Batch, columns: Sequence[int], decimal: str | None
) -> Numbers:
    """How to read columns of a batch as numbers.

    Raises
    ------
    InputError
        If a column's type cannot hold numbers, or if commas in them may mean two things.
    """
    cells = {}
    text = []
    for i in columns:
        kind = batch.types[i]
        if is_text(kind):
            text.append(i)
        elif not is_number(kind):
            shown = kind if len(kind) < 60 else f"{kind[:50]}…"
            raise InputError(
                f"column {batch.names[i]!r} holds {shown} values, not numbers; leave it out "
                f"(--exclude {batch.names[i]!r})"
            )
        else:
            cells[i] = f"nullif(c{i}::double, 'nan'::double)"
    odd = _not_plain(duck, batch, text)
    if decimal == ",":
        odd = text
    cells |= {i: f"nullif(try_cast(c{i} as double), 'nan'::double)" for i in text if i not in odd}
    styles = _styles(duck, batch, text, odd, decimal) if odd else {}
    doubtful = {i: _bare(i) if i in odd else f"c{i}" for i in text if styles.get(i) != ","}
    thousands = [] if decimal else _maybe_thousands(duck, batch, doubtful)
    if not odd:
        return Numbers(cells, tuple(thousands), (), {})
    cells |= {i: _cell(i, styles.get(i, ".")) for i in text if i in odd or styles.get(i) == ","}
    found = _counted(duck, batch, cells, odd, styles)
    return replace(found, notes=(*thousands, *found.notes))


def _maybe_thousands(
    duck: duckdb.DuckDBPyConnection, batch: Batch, cells: Mapping[int, str]
) -> list[Count]:
    """Say where each cell has three digits after its point, which may part thousands.

    Where a column has a cell of which that cannot be, or one of four digits without a sign, the
    file tells. ``cells`` is SQL for the digits and signs of each text column.

    Raises
    ------
    InputError
        If some cells have three digits after a point, and others no point: who writes decimals in
        full has one in each cell, and who leaves zeros out seldom has three of them in all.
    """
    if not cells:
        return []
    tells = " or ".join(
        f"regexp_matches({cell}, '{_UNGROUPED}') or (contains({cell}, '.') "
        f"and regexp_matches({cell}, '[0-9]') and not regexp_matches({cell}, '{_GROUP}'))"
        for cell in cells.values()
    )
    if duck.execute(f"select 1 from {batch.table} where {tells} limit 1").fetchall():
        return []
    counts = select(
        duck,
        batch.table,
        [
            part
            for cell in cells.values()
            for part in (
                f"count(*) filter (regexp_matches({cell}, '{_GROUP}'))",
                f"count(*) filter (regexp_matches({cell}, '[0-9]') "
                f"and not regexp_matches({cell}, '{_GROUP}'))",
            )
        ],
    )[0]
    found = [
        (batch.names[i], others)
        for i, points, others in zip(cells, counts[::2], counts[1::2], strict=True)
        if points
    ]
    for name, others in found:
        if others:
            raise InputError(
                f"in {batch.shown}, points before three digits in column {name!r} may part "
                f"thousands or decimals; say --decimal . or --decimal ,"
            )
    names = tuple(name for name, _ in found)
    what = (
        "columns have three digits after the point in each cell, taken for decimals; if the point "
        "parts thousands, say --decimal ,"
    )
    return [Count(what, len(names), names)] if names else []


def _not_plain(duck: duckdb.DuckDBPyConnection, batch: Batch, text: Sequence[int]) -> list[int]:
    """The text columns in which some filled cells are not plainly written numbers."""
    if not text:
        return []
    failures = [
        f"count(*) filter (c{i} is not null and try_cast(c{i} as double) is null)" for i in text
    ]
    counts = select(duck, batch.table, failures)[0]
    return [i for i, n in zip(text, counts, strict=True) if n]


def _styles(
    duck: duckdb.DuckDBPyConnection,
    batch: Batch,
    text: Sequence[int],
    odd: Sequence[int],
    decimal: str | None,
) -> dict[int, str]:
    """The decimal sign of each text column.

    A cell tells it if it holds both signs, or one that cannot part thousands. Where a
    column's own cells do not tell, those of the others do: one file has one way to write.
    """
    if decimal is not None:
        return dict.fromkeys(text, decimal)
    signs = []
    for i in text:
        bare = _bare(i)
        signs += [
            f"count(*) filter (regexp_matches({bare}, '{_POINT}'))",
            f"count(*) filter (regexp_matches({bare}, '{_COMMA}'))",
            f"count(*) filter (regexp_matches({bare}, '{_EITHER}'))",
        ]
    found = select(duck, batch.table, signs)[0]
    point, comma, either = (
        {i: int(str(n)) for i, n in zip(text, found[k::3], strict=True)} for k in range(3)
    )
    all_point, all_comma = sum(point.values()), sum(comma.values())
    styles = {}
    for i in text:
        if point[i] or comma[i]:
            styles[i] = "," if comma[i] > point[i] else "."
        elif not all_comma and (all_point or not either[i]):
            styles[i] = "."
        elif all_comma and not all_point:
            styles[i] = ","
        elif i in odd and either[i]:
            raise InputError(
                f"in {batch.shown}, commas in column {batch.names[i]!r} may part thousands or "
                f"decimals; say --decimal . or --decimal ,"
            )
        else:
            styles[i] = "."
    return styles


# Of digits and signs alone: what only a decimal point, only a decimal comma, or either writes.
_POINT = r"^-?(\d{1,3}(,\d{2,3})*,\d{3}\.\d*|\d{1,3}(,\d{3}){2,}|\d{1,2}(,\d{2})+,\d{3}|\d{4,}\.\d+|0?\.\d+|\d+\.(\d{1,2}|\d{4,}))$"  # noqa: E501
_COMMA = (
    r"^-?(\d{1,3}(\.\d{3})+,\d*|\d{1,3}(\.\d{3}){2,}|\d{4,},\d+|0?,\d+|\d{1,3},(\d{1,2}|\d{4,}))$"
)
_GROUP = r"^\s*-?[1-9]\d{0,2}\.\d{3}\s*$"
_UNGROUPED = r"^\s*-?\d{4,}"
_EITHER = r"^-?[1-9]\d{0,2},\d{3}$"


def _bare(i: int) -> str:
    """SQL for the digits and signs of a text cell."""
    return fill(sql("ingest/bare_number"), {"cell": Part(f"c{i}")})[0]


def _cell(i: int, style: str) -> str:
    """SQL for a text cell written in a style, with currency, percent, brackets and the like."""
    grouped = r"^-?\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?$"
    if style == ",":
        grouped = r"^-?\d{1,3}(\.\d{3})+(,\d*)?$"
    parts = {
        "cell": Part(f"c{i}"),
        "bare": Part(_bare(i)),
        "thousands": "." if style == "," else ",",
        "decimal": style,
        "grouped": grouped,
        "missing": Part(_MISSING),
    }
    return fill(sql("ingest/number"), parts)[0]


def _counted(
    duck: duckdb.DuckDBPyConnection,
    batch: Batch,
    cells: dict[int, str],
    odd: Sequence[int],
    styles: dict[int, str],
) -> Numbers:
    """Count the cells that are no numbers all the same, and say how the others were read."""
    parts = []
    for i in odd:
        bad = f"{filled(f'c{i}')} and ({cells[i]}) is null"
        bad += f" and lower(trim(c{i})) <> 'nan'"
        scaled = f"regexp_matches(c{i}, '[%\uff05]\\s*$')"
        parts += [
            f"count(*) filter ({bad})",
            f"count({cells[i]})",
            f"any_value(c{i}) filter ({bad})",
            f"count(*) filter ({scaled} and ({cells[i]}) is not null)",
        ]
    found = select(duck, batch.table, parts)[0]
    notes, all_text, examples = [], [], {}
    for k, i in enumerate(odd):
        n, good, example, percent = found[4 * k : 4 * k + 4]
        name = batch.names[i]
        if n and not good:
            all_text.append(i)
        if n:
            examples[i] = str(example)
            notes.append(
                Count(
                    f"cells of {name!r} are no numbers, stored as missing", int(str(n)),
                    (str(example)[:40],),
                )
            )  # fmt: skip
        if percent:
            notes.append(Count(f"cells of {name!r} are percent, taken as 0.01", int(str(percent))))
    commas = [batch.names[i] for i in odd if styles.get(i) == "," and i not in all_text]
    if commas:
        notes.append(Count("columns have decimal commas", len(commas), tuple(commas)))
    return Numbers(cells, tuple(notes), tuple(all_text), examples)
