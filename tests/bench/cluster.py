"""The benchmark of clusters: two workers of a Dask cluster here against two local processes.

    python -m tests.bench.cluster [--stocks 1500] [--rounds 3] [--prices FILE]

Both take turns, so that a slow spell of the machine hits both alike; the ratio is of medians. The
traffic is that of the loopback device while the cluster works, in a first pass with all that stocks
share, and in a daily one: keep the machine otherwise idle.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

import duckdb
import psutil

from tests.bench.__main__ import REAL_DATA, command, print_medians, split_last_day

_WORKERS = 2
_HOW = {"local": ("--workers", _WORKERS), "cluster": ("--cluster", f"local:{_WORKERS}")}


def main():
    measures = in_rounds(__doc__, run)
    wall = {how: statistics.median(measures[f"{how}_s"]) for how in _HOW}
    print(f"cluster against local, wall  {wall['cluster'] / wall['local']:>10.2f}    <= 1.10")
    for which in ("first", "daily"):
        traffic = statistics.median(measures[f"{which}_kb_per_stock"])
        print(f"{f'{which} pass, kB per stock':<28} {traffic:>10.1f}    <= 60")


def in_rounds(about, run, title="measure"):
    """What is measured, round by round, over the stocks that the command line asks for."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--prices", type=Path, default=REAL_DATA / "us_ohlcv_3800.parquet")
    parser.add_argument("--stocks", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measures = run(Path(folder), options.prices, options.stocks, options.rounds)
    print_medians(measures, title)
    return measures


def some_stocks(prices, n_stocks, folder):
    """A file with the prices of so many stocks."""
    few = folder / "few.parquet"
    tickers = f"select distinct ticker from '{prices}' order by ticker limit {n_stocks}"
    duckdb.sql(f"copy (from '{prices}' where ticker in ({tickers})) to '{few}'")
    return few


def a_pass(store, args):
    """Seconds and summary of a pass, and what went through the loopback device meanwhile."""
    before = psutil.net_io_counters(pernic=True)["lo"].bytes_sent
    wall, summary = command("train", "--json", *args, store=store)
    return wall, summary, psutil.net_io_counters(pernic=True)["lo"].bytes_sent - before


def run(folder, prices, n_stocks, rounds):
    """All measures: name → list of values, one per round."""
    store = folder / "few.duckdb"
    before, newest = split_last_day(some_stocks(prices, n_stocks, folder), folder)
    command("ingest", before, store=store)
    measures = {}
    for round_ in range(rounds):
        for how, args in _HOW.items():
            copied = folder / f"{how}{round_}.duckdb"
            shutil.copy(store, copied)
            wall, summary, sent = a_pass(copied, args)
            found = {f"{how}_s": wall, f"{how}_fit_cpu_s": summary["fit_cpu_s"]}
            if how == "cluster":
                found["first_kb_per_stock"] = sent / 1000 / summary["selected"]
                command("ingest", newest, store=copied)
                _, summary, sent = a_pass(copied, args)
                found["daily_kb_per_stock"] = sent / 1000 / summary["selected"]
            for name, value in found.items():
                measures.setdefault(name, []).append(value)
                print(f"  {name:<28} {value:10.2f}", flush=True)
    return measures


if __name__ == "__main__":
    main()
