"""A store may have several targets: a pass trains them all, unless some are named."""

import pytest

from bmastore import TrainConfig
from bmastore.errors import ConfigError
from tests.helpers import FAST, HORIZON, TARGET, cli, cli_json


@pytest.fixture
def two(store, panel):
    """A store with two targets."""
    features = panel.drop(columns=TARGET)
    for name, sign in (("up", 1.0), ("down", -1.0)):
        store.ingest(features.assign(**{name: sign * panel[TARGET]}), target=name, horizon=HORIZON)
    return store


def test_a_pass_trains_all_targets(two):
    run = two.train(FAST)
    assert (run.selected, run.trained) == (12, 12)
    assert [one.selected for one in run.runs] == [6, 6]
    trained = two.sql("select target, count(*) as n from v_latest group by all order by all")
    assert trained.to_numpy().tolist() == [["down", 6], ["up", 6]]
    assert two.train(FAST).selected == 0


def test_one_may_be_named(two):
    run = two.train(TrainConfig(preset="ultrafast", target="up"))
    assert run.trained == 6
    assert run.runs == ()
    assert two.sql("select distinct target from v_latest")["target"].tolist() == ["up"]


def test_predict_forecasts_all_targets_that_are_trained(two):
    two.train(FAST)
    frame = two.predict(tickers=["DEMO01"]).frame
    assert frame["target"].tolist() == ["down", "up"]
    assert two.predict(target="up").frame["target"].unique().tolist() == ["up"]
    with pytest.raises(ConfigError, match="no target 'sideways'"):
        two.predict(target="sideways")


def test_several_may_be_named_on_the_command_line(two):
    args = ("--preset", "ultrafast", "--target", "up", "--target", "down", "--store", two.path)
    outlines = cli("train", "--dry-run", "--json", *args).stdout.splitlines()
    assert len(outlines) == 2
    summary = cli_json("train", "--json", *args)
    assert summary["trained"] == 12
    assert len(summary["runs"]) == 2


def test_a_backtest_has_one_target(two):
    with pytest.raises(ConfigError, match="several targets; name one of down, up"):
        two.backtest(FAST)
