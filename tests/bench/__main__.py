"""The benchmark: one command, one table, and the same as JSON.

    python -m tests.bench [--rounds 3] [--prices FILE] [--large] [--json FILE]

Measures go in turns, so that a slow spell of the machine hits all alike;
ratios are of medians. Keep the machine otherwise idle, and delete no large folders just before.
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
import warnings
from pathlib import Path

import duckdb

from bmastore.panel.read import read_rows
from bmastore.panel.series import choose_target, feature_columns, read_series
from bmastore.storage.session import open_reader

REAL_DATA = Path(os.environ.get("BMASTORE_REAL_DATA", "."))
WORKERS = os.cpu_count()
# Stocks of the baselines. They also part a pass from the one before, which deleted thousands of
# files: for a minute afterwards ext4 takes seconds of CPU to create as many.
SAMPLE = 400


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prices", type=Path, default=REAL_DATA / "us_ohlcv_3800.parquet")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="also three times the stocks")
    parser.add_argument("--json", type=Path, help="write the measures to this file")
    options = parser.parse_args()
    os.environ["PYTHONWARNINGS"] = "ignore"  # of the wrappers, in joblib's workers too
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        measures = run(Path(folder), options.prices, options.rounds, large=options.large)
    lines = judge(measures)
    print_table(measures, lines)
    if options.json:
        options.json.write_text(json.dumps({"measures": measures, "ratios": lines}, indent=2))


def run(folder, prices, rounds, *, large):
    """All measures: name → list of values, one per round."""
    from tests.bench.baselines import by_joblib, recipe

    measures = {}

    def note(name, value):
        measures.setdefault(name, []).append(value)
        print(f"  {name:<28} {value:10.3f}", file=sys.stderr)

    earlier, last = split_last_day(prices, folder)
    command("ingest", earlier, store=folder / "earlier.duckdb")
    n_stocks = len(sample_of(folder / "earlier.duckdb", None))
    stocks = sample_of(folder / "earlier.duckdb", SAMPLE)
    by_joblib(stocks[: 2 * WORKERS], WORKERS)
    for round_ in range(rounds):
        print(f"round {round_ + 1} of {rounds}", file=sys.stderr)
        store = folder / f"round{round_}.duckdb"
        note("help_s", command("--help")[0])
        note("ingest_s", command("ingest", prices, store=folder / f"whole{round_}.duckdb")[0])
        note("recipe_s", timed(lambda: [recipe(stock) for stock in stocks]) * n_stocks / SAMPLE)
        note("joblib_s", timed(lambda: by_joblib(stocks, WORKERS)) * n_stocks / SAMPLE)
        shutil.copy(folder / "earlier.duckdb", store)
        wall, summary = command("train", "--json", store=store)
        note("bmastore_s", wall)
        note("floor_cpu_s", summary["fit_cpu_s"])
        note("peak_rss_mb", summary["peak_rss_mb"])
        note("artifact_kb_per_stock", size_of(store) / 1024 / summary["trained"])
        note("nothing_pending_s", command("train", "--json", store=store)[0])
        note("ingest_day_s", command("ingest", last, store=store)[0])
        wall, summary = command("train", "--json", store=store)
        note("daily_s", wall)
        note("daily_trained", summary["trained"])
    if large:
        tripled = folder / "tripled.parquet"
        duckdb.sql(
            f"copy (select * replace (ticker || '_' || n as ticker) "
            f"from '{prices}', range(3) t(n)) to '{tripled}'"
        )
        store = folder / "large.duckdb"
        note("ingest_large_s", command("ingest", tripled, store=store)[0])
        wall, summary = command("train", "--json", store=store)
        note("bmastore_large_s", wall)
        note("peak_rss_large_mb", summary["peak_rss_mb"])
    return measures


def judge(measures):
    """The ratios that bmastore is held to, of medians: (what, measured, bound)."""
    m = {name: statistics.median(values) for name, values in measures.items()}
    lines = [
        ("faster than the recipe", m["recipe_s"] / m["bmastore_s"], ">= 2.5"),
        ("faster than joblib", m["joblib_s"] / m["bmastore_s"], ">= 3"),
        ("share of time fitting", m["floor_cpu_s"] / (m["bmastore_s"] * WORKERS), ">= 0.93"),
        ("nothing pending, s", m["nothing_pending_s"], "<= 1.0"),
        ("bmastore --help, s", m["help_s"], "<= 0.25"),
        ("ingest, s", m["ingest_s"], "<= 6"),
        ("ingest of one day, s", m["ingest_day_s"], "<= 2.5"),
        ("daily pass faster than full", m["bmastore_s"] / m["daily_s"], ">= 2.5"),
        ("peak memory, MB", m["peak_rss_mb"], "<= 1331"),
        ("artifacts, KB per stock", m["artifact_kb_per_stock"], "<= 150"),
    ]
    if "peak_rss_large_mb" in m:
        lines.append(
            ("memory for 3x the stocks", m["peak_rss_large_mb"] / m["peak_rss_mb"], "<= 1.1")
        )
    return lines


def print_medians(measures, title="measure"):
    print(f"\n{title:<28} {'median':>10} {'min':>10} {'max':>10}")
    for name, values in measures.items():
        median = statistics.median(values)
        print(f"{name:<28} {median:>10.2f} {min(values):>10.2f} {max(values):>10.2f}")


def print_table(measures, lines):
    print_medians(measures)
    print(f"\n{'ratio':<28} {'measured':>10} {'bound':>10}")
    for what, value, bound in lines:
        sign, limit = bound.split()
        holds = value >= float(limit) if sign == ">=" else value <= float(limit)
        print(f"{what:<28} {value:>10.2f} {bound:>10} {'' if holds else '  FALLS SHORT'}")


def command(*args, store=None):
    """Seconds of a whole process, and the JSON that it prints."""
    where = ["--store", str(store)] if store else []
    started = time.perf_counter()
    done = subprocess.run(
        [str(Path(sys.executable).with_name("bmastore")), *map(str, args), *where],
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return seconds, json.loads(done.stdout) if "--json" in args else None


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def split_last_day(prices, folder):
    """The prices without their last day, and that day alone."""
    earlier, last = folder / "earlier.parquet", folder / "last.parquet"
    newest = f"(select max(date) from '{prices}')"
    duckdb.sql(f"copy (from '{prices}' where date < {newest}) to '{earlier}'")
    duckdb.sql(f"copy (from '{prices}' where date = {newest}) to '{last}'")
    return earlier, last


def sample_of(store, n):
    """Rows of n stocks spread evenly over those with full history (or all tickers)."""
    with open_reader(store, needs_panel=True) as reader:
        target, _ = choose_target(reader.duck, None)
        series = read_series(reader.duck, target)
        if n is None:
            return series
        full = [one.ticker for one in series if one.n_rows >= 400]
        tickers = full[:: len(full) // n][:n]
        features = feature_columns(reader.duck)
        return list(read_rows(reader.duck, tickers, target, features))


def size_of(store):
    return sum(p.stat().st_size for p in store.with_name(f"{store.stem}.models").rglob("*.bma"))


if __name__ == "__main__":
    main()
