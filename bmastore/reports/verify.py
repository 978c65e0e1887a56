"""Looks whether a store is whole: every block, every rule, every model."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from shlex import quote

import duckdb

from bmastore.errors import (
    ArtifactError,
    BmastoreError,
    StoreDamagedError,
    StoreLockedError,
    UntrustedError,
)
from bmastore.ledger.derived import standings_told
from bmastore.models.ensemble import load
from bmastore.names import in_shell
from bmastore.panel.read import iterate_rows
from bmastore.panel.series import describe, feature_columns, read_series, target_horizons
from bmastore.storage import artifacts, postgres
from bmastore.storage.archive import history
from bmastore.storage.columns import bulk_insert
from bmastore.storage.connect import read_published
from bmastore.storage.create import in_memory
from bmastore.storage.identity import mark_of, published_state, store_id, store_state
from bmastore.storage.ledger_place import check_place, stored_place
from bmastore.storage.paths import archive_path, models_path, results_path
from bmastore.storage.renewal import LEDGER_TABLES
from bmastore.storage.salvage import database_of, fingerprint, tables_of
from bmastore.storage.session import Reader, open_reader
from bmastore.storage.statements import Part, run
from bmastore.storage.views import LEDGER
from bmastore.table import Table

# Commands that mend what is found.
_RECOVER, _PUBLISH = "bmastore recover NEW", "bmastore train"
_PANEL = {"prices", "features", "targets", "series", "folds", "settings", "awaited", "relabelled"}
_COLUMNS = ("what", "problem", "mended_by")


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, where, and the command that mends it."""

    what: str
    problem: str
    mended_by: str


@dataclass(frozen=True)
class Verified:
    """What a look at a store found: ``findings``, none if it is whole, and what was looked at."""

    findings: tuple[Finding, ...]
    tables: int
    rows: int
    models: int

    @property
    def table(self) -> Table:
        """The findings as a table."""
        rows = [(one.what, one.problem, one.mended_by) for one in self.findings]
        return Table(_COLUMNS, ("VARCHAR",) * len(_COLUMNS), list(rows))


def verify(path: Path, ledger_url: str | None = None) -> Verified:
    """Read every block of a store and of what lies beside it, and check what they promise.

    Raises
    ------
    StoreNotFoundError, StoreLockedError, SchemaTooOldError, SchemaTooNewError
    StoreError
        If the ledger lies elsewhere than at ``ledger_url``.
    """
    try:
        with open_reader(path, needs_panel=True) as reader:
            return _verify(reader, ledger_url)
    except StoreDamagedError as error:
        found = Finding(path.name, _first_line(error), _RECOVER)
        return Verified((found, *_check_results(path, None, None)), 0, 0, 0)


def _verify(reader: Reader, ledger_url: str | None) -> Verified:
    duck = reader.duck
    if ledger_url is not None:
        check_place(duck, reader.path, ledger_url)
    findings: list[Finding] = []
    rows, damaged = 0, set()
    tables = tables_of(duck, database_of(duck))
    for name in tables:
        try:
            rows += fingerprint(duck, name)[0]
        except duckdb.Error as error:
            damaged.add(name)
            findings.append(Finding(name, _first_line(error), _RECOVER))
    # What cannot be read breaks no rule: it is said once.
    if not damaged & _PANEL:
        findings += _broken_rules(duck, "panel")
        findings += _check_digests(duck)
    models = 0
    if not damaged - _PANEL:
        with ExitStack() as stack:
            ledger: duckdb.DuckDBPyConnection | None = duck
            if stored_place(duck) is not None:
                ledger, found = _from_server(stack, duck, ledger_url)
                findings += found
            if ledger is not None:
                entries, found = _history(reader) if ledger is duck else (LEDGER, [])
                findings += found
                findings += _broken_rules(ledger, "ledger", told=standings_told(), history=entries)
                findings += _check_results(reader.path, store_id(duck), ledger)
        models, found = _check_models(reader)
        findings += found
    return Verified(tuple(findings), len(tables), rows, models)


def _history(reader: Reader) -> tuple[Part, list[Finding]]:
    """The relation of all entries, and what is wrong with the archive.

    Of an archive that cannot be read, all that forecasts name are taken to be in it.
    """
    try:
        return history(reader.duck, reader.path), []
    except StoreDamagedError as error:
        name = archive_path(reader.path).name
        found = Finding(name, _first_line(error), "put it back from a backup")
        return Part("predictions"), [found]


def _broken_rules(duck: duckdb.DuckDBPyConnection, of: str, **parts: Part) -> Iterator[Finding]:
    for relation, problem, n, example in run(duck, f"verify/{of}", **parts).fetchall():
        yield Finding(relation, f"{n:,} {problem}, such as of {example}", _RECOVER)


