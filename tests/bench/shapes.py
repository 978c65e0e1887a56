"""The benchmark of shapes: histories of 30 years, 500 features, and more rows than any stock has.

    python -m tests.bench.shapes [long] [wide] [minutes]

Made-up panels, ingested and trained whole; what each takes and holds. `minutes` gives one stock
200,000 rows a minute apart, which a panel of days has no place for: it is to say so.
"""

import argparse
import tempfile
from pathlib import Path

import duckdb

from tests.bench.large import measure

# Stocks, rows and features.
_SHAPES = {"long": (500, 7560, 12), "wide": (500, 450, 500), "minutes": (3, 200_000, 12)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    # With choices, argparse of Python 3.11 takes no list of none.
    parser.add_argument("shapes", nargs="*", metavar="{" + ",".join(_SHAPES) + "}")
    options = parser.parse_args()
    if unknown := set(options.shapes) - set(_SHAPES):
        parser.error(f"there is no shape {', '.join(sorted(unknown))}")
    print(f"{'what':<34} {'wall s':>9} {'CPU s':>9} {'peak MB':>9}")
    for name in options.shapes or _SHAPES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "panel.parquet"
            store = Path(folder) / "bma.duckdb"
            make_panel(path, *_SHAPES[name], in_minutes=name == "minutes")
            told = ("--target", "y:5")
            if measure(f"{name}: ingest", store, "ingest", path, *told):
                measure(f"{name}: train", store, "train")
                measure(f"{name}: nothing pending", store, "train")


def make_panel(path, n_stocks, n_rows, n_features, *, in_minutes):
    """A panel of noise whose first feature says something of its target."""
    # From a Monday on, without weekends.
    weekdays = "date '1990-01-01' + (n // 5 * 7 + n % 5)::integer"
    start = "timestamp '2024-01-02' + interval (n) minute" if in_minutes else weekdays
    features = ", ".join(f"random()::float - 0.5 as f{i}" for i in range(n_features))
    duckdb.execute("set memory_limit = '2GB'")
    duckdb.execute(
        f"copy (select *, 0.01 * f0 + 0.03 * (random() - 0.5) as y from ("
        f"select 'S' || k as ticker, {start} as date, {features} "
        f"from range({n_stocks}) as stocks(k), range({n_rows}) as days(n))) to '{path}'"
    )


if __name__ == "__main__":
    main()
