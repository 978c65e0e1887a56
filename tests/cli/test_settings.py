"""The config file: what it may say, what goes before it, and what is in force."""

import json
import re

import pytest

from bmastore import PassOptions, Store, TrainConfig
from bmastore.models.members.registry import REGISTRY
from tests.cli.test_docs import PAGES
from tests.helpers import FAST, HORIZON, TARGET, cli, cli_json

FILE = """
preset = "ultrafast"
seed = 3
max_memory = "2GB"

[members]
use = ["xgb", "lgbm", "zero"]

[members.xgb]
max_depth = 2
"""
CONFIG = TrainConfig(
    preset="ultrafast", seed=3, members=("xgb", "lgbm", "zero"), params={"xgb": {"max_depth": 2}}
)
PAGE = PAGES["config"]
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", PAGE, re.S)


def write(folder, text=FILE, name="bmastore.toml"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def in_force(*args, **kwargs):
    """Value and source of each setting."""
    rows = cli_json("config", "--format", "json", *args, **kwargs)
    return {row["setting"]: (row["value"], row["source"]) for row in rows}


def test_config_says_what_is_in_force_and_where_each_value_comes_from(tmp_path, monkeypatch):
    monkeypatch.setenv("BMASTORE_CLUSTER", "local:2")
    write(tmp_path)
    found = in_force("--seed", 5, cwd=tmp_path)
    expected = {
        "store": ("bma.duckdb", "default"),
        "ledger": (None, "default"),
        "preset": ("ultrafast", "file"),
        "seed": ("5", "command line"),
        "weighting": ("pseudo-bma", "default"),
        "features": (None, "default"),
        "max_memory": (str(2 * 2**30), "file"),
        "cluster": ("local:2", "environment"),
        "members.use": ("xgb,lgbm,zero", "file"),
        "members.xgb.max_depth": ("2", "file"),
        "members.xgb.n_trees": ("24", "preset"),
        "members.xgb.subsample": ("0.8", "default"),
    }
    assert {name: found[name] for name in expected} == expected
    assert not [name for name in found if name.startswith("members.rf.")]


def test_config_says_which_file_was_read(tmp_path):
    assert "there is no bmastore.toml beside bma.duckdb" in cli("config", cwd=tmp_path).stderr
    path = write(tmp_path, name="mine.toml")
    for how in ({"args": ("--config", path)}, {"env": {"BMASTORE_CONFIG": str(path)}}):
        done = cli("config", *how.get("args", ()), cwd=tmp_path, env=how.get("env"))
        assert done.stderr == f"settings: {path}\n"
        assert re.search("^seed .* 3 .* file", done.stdout, re.M)


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(
    tmp_path, monkeypatch
):
    write(tmp_path, 'cluster = "local:1"')
    assert in_force(cwd=tmp_path)["cluster"] == ("local:1", "file")
    monkeypatch.setenv("BMASTORE_CLUSTER", "local:2")
    assert in_force(cwd=tmp_path)["cluster"] == ("local:2", "environment")
    found = in_force("--cluster", "local:3", cwd=tmp_path)
    assert found["cluster"] == ("local:3", "command line")


def test_a_named_file_goes_before_the_one_beside_the_store(tmp_path, monkeypatch):
    write(tmp_path)
    monkeypatch.setenv("BMASTORE_CONFIG", str(write(tmp_path, "seed = 4", "other.toml")))
    assert in_force(cwd=tmp_path)["seed"] == ("4", "file")
    write(tmp_path, "seed = 5", "third.toml")
    assert in_force("--config", "third.toml", cwd=tmp_path)["seed"] == ("5", "file")


def test_the_file_lies_beside_the_store_itself_and_not_beside_a_link_to_it(trained, tmp_path):
    write(trained.path.parent)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere, "seed = 9")
    (elsewhere / "link.duckdb").symlink_to(trained.path)
    for order in (("--store", elsewhere / "link.duckdb"), ("--store", trained.path)):
        assert in_force(*order, cwd=tmp_path)["seed"] == ("3", "file")