def _check_digests(duck: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """Digests are those of the rows that are there: else a change would not be seen."""
    features = feature_columns(duck)
    for target, horizon in target_horizons(duck).items():
        stored = {one.ticker: one for one in read_series(duck, target)}
        for stock in iterate_rows(duck, tuple(stored), target, features):
            if describe(stock, features, horizon) != stored[stock.ticker]:
                problem = f"{stock.ticker} has other rows than its digest for {target} says"
                remedy = f"bmastore forget {quote(stock.ticker)}, then ingest it again"
                yield Finding("series", problem, remedy)


def _from_server(
    stack: ExitStack, duck: duckdb.DuckDBPyConnection, url: str | None
) -> tuple[duckdb.DuckDBPyConnection | None, list[Finding]]:
    """A copy of the ledger on a server, or why there is none."""
    place = stored_place(duck) or ""
    if url is None:
        return None, [Finding(place, "it was not looked at", "bmastore verify --ledger URL")]
    copied = stack.enter_context(in_memory())
    try:
        with postgres.open_server(url) as server:
            if server.version() is None or server.marks().get("store_id") != store_id(duck):
                return None, [Finding(place, "it holds no ledger of this store", _RECOVER)]
            for table in LEDGER_TABLES:
                columns = server.table(table)
                if columns:
                    bulk_insert(copied, table, columns)
    except StoreLockedError:
        raise
    except BmastoreError as error:
        return None, [Finding(place, str(error), "see to the server")]
    return copied, []


def _check_results(
    path: Path, own_id: str | None, ledger: duckdb.DuckDBPyConnection | None
) -> Iterator[Finding]:
    """Published results are whole, this store's, and those of the ledger where they say so."""
    results = results_path(path)
    if not results.exists():
        yield Finding(results.name, "nothing is published", _PUBLISH)
        return
    try:
        with read_published(results) as published:
            prints = {name: fingerprint(published, name) for name in LEDGER_TABLES}
            if own_id is not None and store_id(published) not in (None, own_id):
                yield Finding(results.name, "it belongs to another store", "delete it")
            elif ledger is not None and _is_told(published, ledger, path):
                for name, found in prints.items():
                    if found != fingerprint(ledger, name):
                        problem = f"{name} has other rows than the ledger"
                        yield Finding(results.name, problem, f"delete it, then {_PUBLISH}")
    except (duckdb.Error, BmastoreError) as error:
        # A renewal adds to them, and may not come by what is damaged.
        yield Finding(results.name, _first_line(error), f"move it away, then {_PUBLISH}")


def _is_told(
    published: duckdb.DuckDBPyConnection, ledger: duckdb.DuckDBPyConnection, path: Path
) -> bool:
    """Whether published results say that they are those of the ledger as it is.

    A pass that runs, or was killed, has a ledger on a server ahead of them, and leaves the store's
    file as it was.
    """
    runs = ledger.execute("select 1 from runs where status = 'running'").fetchall()
    return not runs and published_state(published) == store_state(path)


def _check_models(reader: Reader) -> tuple[int, list[Finding]]:
    """Ensembles in use are there, are what was stored, and can be loaded."""
    folder = models_path(reader.path)
    mark = mark_of(reader.path)
    if folder.exists() and mark not in (None, store_id(reader.duck)):
        return 0, [Finding(folder.name, "it belongs to another store", "put the right one there")]
    stocks = run(reader.duck, "verify/models").fetchall()
    read_universe = cache(partial(artifacts.read, folder))
    look = partial(_try_load, folder, read_universe)
    # LightGBM and XGBoost let go of the interpreter while they parse a model.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = list(pool.map(look, [sha256 for _, sha256 in stocks]))
    return len(stocks), [
        Finding(
            f"model of {ticker}", problem, f"bmastore train --all --tickers {in_shell([ticker])}"
        )
        for (ticker, _), problem in zip(stocks, problems, strict=True)
        if problem is not None
    ]


def _try_load(
    folder: Path, read_universe: Callable[[str], bytes], sha256: str | None
) -> str | None:
    """What is wrong with an artifact; ``None`` if nothing is."""
    if sha256 is None:
        return "it is lost"
    try:
        load(artifacts.read(folder, sha256), read_universe)
    except UntrustedError:  # it is what was stored; only its owner can say more
        return None
    except ArtifactError as error:
        # Short enough for a line of a screen; the hash is in the ledger.
        return _first_line(error).replace(f"{folder}/", "").replace(sha256, f"{sha256[:8]}…")
    return None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].partition("; ")[0]
