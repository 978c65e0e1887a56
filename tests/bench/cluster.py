"""The benchmark of clusters: two workers of a Dask cluster here against two local processes.

    python -m tests.bench.cluster [--stocks 1500] [--rounds 3] [--prices FILE]

Both take turns, so that a slow spell of the machine hits both alike; the ratio is of medians. The
traffic is that of the loopback device while the cluster works, in a first pass with all that stocks
share, and in a daily one: keep the machine otherwise idle.
What a stock costs the coordinator and a worker are the slopes of their CPU time over stocks, with
local workers, both in the same passes: their ratio is how many workers one coordinator feeds.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import psutil

from tests.bench.__main__ import REAL_DATA, command

_WORKERS = 2
# Of the stocks, over which the coordinator's cost is measured.
_PARTS = (0.25, 1.0)
# Runs the command line, and says what CPU time its own process took.
_TIMED = (
    "import sys, time; from bmastore.cli import main\n"
    "try: main()\n"
    "finally: print(time.process_time(), file=sys.stderr)"
)
_HOW = {"local": ("--workers", _WORKERS), "cluster": ("--cluster", f"local:{_WORKERS}")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prices", type=Path, default=REAL_DATA / "us_ohlcv_3800.parquet")
    parser.add_argument("--stocks", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measures = run(Path(folder), options.prices, options.stocks, options.rounds)
    print(f"\n{'measure':<28} {'median':>10} {'min':>10} {'max':>10}")
    for name, values in measures.items():
        print(f"{name:<28} {statistics.median(values):>10.2f} {min(values):>10.2f} "
              f"{max(values):>10.2f}")  # fmt: skip
    wall = {how: statistics.median(measures[f"{how}_s"]) for how in _HOW}
    print(f"cluster against local, wall  {wall['cluster'] / wall['local']:>10.2f}    <= 1.10")
    per_stock = {who: slope(measures, who, options.stocks) for who in ("coordinator", "worker")}
    for who, seconds in per_stock.items():
        print(f"{f'{who}, CPU ms per stock':<28} {1000 * seconds:>10.2f}")
    feeds = per_stock["worker"] / per_stock["coordinator"]
    print(f"one coordinator feeds        {feeds:>10.0f}    >= 64 workers")
    for which in ("first", "daily"):
        traffic = statistics.median(measures[f"{which}_kb_per_stock"])
        print(f"{f'{which} pass, kB per stock':<28} {traffic:>10.1f}    <= 60")


def slope(measures, who, n_stocks):
    """CPU seconds per stock: what more stocks have taken more."""
    few, many = (statistics.median(measures[f"{who}_cpu_s_{part}"]) for part in _PARTS)
    return (many - few) / (n_stocks * (_PARTS[1] - _PARTS[0]))


def cpu_of(store, n_stocks):
    """CPU seconds of a pass over so many stocks: the coordinator's, and those of fits."""
    args = ("train", "--json", "--workers", _WORKERS, "--limit", n_stocks, "--store", store)
    done = subprocess.run(
        [sys.executable, "-c", _TIMED, *map(str, args)], capture_output=True, text=True
    )
    cpu_s = float(done.stderr.strip().splitlines()[-1])
    return {"coordinator": cpu_s, "worker": json.loads(done.stdout)["fit_cpu_s"]}


def a_pass(store, args):
    """Seconds and summary of a pass, and what went through the loopback device meanwhile."""
    before = psutil.net_io_counters(pernic=True)["lo"].bytes_sent
    wall, summary = command("train", "--json", *args, store=store)
    return wall, summary, psutil.net_io_counters(pernic=True)["lo"].bytes_sent - before


def run(folder, prices, n_stocks, rounds):
    """All measures: name → list of values, one per round."""
    store = folder / "few.duckdb"
    duckdb.sql(
        f"create table few as from '{prices}' where ticker in (select distinct ticker from "
        f"'{prices}' order by ticker limit {n_stocks})"
    )
    newest = "(select max(date) from few)"
    duckdb.sql(f"copy (from few where date < {newest}) to '{folder}/before.parquet'")
    duckdb.sql(f"copy (from few where date = {newest}) to '{folder}/newest.parquet'")
    command("ingest", folder / "before.parquet", store=store)
    measures = {}
    for round_ in range(rounds):
        for how, args in _HOW.items():
            copied = folder / f"{how}{round_}.duckdb"
            shutil.copy(store, copied)
            wall, summary, sent = a_pass(copied, args)
            found = {f"{how}_s": wall, f"{how}_fit_cpu_s": summary["fit_cpu_s"]}
            if how == "cluster":
                found["first_kb_per_stock"] = sent / 1000 / summary["selected"]
                command("ingest", folder / "newest.parquet", store=copied)
                _, summary, sent = a_pass(copied, args)
                found["daily_kb_per_stock"] = sent / 1000 / summary["selected"]
            for name, value in found.items():
                measures.setdefault(name, []).append(value)
                print(f"  {name:<28} {value:10.2f}", flush=True)
        for part in _PARTS:
            copied = folder / f"part{round_}_{part}.duckdb"
            shutil.copy(store, copied)
            for who, seconds in cpu_of(copied, int(part * n_stocks)).items():
                measures.setdefault(f"{who}_cpu_s_{part}", []).append(seconds)
    return measures


if __name__ == "__main__":
    main()
