"""A new store from what survives of a damaged one, and a report of what does not."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from bmastore.errors import ArtifactError, ConfigError, StoreError
from bmastore.ledger.derived import tell_all
from bmastore.names import in_shell
from bmastore.panel.forget import forget
from bmastore.panel.series import read_series, refresh_series
from bmastore.storage import archive, artifacts, postgres
from bmastore.storage.connect import alone
from bmastore.storage.create import fill
from bmastore.storage.identity import mark_of, new_store_id, write_store_id
from bmastore.storage.ledger_place import stored_place
from bmastore.storage.paths import models_path, remove_store, results_path
from bmastore.storage.publish import publish
from bmastore.storage.renewal import LEDGER_TABLES
from bmastore.storage.salvage import Salvaged, attached, database_of, save_table, tables_of
from bmastore.storage.session import Writer, not_found
from bmastore.storage.statements import ask, quoted, run
from bmastore.storage.versions import SCHEMA_VERSION
from bmastore.table import Table

# How many stocks a sentence names.
_NAMED = 10
_PANEL = ("settings", "prices", "features", "targets", "series", "folds")
# What settling has still to look at: a stock is whole without it.
_WAITING = ("awaited", "relabelled")


@dataclass(frozen=True)
class Recovered:
    """What a recovery saved.

    ``tables`` has a row per table: how many rows are kept, and how many could not be read.
    ``lost`` says in sentences what is lost, and what to do about it; empty if nothing is.
    """

    tables: Table
    lost: tuple[str, ...]


def recover(damaged: Path, new: Path, ledger_url: str | None = None) -> Recovered:
    """Make a new store of what can be read of a damaged one, its results and its models.

    The damaged store stays as it is. Stocks of which a row is lost are left out, to be ingested
    again; those whose model is lost will be trained again; entries that the store has lost are
    taken from its published results. A ledger on a server stays there if it is named; else the
    new store holds what was published of it.

    Raises
    ------
    StoreNotFoundError, StoreLockedError
    ConfigError
        If there is something at the new place already.
    StoreError
        If nothing can be read, or it has another schema.
    """
    if not damaged.exists() and not results_path(damaged).exists():
        raise not_found(damaged)
    for path in (new, models_path(new), results_path(new)):
        if path.exists():
            raise ConfigError(f"{path} is there already; name a place where nothing is")
    place = postgres.place(ledger_url) if ledger_url else None
    try:
        with tempfile.TemporaryDirectory() as scratch, alone(new) as duck:
            fill(duck, None)
            found = _save(Writer(new, duck), damaged, Path(scratch), place)
    except BaseException:
        remove_store(new)
        shutil.rmtree(models_path(new), ignore_errors=True)
        results_path(new).unlink(missing_ok=True)
        raise
    return found


def _save(writer: Writer, damaged: Path, scratch: Path, place: str | None) -> Recovered:
    duck, lost = writer.duck, []
    saved = dict.fromkeys((*_PANEL, *_WAITING, *LEDGER_TABLES), Salvaged(0, 0))
    duck.execute("delete from meta")
    with _opened(duck, damaged, "damaged", scratch) as (has_store, missing):
        if has_store:
            _check_schema(duck, damaged)
            saved |= _save_tables(duck, "damaged", tuple(saved))
        if missing:
            lost.append(f"of {damaged}, {missing}")
    with _opened(duck, results_path(damaged), "results", scratch) as (has_results, _):
        if not has_store and not has_results:
            raise StoreError(f"neither {damaged} nor its published results can be read at all")
        if has_results and place is None:
            _add_published(duck, saved)
    ((own_id,),) = duck.execute("select max(value) from meta where name = 'store_id'").fetchall()
    marks, kept = archive.marks_of(duck), archive.files_of(duck)
    duck.execute("delete from meta")
    write_store_id(duck, own_id or mark_of(damaged) or new_store_id())
    gone = archive.copy_files(kept, damaged, writer.path)
    archive.mark(duck, {name: value for name, value in marks.items() if name[-64:] not in gone})
    lost += [f"archived entries, in a file of the archive: {sha256}.parquet" for sha256 in gone]
    is_known = has_store and not saved["settings"].lost
    lost += _settle_ledger(duck, damaged, place, is_known=is_known)
    lost += _settle_panel(writer, saved)
    tell_all(writer)
    lost += _save_models(writer, damaged, place)
    tell_all(writer)
    run(duck, "recover/drop_ensembles")
    publish(writer)
    return Recovered(_as_table(saved), tuple(lost))


@contextmanager
def _opened(
    duck: duckdb.DuckDBPyConnection, path: Path, name: str, scratch: Path
) -> Iterator[tuple[bool, str | None]]:
    """Whether a database can be read, attached by this name, and what of it can not."""
    with ExitStack() as stack:
        try:
            missing = stack.enter_context(attached(duck, path, name, scratch))
        except duckdb.Error as error:
            is_there = path.exists()
            yield False, f"everything: {str(error).splitlines()[0]}" if is_there else "everything"
            return
        yield True, missing


def _check_schema(duck: duckdb.DuckDBPyConnection, damaged: Path) -> None:
    try:
        ((found,),) = duck.execute("select version_num from damaged.alembic_version").fetchall()
    except duckdb.Error:  # damaged, or none of ours: its tables will tell
        return
    if found != SCHEMA_VERSION:
        raise StoreError(
            f"{damaged} has schema {found}, and this bmastore recovers {SCHEMA_VERSION}; recover "
            f"it with the bmastore that made it, then migrate"
        )


def _save_tables(
    duck: duckdb.DuckDBPyConnection, database: str, names: tuple[str, ...]
) -> dict[str, Salvaged]:
    """Copy what can be read of some tables, and the store's id."""
    there, known = tables_of(duck, database), tables_of(duck, database_of(duck))
    saved = {}
    for name in (*names, "meta"):
        columns = there.get(name, ())
        for feature in columns if name == "features" else ():
            duck.execute(f"alter table features add column if not exists {quoted(feature)} float")
        shared = columns if name == "features" else [c for c in columns if c in known[name]]
        if shared:
            saved[name] = save_table(duck, database, name, tuple(shared))
    saved.pop("meta", None)
    return saved


