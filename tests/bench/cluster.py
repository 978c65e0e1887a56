"""The benchmark of clusters: two workers of a Dask cluster here against two local processes.

    python -m tests.bench.cluster [--stocks 1500] [--rounds 3] [--prices FILE]

Both take turns, so that a slow spell of the machine hits both alike; the ratio is of medians. The
traffic is that of the loopback device while the cluster works: keep the machine otherwise idle.
What a stock costs the coordinator is the slope of its CPU time over stocks, with local workers.
"""

import argparse
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
    traffic = statistics.median(measures["traffic_kb_per_stock"])
    costs = [statistics.median(measures[f"coordinator_cpu_s_{part}"]) for part in _PARTS]
    per_stock = (costs[1] - costs[0]) / (options.stocks * (_PARTS[1] - _PARTS[0]))
    print(f"coordinator, CPU ms per stock{1000 * per_stock:>9.2f}")
    print(f"traffic, kB per stock        {traffic:>10.1f}    <= 60")


def coordinator(store, n_stocks):
    """CPU seconds of the process that reads and writes the store in a pass over so many stocks."""
    args = ("train", "--workers", _WORKERS, "--limit", n_stocks, "--store", store)
    done = subprocess.run(
        [sys.executable, "-c", _TIMED, *map(str, args)], capture_output=True, text=True
    )
    return float(done.stderr.strip().splitlines()[-1])


def run(folder, prices, n_stocks, rounds):
    """All measures: name → list of values, one per round."""
    few, store = folder / "few.parquet", folder / "few.duckdb"
    duckdb.sql(
        f"copy (from '{prices}' where ticker in (select distinct ticker from '{prices}' "
        f"order by ticker limit {n_stocks})) to '{few}'"
    )
    command("ingest", few, store=store)
    measures = {}
    for round_ in range(rounds):
        for how, args in _HOW.items():
            copied = folder / f"{how}{round_}.duckdb"
            shutil.copy(store, copied)
            before = psutil.net_io_counters(pernic=True)["lo"].bytes_sent
            wall, summary = command("train", "--json", *args, store=copied)
            sent = psutil.net_io_counters(pernic=True)["lo"].bytes_sent - before
            found = {f"{how}_s": wall, f"{how}_fit_cpu_s": summary["fit_cpu_s"]}
            if how == "cluster":
                found["traffic_kb_per_stock"] = sent / 1000 / summary["selected"]
            for name, value in found.items():
                measures.setdefault(name, []).append(value)
                print(f"  {name:<28} {value:10.2f}", flush=True)
        for part in _PARTS:
            copied = folder / f"part{round_}_{part}.duckdb"
            shutil.copy(store, copied)
            found = coordinator(copied, int(part * n_stocks))
            measures.setdefault(f"coordinator_cpu_s_{part}", []).append(found)
    return measures


if __name__ == "__main__":
    main()
