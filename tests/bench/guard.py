"""What guarded checkpoints cost: passes with and without the guard, in turns.

    python -m tests.bench.guard [--rounds 3] [--stocks 3800] [--prices FILE]

A pass without the guard is the same command, but nothing is saved before a checkpoint.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

REAL_DATA = Path(os.environ.get("BMASTORE_REAL_DATA", "."))
WITH = "from bmastore.cli import main; main()"
WITHOUT = f"import bmastore.storage.guard as g; g.save = lambda duck, store: None; {WITH}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prices", type=Path, default=REAL_DATA / "us_ohlcv_3800.parquet")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stocks", type=int, default=3800)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), options)


def run(folder, options):
    earlier, last = parts(options.prices, options.stocks, folder)
    command(WITH, folder, "ingest", earlier)
    kinds = {"on": WITH, "off": WITHOUT}
    seconds = {(what, on): [] for what in ("full pass", "daily pass") for on in kinds}
    for round_ in range(options.rounds):
        for on in sorted(kinds, reverse=bool(round_ % 2)):
            home = folder / f"{round_}{on}"
            home.mkdir()
            shutil.copy(folder / "bma.duckdb", home)
            seconds["full pass", on].append(command(kinds[on], home, "train", "--json"))
            command(WITH, home, "ingest", last)
            seconds["daily pass", on].append(command(kinds[on], home, "train", "--json"))
            print(round_, on, {what: taken[-1:] for (what, o), taken in seconds.items() if o == on})
    for what in ("full pass", "daily pass"):
        on, off = (statistics.median(seconds[what, o]) for o in ("on", "off"))
        print(f"{what}: with {on:.2f} s, without {off:.2f} s, {100 * (on / off - 1):+.1f} %")


def parts(prices, stocks, folder):
    """The prices of some stocks without their last day, and that day alone."""
    earlier, last = folder / "earlier.parquet", folder / "last.parquet"
    some = (
        f"from '{prices}' where ticker in "
        f"(select distinct ticker from '{prices}' order by hash(ticker) limit {stocks})"
    )
    newest = f"(select max(date) from '{prices}')"
    duckdb.sql(f"copy ({some} and date < {newest}) to '{earlier}'")
    duckdb.sql(f"copy ({some} and date = {newest}) to '{last}'")
    return earlier, last


def command(how, home, *args):
    """Wall seconds of a whole process; of a pass, which may not find nothing to do."""
    line = [sys.executable, "-c", how, *map(str, args), "--store", str(home / "bma.duckdb")]
    started = time.perf_counter()
    done = subprocess.run(line, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    assert "--json" not in args or json.loads(done.stdout)["trained"] > 0
    return round(seconds, 2)


if __name__ == "__main__":
    main()