def test_a_store_that_is_not_there_yet_may_have_its_file(tmp_path):
    (tmp_path / "new").mkdir()
    write(tmp_path / "new")
    assert in_force("--store", tmp_path / "new" / "bma.duckdb")["seed"] == ("3", "file")


def test_secrets_are_masked(tmp_path, monkeypatch):
    monkeypatch.setenv("BMASTORE_LEDGER", "postgresql://me:hush@host/db")
    write(tmp_path, 'cluster = "tls://me:quiet@host:8786"')
    done = cli("config", cwd=tmp_path)
    assert "hush" not in done.stdout + done.stderr
    assert "quiet" not in done.stdout + done.stderr
    assert "postgresql://me:***@host/db" in done.stdout


def test_train_backtest_and_python_mean_the_same_by_it(filled):
    path, file = filled.path, write(filled.path.parent)
    done = cli("train", "--store", path)
    assert f"settings: {file}" in done.stderr
    assert filled.plan(CONFIG)[0].stocks == ()
    assert len(filled.plan(TrainConfig(preset="ultrafast"))[0].stocks) == 6
    stored = json.loads(filled.sql("select config from v_runs")["config"][0])
    assert stored["params"]["xgb"]["max_depth"] == 2
    assert stored["params"]["xgb"]["subsample"] == 0.8
    cli("backtest", "--cutoffs", 1, "--every", 20, "--store", path)
    hashes = filled.sql("select config_hash from v_runs union select config_hash from v_backtests")
    assert len(hashes) == 1


def test_a_dry_run_says_what_is_stale_by_the_file(trained):
    stale = ("train", "--dry-run", "--json", "--store", trained.path)
    assert cli_json(*stale, "--preset", "ultrafast")["selected"] == 0
    write(trained.path.parent, 'preset = "ultrafast"')
    assert cli_json(*stale)["selected"] == 0
    write(trained.path.parent, 'preset = "ultrafast"\n[members.lgbm]\nnum_leaves = 7')
    outline = cli_json(*stale)
    assert outline["causes"] == {"config": 6}


def test_a_stock_trained_with_parameters_differs_in_that_member_alone(tmp_path, panel):
    folds = []
    for name, config in (
        ("plain", FAST),
        ("other", TrainConfig(preset="ultrafast", params={"xgb": {"max_depth": 1}})),
    ):
        store = Store(tmp_path / f"{name}.duckdb")
        store.ingest(panel, target=TARGET, horizon=HORIZON)
        store.train(config, PassOptions(tickers=("DEMO00",)))
        folds.append(
            store.sql("select member, oof_rmse from v_weights order by member").set_index("member")
        )
    same = (folds[0] == folds[1])["oof_rmse"]
    assert same.to_dict() == {member: member != "xgb" for member in sorted(FAST.names)}


def test_a_time_budget_on_the_command_line_goes_before_a_preset_of_the_file(filled):
    write(filled.path.parent, 'preset = "high"')
    done = cli("train", "--time-per-stock", "0.0001", "--limit", 1, "--store", filled.path)
    assert "preset ultrafast costs" in done.stderr


