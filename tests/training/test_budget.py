"""Time budgets: the richest preset that fits, measured."""

import pytest

from bmastore import PassOptions, Store
from bmastore.arrays import PanelArrays
from bmastore.errors import ConfigError
from bmastore.training.budget import choose_preset
from bmastore.workers.chunks import Chunk
from bmastore.workers.local import local_executor
from tests.helpers import CONFIG, cli, stock


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
