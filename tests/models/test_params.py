"""Parameters of members: what they change, what they leave alone, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bmastore import Splits, TrainConfig
from bmastore.errors import ConfigError
from bmastore.models.fit import fit_stock
from bmastore.models.members.registry import REGISTRY
from bmastore.models.presets import PRESETS
from bmastore.workers.local import local_executor
from tests.helpers import HORIZON, MEMBERS, TRAIN, stock


def hash_of(config):
    return config.resolve("y", 5, ("f0", "f1")).digest()


def with_params(**params):
    return replace(TRAIN, params=params)


@pytest.mark.parametrize(
    ("config", "frozen"),
    [
        (TrainConfig(), "16d10b64daba2126f6cc5763ff5cbd9e"),
        (TrainConfig(preset="ultrafast"), "489697487827040a330e8b5ff8b27f6b"),
        (TrainConfig(preset="fast"), "2b17065e8ea44212756aaadf644e6d21"),
        (
            TrainConfig("high", ("xgb", "zero"), "stacking", splits=Splits(n_folds=5), seed=7),
            "ed525119fb659966ffa173efdd2b5b8e",
        ),
    ],
)
def test_without_parameters_a_config_has_the_hash_that_it_always_had(config, frozen):
    """Else every stock of every store would be stale."""
    assert hash_of(config) == frozen


@pytest.mark.parametrize(
    ("params", "is_another"),
    [
        ({"xgb": {"max_depth": 3}}, True),
        ({"lgbm": {"lambda_l2": 0.5}}, True),
        ({"xgb": {"max_depth": 4}}, False),  # as in the preset
        ({"xgb": {"min_child_weight": 50}}, False),
        ({"pooled": {"num_leaves": 7}}, False),  # not among the members
        ({"xgb": {}}, False),
    ],
)
def test_a_config_has_another_hash_just_where_a_member_that_is_used_has_other_parameters(
    params, is_another
):
    assert (hash_of(with_params(**params)) != hash_of(TRAIN)) == is_another


def test_a_config_with_parameters_is_a_value_like_any_other():
    mine = {"xgb": {"max_depth": 3}}
    config = TrainConfig(params=mine)
    mine["xgb"]["max_depth"] = 9
    assert config.params == {"xgb": {"max_depth": 3}}
    with local_executor(1) as worker:
        assert worker.submit(replace, config, preset="fast").result() == replace(
            config, preset="fast"
        )
    assert config == TrainConfig(params=config.params)
    assert hash(config) == hash(replace(config, preset="standard"))
    assert config != TrainConfig()


def test_what_is_set_in_a_library_is_what_numpy_gives():
    config = TrainConfig(params={"xgb": {"max_depth": np.int64(3), "subsample": 1}})
    assert json.dumps(config.params) == '{"xgb": {"max_depth": 3, "subsample": 1.0}}'


def test_the_stored_config_has_every_parameter_of_every_member():
    config = with_params(xgb={"max_depth": 3}).resolve("y", 5, ("f0",))
    stored = json.loads(config.to_json())["params"]
    assert set(stored) == set(MEMBERS)
    assert stored["xgb"]["max_depth"] == 3
    assert stored["xgb"]["subsample"] == 0.8
    assert stored["rf"]["n_trees"] == 64


# Far from what they are, so that trees on a few hundred rows differ.
OTHERS = {
    "n_trees": 3, "learning_rate": 0.01, "patience": 1, "max_depth": 1, "num_leaves": 2,
    "min_data_in_leaf": 120, "min_child_weight": 5, "subsample": 0.3, "colsample_bytree": 0.3,
    "feature_fraction": 0.3, "feature_fraction_bynode": 0.3, "bagging_fraction": 0.3,
    "reg_alpha": 5, "reg_lambda": 500, "lambda_l1": 5, "lambda_l2": 500, "max_bin": 4,
}  # fmt: skip


@pytest.mark.parametrize(
    ("member", "name"),
    [(member, name) for member in ("rf", "xgb", "lgbm") for name in REGISTRY[member].parameters],
)
def test_each_parameter_changes_its_member_and_no_other(member, name):
    plain = fit_stock(stock(signal=0.7), TRAIN.resolve("y", HORIZON, ("a",))).folds.predictions
    config = with_params(**{member: {name: OTHERS[name]}}).resolve("y", HORIZON, ("a",))
    found = fit_stock(stock(signal=0.7), config).folds.predictions
    changed = (found != plain).any(axis=0)
    assert dict(zip(MEMBERS, changed, strict=True)) == {one: one == member for one in MEMBERS}


@pytest.mark.parametrize("preset", PRESETS)
def test_what_a_parameter_is_lies_in_its_range(preset):
    for learner in REGISTRY.values():
        for name, parameter in learner.parameters.items():
            value = parameter.of_preset(preset)
            assert parameter.checked(name, value) == value


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"xbg": {"max_depth": 3}}, "unknown member 'xbg'; did you mean xgb?"),
        (
            {"xgb": {"max_dept": 3}},
            "member xgb: unknown parameter 'max_dept'; did you mean max_depth?",
        ),
        (
            {"xgb": {"num_leaves": 3}},
            "member xgb: unknown parameter 'num_leaves'; choose from n_trees",
        ),
        ({"zero": {"value": 1}}, "member zero: unknown parameter 'value'; there is none"),
        ({"xgb": {"max_depth": 3.5}}, "max_depth of xgb must be a whole number from 1 to 64"),
        ({"xgb": {"max_depth": True}}, "whole number"),
        ({"xgb": {"max_depth": "3"}}, "not '3'"),
        ({"xgb": {"max_depth": 0}}, "from 1 to 64, not 0"),
        (
            {"lgbm": {"lambda_l2": -1}},
            "lambda_l2 of lgbm must be a number from 0 to 1,000,000, not -1",
        ),
        ({"lgbm": {"lambda_l2": float("nan")}}, "not nan"),
        ({"rf": {"bagging_fraction": 1}}, "from 0.01 to 0.99, not 1"),
        ({"xgb": 3}, "member xgb: its parameters have names"),
        ([("xgb", 3)], "params are by member"),
    ],
)
def test_what_no_member_takes_is_refused_with_what_it_takes(params, message):
    with pytest.raises(ConfigError, match="(?s)" + message.replace("?", r"\?")):
        TrainConfig(params=params)
