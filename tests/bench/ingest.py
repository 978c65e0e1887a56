"""The benchmark of ingest: what many files and many features cost against few.

    python -m tests.bench.ingest [--rounds 3] [--files 5000] [--json FILE]

Ratios of CPU seconds within one run, of processes that take turns.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

_ROWS_PER_FILE = 250
_PANEL_ROWS, _FEW, _MANY = 20_000, 100, 800


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--json", type=Path, help="write the measures to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measures = run(Path(folder), options.rounds, options.files)
    lines = judge(measures)
    for what, value, bound in lines:
        print(f"{what:<36} {value:>8.2f} {bound:>8}")
    if options.json:
        options.json.write_text(json.dumps({"measures": measures, "ratios": lines}, indent=2))


def run(folder, rounds, n_files):
    """CPU seconds of each kind of input: name → a value per round."""
    make_prices(folder, n_files)
    for n in (_FEW, _MANY):
        make_panel(n).to_parquet(folder / f"features_{n}.parquet")
    inputs = {
        "one CSV": [folder / "one.csv"],
        "a CSV per ticker": [folder / "many"],
        f"{_FEW} features": [folder / f"features_{_FEW}.parquet", "--target=y", "--horizon=5"],
        f"{_MANY} features": [folder / f"features_{_MANY}.parquet", "--target=y", "--horizon=5"],
    }
    measures = {name: [] for name in inputs}
    for _ in range(rounds):
        for name, args in inputs.items():
            measures[name].append(cpu_seconds(folder, args))
            print(f"  {name:<24} {measures[name][-1]:8.2f}", file=sys.stderr)
    return measures


def judge(measures):
    """The ratios that ingest is held to, of medians: (what, measured, bound)."""
    m = {name: statistics.median(values) for name, values in measures.items()}
    per_value = m[f"{_MANY} features"] / _MANY / (m[f"{_FEW} features"] / _FEW)
    return [
        ("a CSV per ticker against one CSV", m["a CSV per ticker"] / m["one CSV"], "<= 3"),
        (f"a value of {_MANY} features against {_FEW}", per_value, "<= 1.5"),
    ]


def make_prices(folder, n_files):
    random = np.random.default_rng(0)
    days = pd.bdate_range("2022-01-03", periods=_ROWS_PER_FILE).strftime("%Y-%m-%d")
    head = "date,open,high,low,close,volume\n"
    (folder / "many").mkdir()
    with (folder / "one.csv").open("w") as one:
        one.write(f"ticker,{head}")
        for i in range(n_files):
            close = 50 * np.exp(np.cumsum(0.02 * random.standard_normal(_ROWS_PER_FILE)))
            rows = [
                f"{day},{c:.4f},{c * 1.01:.4f},{c * 0.99:.4f},{c:.4f},{1000 + i}\n"
                for day, c in zip(days, close, strict=True)
            ]
            (folder / f"many/T{i:05d}.csv").write_text(head + "".join(rows))
            one.writelines(f"T{i:05d},{row}" for row in rows)


def make_panel(n_features):
    random = np.random.default_rng(0)
    n_stocks = _PANEL_ROWS // _ROWS_PER_FILE
    values = random.standard_normal((_PANEL_ROWS, n_features)).astype("float32")
    frame = pd.DataFrame(values, columns=[f"alpha_{i}" for i in range(n_features)])
    days = pd.bdate_range("2022-01-03", periods=_ROWS_PER_FILE)
    frame.insert(0, "ticker", np.repeat([f"T{i}" for i in range(n_stocks)], _ROWS_PER_FILE))
    frame.insert(1, "date", np.tile(days, n_stocks))
    return frame.assign(y=random.standard_normal(_PANEL_ROWS))


def cpu_seconds(folder, args):
    """CPU seconds of one ingest into a new store, by the process itself."""
    store = folder / "bench.duckdb"
    for left in folder.glob("bench.*"):
        left.unlink()
    before = os.times()
    command = [str(Path(sys.executable).with_name("bmastore")), "ingest", *map(str, args)]
    done = subprocess.run([*command, "--store", str(store)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    after = os.times()
    return (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )


if __name__ == "__main__":
    main()
