"""What a process need not import it does not import: the command line answers at once."""

import os
import subprocess
import sys

import pytest

import bmastore
from bmastore.workers.local import local_executor
from tests.helpers import FAST

# What a process has imported of these, it says when it ends.
HEAVY = [
    "numpy",
    "pandas",
    "duckdb",
    "sqlalchemy",
    "lightgbm",
    "xgboost",
    "sklearn",
    "scipy",
    "matplotlib",
    "rich",
]


def imported_by(script, *args):
    """The heavy libraries that a process has imported when a script has run in it."""
    script += f"\nimport sys\nprint('imported', *[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, args)], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_help_needs_none():
    script = "from bmastore.cli import cli\ncli(['--help'], standalone_mode=False)"
    assert imported_by(script) == set()


def test_a_pass_that_finds_nothing_pending_needs_no_pandas_and_no_estimator(trained):
    script = """
import sys
from bmastore import Store, TrainConfig
assert Store(sys.argv[1]).train(TrainConfig(preset="ultrafast")).selected == 0
"""
    assert imported_by(script, trained.path) == {"numpy", "duckdb"}


def test_a_coordinator_needs_no_estimator(trained):
    script = """
import sys
from bmastore import Store, TrainConfig, PassOptions
options = PassOptions(force=True, tickers=("DEMO01",))
assert Store(sys.argv[1]).train(TrainConfig(preset="ultrafast"), options).trained == 1
"""
    assert imported_by(script, trained.path).isdisjoint({"lightgbm", "xgboost", "sklearn"})


def heavy_modules():
    """Runs in a worker."""
    return {name for name in HEAVY if name in sys.modules}


def test_a_worker_has_the_estimators_and_no_database():
    with local_executor(1) as executor:
        found = executor.submit(heavy_modules).result(timeout=120)
    assert found.isdisjoint({"duckdb", "sqlalchemy"})
    if sys.platform.startswith("linux"):
        assert {"numpy", "lightgbm", "xgboost"} <= found


def threads_variable():
    """Runs in a worker."""
    return os.environ.get("OMP_NUM_THREADS")


def test_workers_run_on_one_thread_and_the_callers_environment_stays_as_it_is(filled):
    before = dict(os.environ)
    told = []
    filled.train(FAST, on_progress=lambda progress: told.append(dict(os.environ) == before))
    assert told
    assert all(told)
    assert dict(os.environ) == before
    with local_executor(1) as executor:
        assert executor.submit(threads_variable).result(timeout=120) == "1"


@pytest.mark.parametrize("name", bmastore.__all__)
def test_every_public_name_can_be_imported(name):
    assert getattr(bmastore, name).__doc__
