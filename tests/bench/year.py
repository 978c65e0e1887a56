"""A year of nights: what a night costs, and how the store grows.

    python -m tests.bench.year [--stocks 300] [--nights 250] [--prices FILE] [--store FILE]

Each night one more day of prices is ingested and a pass trains; at some nights, the time of each
and the CPU time of both, the time of a renewal of the results, memory and sizes are printed. Nights
after the newest day begin again with the first, for the same stocks under other tickers: history is
kept, as of stocks that were delisted.
"""

import argparse
import itertools
import os
import resource
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import duckdb

from bmastore.storage.paths import results_path
from bmastore.storage.publish import publish
from bmastore.storage.session import open_writer
from tests.bench.__main__ import command

REAL_DATA = Path(os.environ.get("BMASTORE_REAL_DATA", "."))
# Days of history before the first night: a year, so that all stocks are trained.
HISTORY = 280


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prices", type=Path, default=REAL_DATA / "us_ohlcv_3800.parquet")
    parser.add_argument("--stocks", type=int, default=300)
    parser.add_argument("--nights", type=int, default=250)
    parser.add_argument("--store", type=Path, help="keep the store here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = options.store or Path(folder) / "year.duckdb"
        run(Path(folder), store, options.prices, options.stocks, options.nights)


def run(folder, store, prices, n_stocks, n_nights):
    columns = ("night", "ingest s", "train s", "CPU s", "renew s", "renew CPU s", "peak MB")
    print(*(f"{name:>11}" for name in (*columns, "store MB", "results MB", "trained")))
    before = None
    shown = {1, 10, n_nights // 2, n_nights}
    files = itertools.islice(nights(prices, n_stocks, folder), n_nights + 1)
    for night, path in enumerate(files):
        cpu = cpu_of_commands()
        ingest, _ = command("ingest", path, store=store)
        train, summary = command("train", "--json", store=store)
        cpu = cpu_of_commands() - cpu + summary["fit_cpu_s"]
        sizes = [store.stat().st_size, results_path(store).stat().st_size]
        if night == 1:
            before = sizes
        if night in shown:
            numbers = (ingest, train, cpu, *renewal(store), summary["peak_rss_mb"])
            megabytes = (size / 2**20 for size in sizes)
            cells = [f"{value:>11.2f}" for value in (*numbers, *megabytes)]
            print(f"{night:>11}", *cells, f"{summary['trained']:>11}", flush=True)
    for name, one, last in zip(("store", "results"), before, sizes, strict=True):
        growth = (last - one) / (n_nights - 1) / n_stocks
        print(f"{name}: {growth:,.0f} bytes per stock and night")


def cpu_of_commands():
    """CPU seconds of all commands that have ended, without those of their workers."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def renewal(store):
    """Seconds, of the wall and of CPU, of one more publishing."""
    with open_writer(store) as writer:
        wall, cpu = perf_counter(), process_time()
        publish(writer)
        return perf_counter() - wall, process_time() - cpu


def nights(prices, n_stocks, folder):
    """Files to ingest, without end: the history, then one day after another."""
    duck = duckdb.connect()
    duck.execute(
        f"create table one as select * from '{prices}' where ticker in "
        f"(select ticker from '{prices}' group by ticker order by count(*) desc, ticker "
        f"limit {n_stocks})"
    )
    days = [day for (day,) in duck.execute("select distinct date from one order by 1").fetchall()]
    path = folder / "night.parquet"
    for again in itertools.count():
        named = f"ticker || '_{again}'" if again else "ticker"
        for i, day in enumerate(days[HISTORY:]):
            which = "=" if i else "<="
            duck.execute(
                f"copy (select * replace ({named} as ticker) from one "
                f"where date {which} date '{day}') to '{path}'"
            )
            yield path


if __name__ == "__main__":
    main()
