"""What a night costs in which stored ensembles only forecast, against one that trains all stocks.

    python -m tests.bench.night [--rounds 2] [--prices FILE]

Both are given the same newest day, on copies of one store in which all stocks are trained, and take
turns: what is told are the ratios of CPU time and of seconds, ingest and publishing included.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from bmastore.storage.paths import models_path, results_path
from tests.bench.__main__ import REAL_DATA, command, split_last_day
from tests.bench.year import cpu_of_commands

_HOW = {"trains all": (), "only forecasts": ("--stale-after", 5)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prices", type=Path, default=REAL_DATA / "us_ohlcv_3800.parquet")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measures = run(Path(folder), options.prices, options.rounds)
    for what, bound in {"CPU s": "<= 0.33", "wall s": ""}.items():
        every, few = (statistics.median(measures[f"{how}, {what}"]) for how in _HOW)
        print(f"ratio of {what:<10} {few / every:>8.2f}    {bound}")


def run(folder, prices, rounds):
    """All measures: name → list of seconds, one per round."""
    before, newest = split_last_day(prices, folder)
    store = folder / "bma.duckdb"
    command("ingest", before, store=store)
    command("train", "--json", store=store)
    measures = {}
    print(f"{'night':<16} {'CPU s':>8} {'wall s':>8} {'trained':>8} {'forecast':>8}")
    for round_ in range(rounds):
        for how, args in _HOW.items():
            copied = copy_of(store, folder / f"copy{round_}.duckdb")
            cpu, wall = cpu_of_commands(), time.perf_counter()
            command("ingest", newest, store=copied)
            _, summary = command("train", "--json", *args, store=copied)
            wall = time.perf_counter() - wall
            cpu = cpu_of_commands() - cpu + summary["fit_cpu_s"]
            counts = f"{summary['trained']:>8} {summary['only_forecast']:>8}"
            print(f"{how:<16} {cpu:>8.1f} {wall:>8.1f} {counts}", flush=True)
            for what, seconds in (("CPU s", cpu), ("wall s", wall)):
                measures.setdefault(f"{how}, {what}", []).append(seconds)
    return measures


def copy_of(store, copied):
    """A copy of a store with its results and its models, in place of one from before."""
    shutil.rmtree(models_path(copied), ignore_errors=True)
    shutil.copytree(models_path(store), models_path(copied))
    for path in (store, results_path(store)):
        place = copied if path == store else results_path(copied)
        place.unlink(missing_ok=True)
        shutil.copyfile(path, place)
    return copied


if __name__ == "__main__":
    main()