def test_monitor_is_about_the_targets_of_the_file(tmp_path, panel):
    store = Store(tmp_path / "bma.duckdb")
    both = panel.assign(up=panel[TARGET] * 2)
    store.ingest(both, target=[f"{TARGET}:{HORIZON}", f"up:{HORIZON}"])
    found = cli_json("monitor", "--json", "--store", store.path)
    assert {report["target"] for report in found} == {TARGET, "up"}
    write(store.path.parent, 'targets = ["up"]')
    (report,) = cli_json("monitor", "--json", "--store", store.path)
    assert report["target"] == "up"
    found = cli_json(
        "monitor", "--json", "--target", "up", "--target", TARGET, "--store", store.path
    )
    assert [report["target"] for report in found] == ["up", TARGET]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("weigthing = 'em'", "unknown key 'weigthing'; did you mean weighting? Choose from preset"),
        ("[train]\nseed = 1", "unknown key 'train'; choose from preset"),
        ("seed = '3'", "seed must be a whole number, not text"),
        ("seed = 3.5", "seed must be a whole number, not 3.5"),
        ("seed = true", "seed must be a whole number, not true or false"),
        ("seed = -1", "seed: -1 is not in the range"),
        ("max_age = nan", "max_age must be a number, not nan"),
        ("preset = 'fats'", "preset: 'fats' is not one of 'ultrafast'"),
        ("preset = 3", "preset must be text, not 3"),
        ("max_memory = 8", 'max_memory must be text, as "8GB", not 8'),
        ("max_memory = 'lots'", "max_memory: 'lots' is not an amount of memory"),
        ("features = 'carry'", 'features must be a list of names, as ["one", "other"], not text'),
        ("targets = []", "targets must be a list of names"),
        ("targets = [1]", "targets must be a list of names"),
        ("members = ['rf']", "members is a table: write [members], and below it use = [ … ]"),
        ("[members]\nuse = ['xbg']", "unknown member 'xbg'; did you mean xgb?"),
        ("[members]\nuse = ['pooled']", "the member pooled needs company"),
        ("[members]\nusee = ['rf']", "unknown key 'members.usee'; did you mean members.use?"),
        ("[members]\nrf = 3", "member rf: its parameters have names, unlike 3"),
        ("[members.xbg]\nmax_depth = 3", "unknown member 'xbg'; did you mean xgb?"),
        ("[members.xgb]\nmax_dept = 3", "unknown parameter 'max_dept'; did you mean max_depth?"),
        ("[members.xgb]\nmax_depth = '3'", "max_depth of xgb must be a whole number from 1 to 64"),
        (
            "[members.xgb]\nseed = 3",
            "seed is a key of the file itself: it stands above any [table]",
        ),
        ("seed = 1\nseed =\n", "is not valid TOML: Invalid value (at line 2"),
    ],
)
def test_what_is_no_setting_is_named_with_its_file(tmp_path, text, message):
    path = write(tmp_path, text)
    refused = cli("train", "--store", tmp_path / "bma.duckdb", check=2)
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"bmastore: {path}")
    assert message in line


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path):
    refused = cli("config", "--config", "none.toml", check=2, cwd=tmp_path)
    assert "cannot read the config file none.toml: No such file" in refused.stderr
    (tmp_path / "bmastore.toml").symlink_to("none.toml")
    refused = cli("config", check=2, cwd=tmp_path)
    assert "cannot read the config file bmastore.toml: No such file" in refused.stderr
    (tmp_path / "bytes.toml").write_bytes(b"seed = \xff")
    refused = cli("config", "--config", "bytes.toml", check=2, cwd=tmp_path)
    assert "bytes.toml is not valid TOML" in refused.stderr


def test_the_example_of_the_documentation_is_in_force_as_it_says(tmp_path):
    write(tmp_path, EXAMPLE)
    found = in_force(cwd=tmp_path)
    assert found["members.xgb.max_depth"] == ("3", "file")
    settings = {name for name in found if not re.match(r"members\.\w+\.|store|ledger", name)}
    assert settings == {name for name in settings if found[name][1] == "file"}


def test_every_key_and_parameter_is_documented(tmp_path):
    keys = {name for name in in_force(cwd=tmp_path) if not re.match(r"members\.\w+\.", name)}
    documented = set(re.findall(r"^\| `([\w.]+)` \|", PAGE, re.M))
    assert documented == keys - {"store", "ledger"}
    for learner in REGISTRY.values():
        listed = re.findall(rf"^\| {learner.name} \| (.*) \|$", PAGE, re.M)
        names = re.findall(r"`(\w+)`", listed[0]) if listed else []
        assert names == list(learner.parameters), learner.name
