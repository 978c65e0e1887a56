"""What presets and members cost and are worth, on a store's own stocks."""

import duckdb
import pytest

from tests.helpers import FAST, cli, cli_json


def bench(store, *args):
    return cli_json("bench", "presets", *args, "--format", "json", "--store", store.path)


def test_bench_presets_measures_all_four_and_leaves_the_store_alone(filled):
    """What a universe of an earlier run cost is no part of what a preset costs."""
    filled.train(FAST)
    with duckdb.connect(str(filled.path)) as duck:
        duck.execute("update universes set fit_s = 1000.0")
        assert duck.execute("select count(*) from universes").fetchall()[0][0] > 0
    before = filled.path.read_bytes()
    rows = bench(filled, "--stocks", 2)
    assert [row["preset"] for row in rows] == ["ultrafast", "fast", "standard", "high"]
    assert all(0 < row["core_seconds_per_stock"] < 60 for row in rows)
    assert all(0 < row["minutes_for_3800"] < 300 for row in rows)
    assert all(0.3 < row["mse_vs_zero"] < 1.1 for row in rows)
    assert all(0 < row["mse_vs_zero_se"] < 1 for row in rows)
    assert (rows[-1]["mse_vs_high"], rows[-1]["mse_vs_high_se"]) == (1, 0)
    assert filled.path.read_bytes() == before


@pytest.fixture
def of_three(filled):
    """A store whose config file names three members."""
    text = 'preset = "ultrafast"\n[members]\nuse = ["lgbm", "zero", "pooled"]\n'
    (filled.path.parent / "bmastore.toml").write_text(text)
    return filled


def test_members_are_measured_by_what_the_others_forecast_without_them(of_three):
    before = of_three.path.read_bytes()
    first, *rows = bench(of_three, "--members", "--stocks", 6)
    assert (first["member"], first["weight"]) == ("all", 1)
    assert first["core_seconds_per_stock"] > 0
    assert [row["member"] for row in rows] == ["lgbm", "zero", "pooled"]
    assert sum(row["weight"] for row in rows) == pytest.approx(1)
    assert all(0 < row["mse_vs_zero_without"] < 3 for row in rows)
    by_name = {row["member"]: row for row in rows}
    # The planted signal is a stock's own: without the member that learns it nothing is foretold.
    assert by_name["lgbm"]["mse_without_vs_with"] > 1
    assert by_name["lgbm"]["mse_without_vs_with"] > by_name["zero"]["mse_without_vs_with"]
    assert of_three.path.read_bytes() == before


def test_members_to_measure_can_be_named(of_three):
    rows = bench(of_three, "--members", "lgbm,zero", "--stocks", 2)
    assert [row["member"] for row in rows] == ["all", "lgbm", "zero"]


def test_a_single_member_cannot_be_left_out(of_three):
    args = ("bench", "presets", "--members", "lgbm", "--store", of_three.path)
    assert "none can be left out" in cli(*args, check=2).stderr
