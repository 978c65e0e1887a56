"""The benchmark of sizes: 100,000 stocks on one machine, what a pass over them takes and holds.

    python -m tests.bench.large [--stocks 100000] [--trained 2000] [--prices FILE] [--store FILE]

The stocks are the real ones again and again, under other tickers and at other prices. Some are
trained, and then some more, which use what all share again: those tell what a stock costs. What the
ledger says of one of them is then said of all, so that a pass finds nothing pending. CPU seconds
are the command's own, without those of its workers; memory is that of all.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb
import psutil

from tests.bench.__main__ import REAL_DATA

_ROWS = 450
_PRICES = ("open", "high", "low", "close", "adj_close")
_POLL_S = 0.05


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prices", type=Path, default=REAL_DATA / "us_ohlcv_3800.parquet")
    parser.add_argument("--stocks", type=int, default=100_000)
    parser.add_argument("--trained", type=int, default=2000)
    parser.add_argument("--store", type=Path, help="keep the store here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = options.store or Path(folder) / "large.duckdb"
        run(Path(folder), store, options.prices, options.stocks, options.trained)


def run(folder, store, prices, n_stocks, n_trained):
    print(f"{'what':<34} {'wall s':>9} {'CPU s':>9} {'peak MB':>9}")
    if not store.exists():
        many = make_prices(folder, prices, n_stocks)
        measure("ingest", store, "ingest", many)
        many.unlink()
    measure("a pass, dry", store, "train", "--dry-run", "--limit", n_trained)
    measure(f"a pass of {n_trained:,}", store, "train", "--limit", n_trained)
    more = min(n_trained, n_stocks - n_trained)
    wall_s = measure(f"a pass of {more:,} more", store, "train", "--limit", more)
    print(f"... that is {1000 * wall_s / more:.1f} ms per stock")
    repeat_ledger(store)
    measure("nothing pending", store, "train")
    measure("status", store, "status")
    ticker = first_of(store)
    measure("explain", store, "explain", ticker)
    measure("predict --tickers", store, "predict", "--tickers", ticker)
    for view in ("v_status", "v_newest_forecasts", "v_weights"):
        measure(f"sql, {view}", store, "sql", f"select count(*) from {view}")
    print(f"the store has {store.stat().st_size / 2**20:,.0f} MB")


def first_of(store):
    """A stock that is trained."""
    with duckdb.connect(str(store), read_only=True) as duck:
        return duck.execute("select min(ticker) from v_latest").fetchall()[0][0]


def make_prices(folder, prices, n_stocks):
    """A file of so many stocks, the newest rows of the real ones that have enough of them."""
    path = folder / "many.parquet"
    duckdb.execute("set memory_limit = '2GB'")
    duckdb.execute("set preserve_insertion_order = false")
    duckdb.execute(
        f"create table one as select *, 0 as k from '{prices}' "
        f"qualify count(*) over (partition by ticker) >= {_ROWS} "
        f"and row_number() over (partition by ticker order by date desc) <= {_ROWS}"
    )
    duckdb.execute("update one set k = ranked.k from (select ticker, row_number() over "
                   "(order by ticker) - 1 as k from one group by ticker) as ranked "
                   "where ranked.ticker = one.ticker")  # fmt: skip
    ((named,),) = duckdb.execute("select count(distinct ticker) from one").fetchall()
    moved = ", ".join(f"{name} * (1 + 0.001 * n) as {name}" for name in _PRICES)
    duckdb.execute(
        f"copy (select * exclude (k, n) replace (ticker || '_' || n as ticker, {moved}) "
        f"from one, range({-(-n_stocks // named)}) as copies(n) "
        f"where n * {named} + k < {n_stocks}) to '{path}'"
    )
    duckdb.execute("drop table one")
    return path


def measure(what, store, *args):
    """Run a command; print and return its seconds, print its CPU seconds and peak memory.

    Where the input is refused, what is said; then ``None``.
    """
    command = [str(Path(sys.executable).with_name("bmastore")), *map(str, args)]
    before, started = os.times(), time.perf_counter()
    running = subprocess.Popen(
        [*command, "--store", str(store)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    peak = Peak(running.pid)
    peak.start()
    _, said = running.communicate()
    wall, after = time.perf_counter() - started, os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    if running.returncode not in (0, 1):
        print(f"{what:<34} {said.decode().strip()}", flush=True)
        return None
    print(f"{what:<34} {wall:>9.1f} {cpu:>9.1f} {peak.most / 2**20:>9,.0f}", flush=True)
    return wall


class Peak(threading.Thread):
    """The most memory that a process and those below it held at once, looked at while it runs."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.process, self.most = psutil.Process(pid), 0

    def run(self):
        while self.process.is_running():
            try:
                all_of_them = [self.process, *self.process.children(recursive=True)]
                held = sum(one.memory_info().rss for one in all_of_them)
            except psutil.NoSuchProcess:
                continue
            self.most = max(self.most, held)
            time.sleep(_POLL_S)


def repeat_ledger(store):
    """Say of every stock what the ledger says of one that was trained."""
    with duckdb.connect(str(store)) as duck:
        for table in ("ledger", "standings", "predictions"):
            columns = [
                name
                for (name,) in duck.execute(
                    "select column_name from duckdb_columns() where table_name = $table "
                    "and schema_name = 'main' order by column_index",
                    {"table": table},
                ).fetchall()
            ]
            told = {"ticker": "series.ticker", "data_digest": "series.digest"}
            for name in ("entry_id", "newest_entry", "current_entry"):
                told[name] = f"one.{name} || '/' || series.ticker"
            values = ", ".join(told.get(name, f"one.{name}") for name in columns)
            duck.execute(
                f"insert into {table} ({', '.join(columns)}) select {values} from series, "
                f"(select * from {table} where ticker = (select min(ticker) from {table})) as one "
                f"where series.ticker not in (select ticker from {table})"
            )


if __name__ == "__main__":
    main()