def _add_published(duck: duckdb.DuckDBPyConnection, saved: dict[str, Salvaged]) -> None:
    """Add the published rows of the ledger that the store has lost, or that lay on a server."""
    there = tables_of(duck, "results")
    for name in (*LEDGER_TABLES, "meta"):
        before = saved.get(name, Salvaged(0, 1))
        if name not in there or (before.kept and not before.lost):
            continue
        try:
            duck.execute(f"insert into {name} by name (from results.{name} except from {name})")
        except duckdb.Error:  # they are damaged too: what the store has kept is all there is
            continue
        if name != "meta":
            ((now,),) = duck.execute(f"select count(*) from {name}").fetchall()  # noqa: S608
            saved[name] = replace(before, kept=now, lost=max(0, before.kept + before.lost - now))


def _settle_ledger(
    duck: duckdb.DuckDBPyConnection, damaged: Path, place: str | None, *, is_known: bool
) -> list[str]:
    """Have the ledger be looked for where it is from now on.

    Raises
    ------
    StoreError
        If it is known to lie elsewhere than in the place that was named.
    """
    before = stored_place(duck)
    if before == place:
        return []
    if place is not None and (before is not None or is_known):
        raise StoreError(f"the ledger of {damaged} lies in {before or 'it'}, not in {place}")
    if place is not None:
        ask(duck, "insert into settings values ('ledger', $place)", place=place)
        return []
    duck.execute("delete from settings where name in ('ledger', 'ledger_is_begun')")
    return [
        f"the ledger lay in {before}; the new store holds what was published of it, and goes on "
        f"by itself. To keep it there, recover with --ledger"
    ]


def _settle_panel(writer: Writer, saved: dict[str, Salvaged]) -> list[str]:
    """Leave out stocks that are not whole: trained on what is left, they would be others."""
    duck = writer.duck
    if not any(saved[name].lost for name in _PANEL):
        return []
    lost = {ticker for name in _PANEL for ticker in saved[name].tickers}
    if saved["prices"].lost:
        lost |= {ticker for (ticker,) in run(duck, "recover/prices_lost").fetchall()}
    said = []
    known = [ticker for (ticker,) in run(duck, "recover/known_tickers").fetchall()]
    for (target,) in run(duck, "recover/targets_named").fetchall():
        before = {one.ticker: one.digest for one in read_series(duck, target)}
        if saved["series"].lost:
            before = {}
        refresh_series(duck, known, target)
        now = {one.ticker: one.digest for one in read_series(duck, target)}
        lost |= {ticker for ticker, digest in before.items() if now.get(ticker) != digest}
    if saved["series"].lost:
        said.append("the digests of the panel: whether stocks are whole cannot be told for all")
    lost &= set(known)
    if lost:
        forget(writer, tuple(sorted(lost)))
        said.append(
            f"rows of {len(lost):,} stocks, which are left out: ingest {_named(sorted(lost))} again"
        )
    if saved["settings"].lost:
        said.append("what ingest remembers: give --features-sql, --horizon and others again")
    return said


def _save_models(writer: Writer, damaged: Path, place: str | None) -> list[str]:
    """Copy the models that are whole; a stock whose model is lost will be trained again."""
    writer.make_models()
    source, target = models_path(damaged), models_path(writer.path)
    files = []
    for path in sorted(source.glob("??/*.bma")):
        try:
            artifacts.write(target, artifacts.read(source, path.stem), path.stem)
        except ArtifactError:
            continue
        files.append(path.stem)
    lost = run(writer.duck, "recover/models_lost", files=files).fetchall()
    if not lost:
        return []
    tickers = sorted({row[0] for row in lost})
    if place is not None:
        some = in_shell(tickers[:_NAMED])
        more = f" (and {len(tickers) - _NAMED:,} more)" if len(tickers) > _NAMED else ""
        return [f"models of {len(lost):,} stocks: bmastore train --all --tickers {some}{more}"]
    columns = ("ticker", "target", "data_digest", "config_hash", "code_version")
    keys = dict(zip(columns, zip(*lost, strict=True), strict=True))
    run(writer.duck, "recover/drop_entries", **{name: list(keys[name]) for name in columns})
    return [f"models of {len(lost):,} stocks, which are pending now: {_named(tickers)}"]


def _named(tickers: list[str]) -> str:
    more = f" and {len(tickers) - _NAMED:,} more" if len(tickers) > _NAMED else ""
    return ", ".join(tickers[:_NAMED]) + more


def _as_table(saved: dict[str, Salvaged]) -> Table:
    rows = [(name, one.kept, one.lost) for name, one in saved.items()]
    return Table(("relation", "kept", "lost"), ("VARCHAR", "BIGINT", "BIGINT"), list(rows))
