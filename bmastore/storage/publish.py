"""Publishes results: a copy of ledger and views that dashboards may open at any time."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from bmastore.storage.paths import results_path
from bmastore.storage.session import Writer
from bmastore.storage.statements import bulk_insert, literal, quoted
from bmastore.storage.views import VIEWS, create_views

if TYPE_CHECKING:
    from sqlalchemy import Connection

# The ledger, and one row per stock of the panel, but no features.
_LEDGER_TABLES = (
    "runs",
    "ledger",
    "weights",
    "metrics",
    "predictions",
    "universes",
    "backtests",
    "backtest_cutoffs",
    "backtest_scores",
    "backtest_days",
    "backtest_weights",
)
_STORE_TABLES = ("series", "alembic_version")


def publish(writer: Writer) -> Path:
    """Write the results file anew under a temporary name and rename it into place."""
    target = results_path(writer.path)
    # Its log too, where it was killed.
    for left_over in target.parent.glob(f".{target.name}.*.tmp*"):
        left_over.unlink(missing_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        _write(writer, temporary)
        temporary.replace(target)
    except BaseException:
        for part in target.parent.glob(f"{temporary.name}*"):
            part.unlink(missing_ok=True)
        raise
    return target


def _write(writer: Writer, path: Path) -> None:
    """Write a copy of ledger and views to a new file."""
    duck = writer.duck
    duck.execute(f"attach {literal(str(path))} as published")
    try:
        home = duck.execute("select current_database()").fetchall()[0][0]
        for table in (*_LEDGER_TABLES, *_STORE_TABLES):
            # With a ledger on a server, the store's own ledger tables are empty: a layout.
            duck.execute(
                f"create table published.{quoted(table)} as "
                f"from {quoted(home)}.main.{quoted(table)}"
            )
        duck.execute("use published")
        try:
            if writer.server is not None:
                _copy_from_server(writer.server, duck)
            create_views(duck.execute, VIEWS)
        finally:
            duck.execute(f"use {quoted(home)}")
        # Nobody reads it before it has its name: this one needs no guard.
        duck.execute("checkpoint published")
    finally:
        with suppress(duckdb.Error):  # a database that could not be written is detached already
            duck.execute("detach published")


def _copy_from_server(server: "Connection", duck: "duckdb.DuckDBPyConnection") -> None:
    from sqlalchemy import select

    from bmastore.storage.schema import ledger_metadata

    for name in _LEDGER_TABLES:
        table = ledger_metadata.tables[name]
        with server.begin():
            rows = server.execute(select(table)).all()
        if rows:
            columns = dict(zip(table.columns.keys(), zip(*rows, strict=True), strict=True))
            bulk_insert(duck, name, columns)
