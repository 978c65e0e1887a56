"""Puts together what renewals have scattered over the file of published results.

DuckDB writes rows that are added to new blocks, and the last rows of a table, if there are not
enough of them for a row group of their own, anew beside the old ones: after some nights a third of
a small file is free, and a fifth of the rest lost between the pieces. Nobody reads the file yet, so
those rows may leave it for a moment: they come back into the room that they have left.
"""

import duckdb

from bmastore.storage.statements import Part, quoted, run

# Rows of a row group of DuckDB's that is full.
_FULL = 122_880
# The share of free blocks from which packing is worth it: a renewal leaves some ten of them free,
# which is nothing in a large file.
_SCATTERED = 1 / 16


def pack_if_scattered(duck: duckdb.DuckDBPyConnection) -> None:
    """Write the ends of all tables of the database `published` anew, if much of it is free.

    Nobody else may use its file: for a moment, it lacks rows.
    """
    ((free,),) = run(duck, "publish/free_share").fetchall()
    if free < _SCATTERED:
        return
    tables = [table for (table,) in run(duck, "publish/tables").fetchall()]
    duck.begin()
    for table in tables:
        _take_out(duck, table)
    duck.commit()
    duck.execute("checkpoint published")
    duck.begin()
    for table in tables:
        _put_back(duck, table)
    duck.commit()
    duck.execute("checkpoint published")


def _take_out(duck: duckdb.DuckDBPyConnection, table: str) -> None:
    """Move what does not lie in full row groups to a temporary table."""
    name = f"published.main.{quoted(table)}"
    ((first,),) = run(duck, "publish/in_full_groups", table=name, full=_FULL).fetchall()
    names = {"published": Part(name), "taken": Part(_taken(table))}
    run(duck, "publish/take_out", first=first, **names)


def _put_back(duck: duckdb.DuckDBPyConnection, table: str) -> None:
    name, taken = Part(f"published.main.{quoted(table)}"), Part(_taken(table))
    run(duck, "publish/put_back", published=name, taken=taken)


def _taken(table: str) -> str:
    return f"temp.main.{quoted(f'taken_{table}')}"
