"""What a stock costs the coordinator, and so how many workers one feeds.

    python -m tests.bench.coordinator [--stocks 1500] [--rounds 3] [--prices FILE]

Each pass is run twice, on copies of one store: a worker does all of it, and then answers what it
remembers. Of the second what is left is the coordinator's, at the pace that it can keep: there is
nothing to wait for, as there is not where it has more workers than it feeds. What is told are the
slopes over stocks of CPU time: the coordinator's, and that of fits in the first. Workers are a
process of this machine's, and one of a Dask cluster whose scheduler is a process of its own.
"""

import shutil
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

from bmastore.models.config import TrainConfig
from bmastore.storage.paths import models_path
from bmastore.storage.session import open_writer
from bmastore.training.options import PassOptions
from bmastore.training.run import run_passes
from bmastore.workers.cluster import count_workers
from bmastore.workers.dask import connected
from bmastore.workers.local import local_executor
from tests.bench.__main__ import command
from tests.bench.answers import Remembering
from tests.bench.cluster import in_rounds, some_stocks

# Of the stocks, over which the slope is measured.
_PARTS = (0.25, 1.0)


def main():
    measures = in_rounds(__doc__, run, title="CPU ms per stock")
    for how in _HOW:
        fit, ours = (
            statistics.median(measures[f"{how}, {who}"]) for who in ("worker", "coordinator")
        )
        print(f"{how}: one coordinator feeds {fit / ours:>8.0f}    >= 64 workers")


@contextmanager
def in_cluster(folder):
    where = folder / "scheduler.json"
    where.unlink(missing_ok=True)
    with ExitStack() as stack:
        for role, *options in (("scheduler",), ("worker", "--nthreads", "1")):
            started = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{role}", "--no-dashboard",
                 "--scheduler-file", str(where), *options],
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            stack.callback(started.wait)
            stack.callback(started.terminate)
            while not where.exists():
                time.sleep(0.1)
        with connected(str(where)) as cluster:
            executor = cluster.make_executor(1)
            while not count_workers(executor):
                time.sleep(0.1)
            yield executor


_HOW = {"local": lambda folder: local_executor(1), "cluster": in_cluster}


def run(folder, prices, n_stocks, rounds):
    """All measures: name → list of milliseconds, one per round."""
    store = folder / "few.duckdb"
    command("ingest", some_stocks(prices, n_stocks, folder), store=store)
    measures = {}
    for round_ in range(rounds):
        for how, workers in _HOW.items():
            spent = [twice(folder, store, int(part * n_stocks), workers) for part in _PARTS]
            more = n_stocks * (_PARTS[1] - _PARTS[0])
            for who in ("worker", "coordinator"):
                few, many = (one[who] for one in spent)
                value = 1000 * (many - few) / more
                measures.setdefault(f"{how}, {who}", []).append(value)
                print(f"  {round_ + 1} {how}, {who:<20} {value:10.2f}", flush=True)
    return measures


def twice(folder, store, n_stocks, workers):
    """CPU seconds of a pass over so many stocks: those of its fits, and the coordinator's."""
    spent = {}
    with workers(folder) as executor:
        known = Remembering(executor)
        for who in ("worker", "coordinator"):
            copied = folder / "pass.duckdb"
            shutil.copy(store, copied)
            with open_writer(copied) as writer:
                before = time.process_time()
                summary = run_passes(
                    writer,
                    TrainConfig(),
                    PassOptions(limit=n_stocks, workers=1),
                    make_executor=lambda n: known,
                )
                ours = time.process_time() - before
            spent[who] = summary.fit_cpu_s if who == "worker" else ours
            copied.unlink()
            shutil.rmtree(models_path(copied))
    return spent


if __name__ == "__main__":
    main()
