"""What tables, views and columns mean, as `COMMENT ON` tells it to whoever looks at a database.

The texts lie in ``sql/comments.toml``; a view is described by the first sentence of its own file.
"""

import re
import tomllib
from collections.abc import Callable
from typing import Any

from bmastore.storage.resources import resource_dir, sql
from bmastore.storage.statements import literal, quoted
from bmastore.storage.views import VIEWS


def comments() -> str:
    """Text of ``sql/comments.toml``."""
    return (resource_dir("sql") / "comments.toml").read_text(encoding="utf-8")


def describe(execute: Callable[[str], Any]) -> None:
    """Comment on all tables, views and columns of the current schema that are bmastore's.

    Parameters
    ----------
    execute:
        Runs statements on DuckDB or PostgreSQL; ``fetchall`` of what it returns gives rows.
    """
    texts = tomllib.loads(comments())
    there = execute(sql("publish/columns")).fetchall()
    ours = [
        (relation, column) for relation, column in there if relation in (*texts["tables"], *VIEWS)
    ]
    said = [
        f"comment on table {quoted(name)} is {literal(text)}"
        for name, text in texts["tables"].items()
        if any(relation == name for relation, _ in ours)
    ]
    said += [f"comment on view {quoted(name)} is {literal(about_view(name))}" for name in VIEWS]
    for relation, column in ours:
        of_relation = texts["columns_of"].get(relation, {})
        text = of_relation.get(column) or texts["columns"][column]
        said.append(f"comment on column {quoted(relation)}.{quoted(column)} is {literal(text)}")
    execute(";\n".join(said))


def about_view(name: str) -> str:
    """The first sentence about a view, in its own file."""
    lines = []
    for line in sql(f"views/{name}").splitlines():
        if not line.startswith("-- "):
            break
        lines.append(line.removeprefix("-- "))
    return re.split(r"(?<=\.)\s", " ".join(lines))[0]
