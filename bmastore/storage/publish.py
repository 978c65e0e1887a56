"""Publishes results: a copy of ledger and views that dashboards may open at any time.

A renewal is a copy of what was published before, to which what is new is added: it costs what has
changed, not all history. Where that copy is not what this bmastore would have made of this store,
is damaged, or does not come to the ledger's numbers of rows, it is made anew.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import duckdb

from bmastore.calendar import utc_now
from bmastore.digests import of_text
from bmastore.storage import archive
from bmastore.storage.comments import comments, describe
from bmastore.storage.compact import free_bytes
from bmastore.storage.identity import store_state
from bmastore.storage.packing import pack_if_scattered
from bmastore.storage.paths import results_path
from bmastore.storage.renewal import (
    LEDGER_TABLES,
    Here,
    There,
    copy_table,
    renew_table,
    renew_tables,
)
from bmastore.storage.session import Writer
from bmastore.storage.shown import send_panel
from bmastore.storage.statements import ask, literal, quoted, run
from bmastore.storage.versions import IN_FORMAT, SCHEMA_VERSION
from bmastore.storage.views import VIEWS, create_views

# Of the panel: one row per stock and its newest prices, but no features.
_STORE_TABLES = ("series", "prices")
# Readers are to change nothing, and need not be told so.
_READ_ONLY = 0o444


def publish(writer: Writer, *, is_last: bool = True, packs: bool = False) -> Path:
    """Renew the results file under a temporary name and rename it into place.

    A server with the ledger gets what its views show of the panel.

    Parameters
    ----------
    is_last:
        Whether the writer changes nothing more. What is published then says of which state of
        the store it is, and answers readers in its place.
    packs:
        Whether to put together what renewals have scattered over the file, if that is much; it
        may take a second.
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
        if not _renewed(writer, target, temporary, packs=packs):
            _discard(temporary)
            _write(writer, temporary, is_new=True, packs=packs)
        temporary.chmod(_READ_ONLY)
        temporary.replace(target)
    except BaseException:
        _discard(temporary)
        raise
    return target


def _discard(temporary: Path) -> None:
    for part in temporary.parent.glob(f"{temporary.name}*"):
        part.unlink(missing_ok=True)


def _renewed(writer: Writer, before: Path, path: Path, *, packs: bool) -> bool:
    """Whether a copy of what was published before could be brought up to date."""
    if not before.exists():
        return False
    try:
        shutil.copyfile(before, path)
        return _write(writer, path, is_new=False, packs=packs)
    except (OSError, duckdb.Error):  # it is damaged, or none of ours
        return False


def _write(writer: Writer, path: Path, *, is_new: bool, packs: bool) -> bool:
    """Bring a file up to date; ``False`` if it is not as this bmastore would have made it."""
    duck, layout = writer.duck, _layout()
    with _attached(duck, path) as home:
        # One transaction: each of some hundred statements would wait for the disk.
        duck.begin()
        if is_new:
            _make(duck, home)
        elif not _is_ours(duck, writer.store_id, layout):
            return False
        published = dict(run(duck, "publish/about").fetchall())
        stamp = str(run(duck, "server/panel_stamp").fetchall()[0][0])
        source = Here(duck, home) if writer.server is None else There(duck, home, writer.server)
        if published.get("panel_stamp") != stamp:
            # The largest table that is copied whole comes back into the room that it leaves.
            duck.execute("delete from published.prices")
            duck.commit()
            duck.execute("checkpoint published")
            duck.begin()
            copy_table(duck, "prices", f"{home}.main.v_prices")
        renew_tables(duck, source)
        renew_table(duck, "series", f"{home}.main.series")
        about = {
            "store_id": writer.store_id,
            "layout": layout,
            "panel_stamp": stamp,
            "published_at": utc_now().isoformat(" ", "seconds"),
            "free_bytes": str(free_bytes(duck)),
        }
        _say(duck, about | archive.marks_of(duck) | (store_state(writer.path) or {}))
        duck.commit()
        # Nobody reads it before it has its name: this one needs no guard.
        duck.execute("checkpoint published")
        if packs:
            pack_if_scattered(duck)
    return True


@contextmanager
def _attached(duck: duckdb.DuckDBPyConnection, path: Path) -> Iterator[str]:
    """A file as the database `published`; gives the name of the store's own."""
    home = quoted(duck.execute("select current_database()").fetchall()[0][0])
    duck.execute(f"attach {literal(str(path))} as published (type duckdb, {IN_FORMAT})")
    try:
        yield home
    finally:
        with suppress(duckdb.TransactionException):  # it was committed
            duck.rollback()
        duck.execute(f"use {home}")
        with suppress(duckdb.Error):  # a database that could not be written is detached already
            duck.execute("detach published")


@cache
def _layout() -> str:
    """What is another text whenever published tables, views or their comments are others."""
    made: list[str] = [SCHEMA_VERSION]
    create_views(made.append, VIEWS)
    return of_text("\n".join([*made, comments()]))


def _is_ours(duck: duckdb.DuckDBPyConnection, own_id: str, layout: str) -> bool:
    """Whether it has all tables, of this store and this layout."""
    there = {name for (name,) in run(duck, "publish/tables").fetchall()}
    if there != {*LEDGER_TABLES, *_STORE_TABLES, "alembic_version", "meta"}:
        return False
    about = dict(run(duck, "publish/about").fetchall())
    return about.get("store_id") == own_id and about.get("layout") == layout


def _make(duck: duckdb.DuckDBPyConnection, home: str) -> None:
    """Make tables without rows, views, and what describes them."""
    for table in (*LEDGER_TABLES, *_STORE_TABLES, "meta"):
        duck.execute(
            f"create table published.{quoted(table)} as from {home}.main.{quoted(table)} limit 0"
        )
    duck.execute(f"create table published.alembic_version as from {home}.main.alembic_version")
    duck.execute("use published")
    create_views(duck.execute, VIEWS)
    describe(duck.execute)
    duck.execute(f"use {home}")


def _say(duck: duckdb.DuckDBPyConnection, about: Mapping[str, str]) -> None:
    duck.execute("delete from published.meta")
    for name, value in about.items():
        ask(duck, "insert into published.meta values ($name, $value)", name=name, value=value)
