"""Publishes results: a copy of ledger and views that dashboards may open at any time."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from bmastore.calendar import utc_now
from bmastore.storage.identity import store_state
from bmastore.storage.paths import results_path
from bmastore.storage.session import Writer
from bmastore.storage.shown import send_panel
from bmastore.storage.statements import ask, bulk_insert, literal, quoted
from bmastore.storage.views import VIEWS, create_views

if TYPE_CHECKING:
    from bmastore.storage.postgres import Server

# The ledger, one row per stock of the panel and its newest prices, but no features.
LEDGER_TABLES = (
    "runs",
    "ledger",
    "weights",
    "metrics",
    "predictions",
    "outcomes",
    "feature_days",
    "decays",
    "stocks",
    "universes",
    "backtests",
    "backtest_cutoffs",
    "backtest_scores",
    "backtest_days",
    "backtest_weights",
)
_STORE_TABLES = ("series", "alembic_version", "meta")


def publish(writer: Writer, *, is_last: bool = True) -> Path:
    """Write the results file anew under a temporary name and rename it into place.

    A server with the ledger gets what its views show of the panel.

    Parameters
    ----------
    is_last:
        Whether the writer changes nothing more. What is published then says of which state of
        the store it is, and answers readers in its place.
    """
    if is_last:
        writer.checkpoint()
    if writer.server is not None:
        send_panel(writer.duck, writer.server)
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
    duck, state = writer.duck, store_state(writer.path) or {}
    duck.execute(f"attach {literal(str(path))} as published")
    try:
        home = duck.execute("select current_database()").fetchall()[0][0]
        for table in (*LEDGER_TABLES, *_STORE_TABLES):
            # With a ledger on a server, the store's own ledger tables are empty: a layout.
            duck.execute(
                f"create table published.{quoted(table)} as "
                f"from {quoted(home)}.main.{quoted(table)}"
            )
        duck.execute("create table published.prices as from v_prices")
        duck.execute("use published")
        try:
            if writer.server is not None:
                _copy_from_server(writer.server, duck)
            about = {**state, "published_at": utc_now().isoformat(" ", "seconds")}
            for name, value in about.items():
                ask(duck, "insert into meta values ($name, $value)", name=name, value=value)
            create_views(duck.execute, VIEWS)
        finally:
            duck.execute(f"use {quoted(home)}")
        # Nobody reads it before it has its name: this one needs no guard.
        duck.execute("checkpoint published")
    finally:
        with suppress(duckdb.Error):  # a database that could not be written is detached already
            duck.execute("detach published")


def _copy_from_server(server: "Server", duck: "duckdb.DuckDBPyConnection") -> None:
    for name in LEDGER_TABLES:
        columns = server.table(name)
        if columns:
            bulk_insert(duck, name, columns)
