"""A pass: every stock accounted for, whatever happens to workers, and the same for any number."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import psutil
import pytest

from bmastore import PassOptions, Store, TrainConfig
from bmastore.datasets import planted_panel
from bmastore.storage.paths import models_path
from bmastore.workers.chunks import Chunk
from bmastore.workers.dispatch import MemoryWatch
from tests.helpers import (
    FAST,
    HORIZON,
    TARGET,
    TamperedExecutor,
    in_background,
    statuses,
    wait_until,
)

RESULTS = {
    "ledger": "ticker, status, cause, data_digest, config_hash, n_rows, attempt",
    "v_latest": "ticker, artifact_sha256",
    "v_weights": "ticker, member, weight, oof_log_score, oof_rmse, scale",
    "v_metrics": "ticker, name, value",
    "v_predictions": "ticker, date, mean, sd, q05, q25, q50, q75, q95, p_up",
    "oof": "ticker, date, member, fold, prediction",
}


def results(store):
    return [
        store.sql(f"select {columns} from {table} order by all")
        for table, columns in RESULTS.items()
    ]


def test_a_pass_records_weights_metrics_forecasts_and_out_of_fold_predictions(trained):
    weights = trained.sql(
        "select ticker, sum(weight) as total, count(*) as n from v_weights group by 1"
    )
    assert weights["total"].to_numpy() == pytest.approx(np.ones(6))
    assert (weights["n"] == 6).all()
    metrics = trained.sql("select distinct name from v_metrics order by 1")["name"].tolist()
    assert {"oof_mse_vs_zero", "oof_log_score", "oof_coverage_80", "oof_rows"} <= set(metrics)
    forecasts = trained.sql("select * from v_predictions order by ticker, date")
    assert len(forecasts) == 6 * HORIZON
    quantiles = forecasts[["q05", "q25", "q50", "q75", "q95"]].to_numpy()
    assert (np.diff(quantiles, axis=1) > 0).all()
    per_member = trained.sql("select member, count(*) as n from oof group by 1")
    assert per_member["n"].nunique() == 1
    run = trained.sql("select * from v_runs").iloc[0]
    assert (run["status"], run["selected"], run["trained"]) == ("finished", 6, 6)
    assert run["peak_rss_mb"] > 50
    assert run["wall_s"] > 0


def test_no_two_runs_of_a_ledger_have_one_id(trained, monkeypatch):
    (first,) = trained.sql("select run_id from runs")["run_id"]
    drawn = iter([first, first, "facade"])
    monkeypatch.setattr("secrets.token_hex", lambda n: next(drawn))
    assert trained.train(FAST).run_id == "facade"
    assert sorted(trained.sql("select run_id from runs")["run_id"]) == sorted([first, "facade"])


@pytest.mark.parametrize("options", [PassOptions(workers=1, batch_size=1), PassOptions(workers=3)])
def test_results_do_not_depend_on_workers_or_batches(trained, panel, tmp_path, options):
    other = Store(tmp_path / "other.duckdb")
    other.ingest(panel.sample(frac=1, random_state=1), target=TARGET, horizon=HORIZON)
    other.train(FAST, options)
    for one, two in zip(results(trained), results(other), strict=True):
        assert one.equals(two)


def test_a_superseded_artifact_is_removed(trained, panel):
    def files():
        return {p.stem for p in trained.path.parent.glob("bma.models/*/*.bma")}

    before = files()
    assert len(before) == 7  # an ensemble per stock, and the universe
    trained.train(TrainConfig(preset="ultrafast", seed=3))
    assert len(files()) == 7
    assert not files() & before
    newest = trained.sql(
        "select artifact_sha256 from v_latest union "
        "(select artifact_sha256 from v_universe order by finished_at desc limit 1)"
    )
    assert files() == set(newest.iloc[:, 0])


# --- workers that die -------------------------------------------------------------------


def work_or_die(how, job, *args):
    """Runs in a worker: end it when it is given the rows of DEMO03."""
    if any(isinstance(one, Chunk) and "DEMO03" in one.rows.tickers for one in args):
        if how == "exit":
            os._exit(7)
        os.kill(os.getpid(), signal.SIGKILL)
    return job(*args)


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_a_stock_that_kills_its_worker_fails_and_all_others_are_trained(filled, how):
    run = filled.train(
        FAST, PassOptions(workers=2), make_executor=lambda n: TamperedExecutor(n, work_or_die, how)
    )
    assert (run.trained, run.failed) == (5, 1)
    assert {t for t, s in statuses(filled).items() if s == "failed"} == {"DEMO03"}
    failure = filled.sql("select error_type, error_message from v_failures").iloc[0]
    assert failure["error_type"] == "WorkerDiedError"
    assert "died twice" in failure["error_message"]
    assert filled.train(FAST, PassOptions(retry_failed=True)).trained == 1


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_a_stock_that_kills_its_worker_is_a_backtests_failure_and_no_others(filled, how):
    report = filled.backtest(
        FAST, cutoffs=1, every=30, make_executor=lambda n: TamperedExecutor(n, work_or_die, how)
    )
    assert report.n_stocks == 5
    assert set(report.failures) == {"DEMO03"}
    assert "WorkerDiedError" in report.failures["DEMO03"]


def test_a_worker_killed_from_outside_costs_no_stock(store):
    store.ingest(planted_panel(n_stocks=16, n_days=320), target=TARGET, horizon=HORIZON)
    killed = []

    def kill_one(progress):
        if not killed:
            workers = [
                p for p in psutil.Process().children(recursive=True)
                if p.cpu_times().user > 0.1 and not p.children()
            ]  # fmt: skip
            if workers:
                workers[-1].kill()
                killed.append(workers[-1].pid)

    run = store.train(TrainConfig(), PassOptions(workers=2), on_progress=kill_one)
    assert killed
    assert (run.trained, run.failed) == (16, 0)


def test_an_error_of_who_listens_to_progress_ends_the_pass_and_what_is_committed_stays(filled):
    told = []

    def fail_at_the_third(progress):
        told.append(progress.committed)
        if len(told) == 3:
            raise RuntimeError("of the listener")

    with pytest.raises(RuntimeError, match="of the listener"):
        filled.train(FAST, PassOptions(batch_size=1), on_progress=fail_at_the_third)

    assert told == [1, 2, 3]
    assert filled.status().last_run["status"] == "interrupted"
    assert list(statuses(filled).values()).count("trained") == 3
    assert filled.train(FAST).trained == 3


def test_workers_end_when_their_coordinator_is_killed(tmp_path, filled):
    child = in_background("train", "--preset", "high", "--store", filled.path)
    coordinator = psutil.Process(child.pid)
    wait_until(lambda: len(coordinator.children(recursive=True)) >= 3)
    workers = coordinator.children(recursive=True)
    assert workers
    child.kill()
    child.wait()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []


def test_fits_may_run_on_a_dask_cluster(trained, filled):
    distributed = pytest.importorskip("distributed", reason="needs the cluster extra")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        run = filled.train(FAST, make_executor=lambda workers: client.get_executor())
    assert (run.trained, run.failed) == (6, 0)
    for one, two in zip(results(trained), results(filled), strict=True):
        assert one.equals(two)


# --- memory -----------------------------------------------------------------------------


def test_work_in_flight_shrinks_before_the_limit_and_grows_again():
    watch = MemoryWatch(limit=1000)
    watch.now = 950
    assert [watch.window(current, 4) for current in (4, 3, 2, 1)] == [3, 2, 1, 1]
    watch.now = 800
    assert watch.window(2, 4) == 2
    watch.now = 500
    assert watch.window(2, 4) == 3
    assert MemoryWatch(limit=None).window(1, 4) == 4


def test_a_tight_memory_limit_means_fewer_workers_and_the_same_results(trained, filled):
    run = filled.train(FAST, PassOptions(workers=4, max_memory=700 * 2**20))
    assert run.workers == 1
    assert run.trained == 6
    for one, two in zip(results(trained), results(filled), strict=True):
        assert one.equals(two)


@pytest.mark.parametrize("how", ["file", "stdin"])
def test_a_script_needs_no_main_guard(filled, tmp_path, how):
    script = f"""
from bmastore import Store, TrainConfig
print(Store({str(filled.path)!r}).train(TrainConfig(preset="ultrafast")).trained)
"""
    (tmp_path / "script.py").write_text(script)
    args = [sys.executable, "-" if how == "stdin" else tmp_path / "script.py"]
    done = subprocess.run(args, input=script, capture_output=True, text=True, timeout=120)
    assert (done.stdout.strip(), done.stderr) == ("6", "")


def test_a_pass_in_another_thread_works(filled):
    done = []
    thread = threading.Thread(target=lambda: done.append(filled.train(FAST)))
    thread.start()
    thread.join()
    assert done[0].trained == 6


def test_a_pass_that_fails_as_a_whole_is_over_in_the_ledger_at_once(filled):
    """Nothing can be written where models belong, as in a folder of somebody else."""
    models_path(filled.path).mkdir(exist_ok=True)
    for i in range(256):
        (models_path(filled.path) / f"{i:02x}").write_text("")
    with pytest.raises(FileExistsError):
        filled.train(FAST)
    assert filled.sql("select status from v_runs")["status"].tolist() == ["interrupted"]
