"""What a query may be: one statement that reads, by DuckDB's own parser.

A read-only connection is not enough. DuckDB lets a statement write to the paths of the databases
that are attached, the store's own, and to files of its log; and a table function may read what it
likes where it is allowed to. So a query is a SELECT (or FROM, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN of
one), and its table functions are those that reach nothing outside the store.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from bmastore.errors import QueryError
from bmastore.storage.statements import UNWRITABLE, literal
from bmastore.storage.views import HISTORY_VIEWS

# Table functions that make rows of their arguments, or tell what there is in the catalog.
_TABLE_FUNCTIONS = frozenset(
    {
        "duckdb_columns", "duckdb_constraints", "duckdb_functions", "duckdb_schemas",
        "duckdb_tables", "duckdb_types", "duckdb_views", "generate_series", "histogram",
        "histogram_values", "json_each", "json_tree", "pragma_show", "pragma_table_info", "range",
        "repeat", "repeat_row", "summary", "unnest",
    }
)  # fmt: skip
# Functions that tell of the machine, or change something.
_BARRED_FUNCTIONS = frozenset({"getenv", "nextval", "setseed", "write_log"})
# Tables and views that are not published, and functions that tell which tables there are.
PANEL_RELATIONS = frozenset({"prices", "features", "targets", "folds", "settings", "oof",
                             "awaited", "relabelled"})  # fmt: skip
_CATALOG_FUNCTIONS = frozenset(
    name for name in _TABLE_FUNCTIONS if name.startswith(("duckdb_", "pragma_"))
)
_IDENTIFIER = re.compile(r"\w+")
# How a relation that SHOW or DESCRIBE gives is told of.
_SHOWN = "a description"
_EXPLAIN = re.compile(r"\s*explain(\s+analyze)?(\s*\([^)]*\))?\s+", re.IGNORECASE)


@dataclass(frozen=True)
class Reach:
    """What a query reads.

    ``panel`` are relations that are not published; it may read the catalog, and entries that count
    no more.
    """

    panel: tuple[str, ...]
    is_of_catalog: bool
    is_of_history: bool


def reach(text: str) -> Reach:
    """What a query reads; nothing, where it is none that :func:`check_query` lets pass."""
    check_text(text)
    with duckdb.connect() as duck:
        try:
            names = set(_names(_parsed(duck, _EXPLAIN.sub("", text, count=1))))
        except QueryError:
            return Reach((), is_of_catalog=False, is_of_history=False)
    relations = {name for kind, name in names if kind == "relation"}
    asked = {name for kind, name in names if kind == "table"} & _CATALOG_FUNCTIONS
    return Reach(
        tuple(sorted(relations & PANEL_RELATIONS)),
        is_of_catalog=bool(asked) or _SHOWN in relations,
        is_of_history=bool(relations & HISTORY_VIEWS),
    )


def check_text(text: str) -> None:
    """Refuse text that has what no database takes.

    Raises
    ------
    QueryError
        If it has any.
    """
    if found := UNWRITABLE.search(text):
        raise QueryError(
            f"the query has {found[0]!r} as its character {found.start()}, which no database takes"
        )


def check_query(duck: duckdb.DuckDBPyConnection, text: str) -> None:
    """See that a query reads and does nothing else.

    Raises
    ------
    QueryError
        If it is not one statement, or does more than read the store.
    """
    check_text(text)
    try:
        statements = duck.extract_statements(text)
    except duckdb.Error as error:
        raise QueryError(str(error).strip()) from None
    if len(statements) != 1:
        raise QueryError(f"a query is one statement, not {len(statements)}; sql only reads")
    (statement,) = statements
    select = statement.query
    if statement.type == duckdb.StatementType.EXPLAIN:
        select = _EXPLAIN.sub("", select, count=1)
    elif statement.type != duckdb.StatementType.SELECT:
        kind = str(statement.type).rpartition(".")[2].lower()
        raise QueryError(
            f"{kind} is not possible: sql only reads the store, by SELECT, FROM, DESCRIBE, SHOW, "
            f"SUMMARIZE or EXPLAIN"
        )
    for kind, name in _names(_parsed(duck, select)):
        if _is_out_of_reach(kind, name):
            raise QueryError(
                f"the function {name} is not possible here: files, settings and the network are "
                f"out of reach of a query; it can only read the store"
            )


def check_computation(duck: duckdb.DuckDBPyConnection, select: str) -> None:
    """See that a SELECT computes from tables and nothing else.

    It came out of a store, which may be somebody else's, and runs where files can be reached: so
    it may name no file, no view and no function that the store itself defines.

    Raises
    ------
    QueryError
        If it does.
    """
    ours = (
        "select lower(function_name) from duckdb_functions() where not internal "
        "union all select lower(view_name) from duckdb_views() where not internal and not temporary"
    )
    defined = {name for (name,) in duck.execute(ours).fetchall()}
    for kind, name in _names(_parsed(duck, select)):
        is_file = kind == "relation" and not _IDENTIFIER.fullmatch(name)
        if is_file or name in defined or _is_out_of_reach(kind, name):
            raise QueryError(f"it may read prices and other tables, but not {name}")


def _is_out_of_reach(kind: str, name: str) -> bool:
    return (kind == "table" and name not in _TABLE_FUNCTIONS) or (
        kind == "scalar" and name in _BARRED_FUNCTIONS
    )


def _parsed(duck: duckdb.DuckDBPyConnection, select: str) -> Any:
    """The syntax tree of a SELECT, as DuckDB's parser gives it."""
    # As a literal: DuckDB loads pandas to look at what is bound.
    ((text,),) = duck.execute(f"select json_serialize_sql({literal(select)})").fetchall()
    tree = json.loads(text)
    if tree["error"]:
        raise QueryError(f"sql only reads the store: {tree['error_message']}")
    return tree


def _names(node: Any) -> Iterator[tuple[str, str]]:
    """Every function that a syntax tree calls and every relation that it reads, by kind."""
    if isinstance(node, dict):
        if node.get("type") == "TABLE_FUNCTION":
            yield "table", str(node["function"].get("function_name")).lower()
        if node.get("class") == "FUNCTION":
            yield "scalar", str(node.get("function_name")).lower()
        if node.get("type") == "BASE_TABLE":
            yield "relation", str(node["table_name"]).lower()
        if node.get("type") == "SHOW_REF":
            yield "relation", _SHOWN
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from _names(inner)
