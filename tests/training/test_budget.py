"""Time budgets: the richest preset that fits, measured; and what the presets are worth."""

import duckdb
import pytest

from bmastore import PassOptions, Store
from bmastore.arrays import PanelArrays
from bmastore.errors import ConfigError
from bmastore.training.budget import choose_preset
from bmastore.workers.chunks import Chunk
from bmastore.workers.local import local_executor
from tests.helpers import CONFIG, FAST, cli, cli_json, stock


def pilot(n=4):
    rows = PanelArrays.of([stock(seed=i, ticker=str(i)) for i in range(n)])
    return Chunk(rows, (None,) * n).alone()


def test_a_generous_budget_takes_the_richest_preset_and_a_mean_one_the_cheapest():
    rich = choose_preset(pilot(), CONFIG, 1e6, local_executor)
    poor = choose_preset(pilot(), CONFIG, 1e-6, local_executor)
    assert (rich.preset, poor.preset) == ("high", "ultrafast")
    assert rich.core_seconds > poor.core_seconds > 0
    assert "fits 1e+06 s" in rich.sentence(3800, 2)
    assert "does not fit" in poor.sentence(3800, 2)


def test_the_choice_is_said_recorded_and_kept(filled):
    said = []
    options = PassOptions(time_per_stock=60.0)
    store = Store(filled.path, say=said.append)
    assert store.train(options=options).trained == 6
    run = filled.sql("select preset, time_per_stock from v_runs").iloc[0]
    assert tuple(run) == ("high", 60.0)
    assert "preset high costs" in said[0]
    assert "6 stocks with 2 workers: about" in said[0]
    # Another pilot might choose otherwise, and make every stock stale.
    assert store.train(options=options).selected == 0
    assert "as in the last run" in said[1]


def test_budgets_on_the_command_line(filled):
    done = cli("train", "--time-per-stock", "0.0001", "--store", filled.path)
    assert "preset ultrafast" in done.stderr
    assert "about" in done.stderr
    refused = cli("train", "--time-per-stock", "1", "--preset", "fast", check=2)
    assert "either --preset or --time-per-stock" in refused.stderr
    with pytest.raises(ConfigError):
        PassOptions(time_per_stock=0)


def test_bench_presets_measures_all_four_and_leaves_the_store_alone(filled):
    before = filled.path.read_bytes()
    rows = cli_json("bench", "presets", "--stocks", 2, "--format", "json", "--store", filled.path)
    assert [row["preset"] for row in rows] == ["ultrafast", "fast", "standard", "high"]
    assert all(0 < row["core_seconds_per_stock"] < 60 for row in rows)
    assert all(0.3 < row["mse_vs_zero"] < 1.1 for row in rows)
    assert rows[-1]["mse_vs_high"] == 1
    assert filled.path.read_bytes() == before


def test_what_a_universe_of_another_run_cost_is_no_part_of_a_presets_cost(filled):
    filled.train(FAST)
    with duckdb.connect(str(filled.path)) as duck:
        duck.execute("update universes set fit_s = 1000.0")
        assert duck.execute("select count(*) from universes").fetchall()[0][0] > 0
    rows = cli_json("bench", "presets", "--stocks", 2, "--format", "json", "--store", filled.path)
    assert all(0 < row["core_seconds_per_stock"] < 60 for row in rows)
    assert all(0 < row["minutes_for_3800"] < 300 for row in rows)
