"""Breaks a store's writes and looks whether anything that was committed is lost."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from bmastore import Store
from bmastore.datasets import HORIZON, TARGET, planted_panel

SOURCE = Path(__file__).with_name("cut.c")
OLD_STORE = Path(__file__).parents[1] / "stores" / "schema_0002.duckdb"
TABLES = ("series", "features", "targets", "prices", "ledger", "standings", "predictions",
          "universes", "backtests", "backtest_scores", "awaited", "outcomes")  # fmt: skip
# Tables whose rows, once committed, are never changed.
APPEND_ONLY = ("ledger", "universes", "backtests", "outcomes")


@dataclass
class Losses:
    """What was tried, and what was lost."""

    tried: int = 0
    cut: int = 0
    lost: list[str] = field(default_factory=list)


def library(folder):
    """The preloaded library that cuts writes."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    made = folder / "cut.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", made, SOURCE], check=True)
    return made


def command(*args, store, **environment):
    """A bmastore command on a store, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "bmastore", *map(str, args), "--store", str(store)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environment},
        start_new_session=True,
    )


def aged_store(folder):
    """A store that has lived through many checkpoints, and panels that revise it."""
    folder.mkdir(parents=True)
    store = Store(folder / "bma.duckdb")
    panel = planted_panel(n_stocks=8, n_days=400)
    days = panel["date"].unique()
    for day in days[-8:]:
        store.ingest(panel[panel["date"] <= day], target=TARGET, horizon=HORIZON)
    wait(command("train", "--preset", "ultrafast", store=store.path))
    for i in range(4):
        revised = panel.groupby("ticker").tail(5).assign(momentum=float(i))
        store.ingest(revised, target=TARGET, horizon=HORIZON)
        wait(command("train", "--preset", "ultrafast", store=store.path))
    path = folder.parent / "revision.parquet"
    revision = panel.groupby("ticker").tail(5).assign(momentum=9.0)  # noqa: F841  read by DuckDB
    duckdb.sql(f"copy (from revision) to '{path}' (format parquet)")
    return store.path, path


def wait(child):
    assert child.wait() == 0


def commands(revision):
    """The commands whose writes are cut, by name."""
    return {
        "ingest": ("ingest", revision, "--target", TARGET, "--horizon", HORIZON),
        "train": ("train", "--preset", "ultrafast", "--all"),
        "backtest": ("backtest", "--preset", "ultrafast", "--cutoffs", 2, "--every", 20),
        "migrate": ("migrate",),
    }


def content(path):
    """Number and hash of the rows of each table, all of which are read."""
    with duckdb.connect(str(path), read_only=True) as duck:
        there = {
            name for (name,) in duck.execute("select table_name from duckdb_tables()").fetchall()
        }
        return {
            table: duck.execute(
                f"select count(*), coalesce(sum(hash(t)::hugeint), 0) from {table} t"
            ).fetchall()[0]
            for table in TABLES
            if table in there
        }


def entries(path):
    """Keys of everything that is committed for ever."""
    with duckdb.connect(str(path), read_only=True) as duck:
        return set(duck.execute("select entry_id from ledger").fetchall()) | set(
            duck.execute("select run_id from runs").fetchall()
        )


def look(path, before):
    """What is wrong with a store after an attack; ``None`` if nothing."""
    try:
        Store(path).status()
    except Exception as error:  # noqa: BLE001  whatever it is, the store does not open
        if "bmastore migrate" not in str(error):
            return f"does not open: {error}"
    try:
        content(path)
        missing = before - entries(path)
    except duckdb.Error as error:
        return f"cannot be read: {error}"
    if missing:
        return f"{len(missing)} entries are lost"
    with duckdb.connect(str(path), read_only=True) as duck:
        doubled = duck.execute("select count(*) - count(distinct entry_id) from ledger").fetchall()[
            0
        ][0]
    return f"{doubled} entries are doubled" if doubled else None


def cut_every_write(folder, say, only=None, at_most=None):
    """Cut each whole-block write of each command in turn."""
    losses = Losses()
    preload = library(folder)
    path, revision = aged_store(folder / "aged")
    for name, args in commands(revision).items():
        if only and name not in only:
            continue
        source = path
        if name == "migrate":
            source = folder / "old" / "bma.duckdb"
            source.parent.mkdir()
            shutil.copy(OLD_STORE, source)
        before = entries(source)
        log = folder / f"{name}.log"
        whole = _attacked(folder, source, args, preload, log=log)
        assert look(whole, before) is None, f"{name} itself does harm"
        writes = len(log.read_text().splitlines()) if log.exists() else 0
        say(f"{name}: {writes} whole-block writes")
        for number in range(1, min(writes, at_most or writes) + 1):
            attacked = _attacked(folder, source, args, preload, at=number)
            losses.tried += 1
            wrong = look(attacked, before)
            if wrong:
                losses.lost.append(f"{name}, write {number}: {wrong}")
                say(losses.lost[-1])
    return losses


def _attacked(folder, source, args, preload, *, at=None, log=None):
    """A copy of a store on which a command has run, one of its writes cut."""
    home = folder / "attacked"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(source.parent, home)
    path = home / source.name
    environment = {"LD_PRELOAD": str(preload), "CUT_FILE": str(path.resolve())}
    if at is not None:
        environment["CUT_AT"] = str(at)
    if log is not None:
        environment["CUT_LOG"] = str(log)
    child = command(*args, store=path, **environment)
    code = child.wait()
    assert code == (0 if at is None else -signal.SIGKILL), (args, code)
    return path


def kill_at_random(folder, kills, say, seed=0):
    """SIGKILL commands at random moments, one after another on one store.

    A migration is that of a fresh copy of an old store.
    """
    losses, chance = Losses(), random.Random(seed)
    path, revision = aged_store(folder / "random")
    usual = commands(revision)
    latest = dict.fromkeys(usual, 3.0)
    while losses.cut < kills:
        name = chance.choice(list(usual))
        args, attacked = usual[name], path
        if name == "migrate":
            attacked = folder / "migrated" / "bma.duckdb"
            shutil.rmtree(attacked.parent, ignore_errors=True)
            attacked.parent.mkdir()
            shutil.copy(OLD_STORE, attacked)
        before = entries(attacked)
        child = command(*args, store=attacked)
        time.sleep(chance.uniform(0.2, latest[name]))
        losses.tried += 1
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            losses.cut += 1
        else:
            latest[name] = max(0.5, latest[name] * 0.95)
        child.wait()
        wrong = look(attacked, before)
        if wrong:
            losses.lost.append(f"kill {losses.cut}, {name}: {wrong}")
            say(losses.lost[-1])
            path, revision = aged_store(folder / f"random{losses.cut}")
        if losses.cut % 50 == 0:
            say(f"{losses.cut} kills, {len(losses.lost)} stores lost")
    return losses
