"""What a stock costs the coordinator, and so how many workers one feeds.

    python -m tests.bench.coordinator [--stocks 1500] [--rounds 3] [--prices FILE]

Each pass is run some times, on copies of one store: a worker does all of it, and then answers what
it remembers. It is sent as much at once as several would be, so that nothing waits for how long one
answer is on its way, as nothing does where there are more workers than the coordinator feeds. Of
these passes what is left is the coordinator's, at the pace that it can keep. What is told are
the slopes over stocks: CPU time of fits in the first; of the others, by their median, the time by
the clock, which is the coordinator's pace, and its CPU time, which would be its pace on one core:
one of its threads reads and another commits. Workers are a process of this machine's, and one of a
Dask cluster whose scheduler is a process of its own; what they do is done on the same cores here.
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
# As many chunks are on their way as for so many workers.
_WORKERS = 4
# Passes of remembered answers.
_PASSES = 5
_MEASURES = ("fits, CPU", "coordinator, by the clock", "coordinator, CPU")


def main():
    measures = in_rounds(__doc__, run, title="ms per stock")
    for how in _HOW:
        fit, pace, cpu = (statistics.median(measures[f"{how}, {what}"]) for what in _MEASURES)
        print(f"{how}: one coordinator feeds {fit / pace:>8.0f}    >= 64 workers")
        print(f"{how}: on one core it would  {fit / cpu:>8.0f}")


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
            spent = [again(folder, store, int(part * n_stocks), workers) for part in _PARTS]
            more = n_stocks * (_PARTS[1] - _PARTS[0])
            for what, few, many in zip(_MEASURES, *spent, strict=True):
                value = 1000 * (many - few) / more
                measures.setdefault(f"{how}, {what}", []).append(value)
                print(f"  {round_ + 1} {how}, {what:<25} {value:10.2f}", flush=True)
    return measures


def again(folder, store, n_stocks, workers):
    """Seconds that passes over so many stocks take, in the order of the measures."""
    with workers(folder) as executor:
        known = Remembering(executor)
        fits_s, _, _ = once(folder, store, n_stocks, known)
        remembered = [once(folder, store, n_stocks, known) for _ in range(_PASSES)]
    _, clock_s, cpu_s = (statistics.median(of_each) for of_each in zip(*remembered, strict=True))
    return fits_s, clock_s, cpu_s


def once(folder, store, n_stocks, executor):
    """CPU seconds of a pass's fits, and the coordinator's by the clock and of CPU time."""
    copied = folder / "pass.duckdb"
    shutil.copy(store, copied)
    with open_writer(copied) as writer:
        began, cpu = time.perf_counter(), time.process_time()
        summary = run_passes(
            writer,
            TrainConfig(),
            PassOptions(limit=n_stocks, workers=_WORKERS),
            make_executor=lambda n: executor,
        )
        clock_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    copied.unlink()
    shutil.rmtree(models_path(copied))
    return summary.fit_cpu_s, clock_s, cpu_s


if __name__ == "__main__":
    main()
