"""Members of one's own in a store: trained, kept, trusted, told apart, from Python and commands."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

import bmastore
from bmastore import Estimator, PassOptions, TrainConfig
from bmastore.datasets import HORIZON, TARGET, known_on
from tests.helpers import causes, cli, cli_json

PAGE = Path(bmastore.__file__).parent / "docs" / "members.md"


def with_ridge(alpha=1.0):
    ridge = Estimator("ridge", make_pipeline(SimpleImputer(), Ridge(alpha=alpha)))
    return TrainConfig(preset="ultrafast", members=("lgbm", "zero", "pooled", ridge))


@pytest.fixture
def owned(filled):
    filled.train(with_ridge())
    return filled


def test_a_store_is_trained_with_it_and_forecasts_by_it(owned):
    weights = owned.sql("select member, avg(weight) as weight from v_weights group by member")
    assert dict(weights.itertuples(index=False))["ridge"] > 0.5
    predicted = owned.predict()
    assert not predicted.failures
    stored = owned.sql("select ticker, mean from v_newest_forecasts order by ticker")
    forecast = predicted.frame.sort_values("ticker")["mean"].tolist()
    assert forecast == pytest.approx(stored["mean"].tolist(), rel=1e-6)
    assert owned.verify().findings == ()


def test_it_is_the_same_for_any_number_of_workers(owned, tmp_path, panel):
    alone = bmastore.Store(tmp_path / "alone.duckdb")
    alone.ingest(panel, target=TARGET, horizon=HORIZON)
    alone.train(with_ridge(), PassOptions(workers=1))
    hashes = (
        "select ledger.ticker, artifact_sha256, weights "
        "from ledger inner join ensembles using (entry_id) order by all"
    )
    assert alone.sql(hashes).equals(owned.sql(hashes))


def test_nothing_is_stale_until_a_parameter_is_another(owned):
    assert owned.train(with_ridge()).selected == 0
    (plan,) = owned.plan(with_ridge(alpha=2))
    assert plan.stocks_by_cause == {"config": 6}


def test_a_day_later_folds_are_used_again_and_give_the_same(store, panel, tmp_path):
    days = sorted(panel["date"].unique())
    for day in days[-3:-1]:
        store.ingest(known_on(panel, day), target=TARGET, horizon=HORIZON)
        store.train(with_ridge())
    anew = bmastore.Store(tmp_path / "anew.duckdb")
    anew.ingest(known_on(panel, days[-2]), target=TARGET, horizon=HORIZON)
    anew.train(with_ridge())
    hashes = "select ticker, artifact_sha256 from v_latest order by ticker"
    assert anew.sql(hashes).equals(store.sql(hashes))


def test_a_backtest_judges_it_beside_the_others(filled):
    report = filled.backtest(with_ridge(), cutoffs=1, every=20)
    assert not report.failures
    found = filled.sql("select forecaster from v_backtest where slice = 'all'")
    assert "ridge" in set(found["forecaster"])


def test_one_that_fails_on_all_stocks_is_told_and_the_others_are_averaged(filled):
    bad = Estimator("bad", make_pipeline(SimpleImputer(), Ridge(alpha=-1)))
    run = filled.train(TrainConfig(preset="ultrafast", members=("lgbm", "zero", bad)))
    assert (run.trained, run.member_failures) == (6, {"bad": 6})
    found = filled.sql("select member, weight, member_error from v_weights where member = 'bad'")
    assert set(found["weight"]) == {0}
    assert found["member_error"].str.contains("alpha").all()
    assert filled.sql("select count(*) as n from v_entries where status = 'trained'")["n"][0] == 6


def test_one_that_fails_on_all_stocks_leaves_the_others_what_the_universe_says_of_them(
    filled, panel, tmp_path
):
    bad = Estimator("bad", make_pipeline(SimpleImputer(), Ridge(alpha=-1)))
    members = ("lgbm", "zero", "pooled")
    filled.train(TrainConfig(preset="ultrafast", members=(*members, bad)))
    without = bmastore.Store(tmp_path / "without.duckdb")
    without.ingest(panel, target=TARGET, horizon=HORIZON)
    without.train(TrainConfig(preset="ultrafast", members=members))
    weights = "select ticker, member, weight from v_weights where member <> 'bad' order by all"
    assert filled.sql(weights).equals(without.sql(weights))
    priors = "select member, prior_weight, advantage from v_universe where member <> 'bad'"
    assert filled.sql(priors).equals(without.sql(priors))
    unknown = filled.sql("select prior_weight, advantage from v_universe where member = 'bad'")
    assert unknown["prior_weight"].tolist() == [0]
    assert unknown["advantage"][0] == filled.sql(priors)["advantage"].min()


def test_permutation_importances_are_measured_where_they_are_asked_for(filled):
    ridge = Estimator("ridge", make_pipeline(SimpleImputer(), Ridge()), permuted=True)
    config = TrainConfig(preset="ultrafast", members=("zero", ridge))
    filled.train(config)
    found = filled.sql("select ticker, feature, share from v_importances where member = 'ridge'")
    sums = found.groupby("ticker")["share"].sum()
    assert sums.tolist() == pytest.approx([1.0] * 6, abs=1e-3)
    top = found.loc[found.groupby("ticker")["share"].idxmax(), "feature"]
    assert set(top) == {"momentum"}
    assert filled.train(config).selected == 0
    (plan,) = filled.plan(with_ridge())
    assert plan.stocks_by_cause == {"config": 6}


def test_others_have_none(owned):
    assert set(owned.sql("select distinct member from v_importances")["member"]) <= {
        "lgbm", "pooled",
    }  # fmt: skip


def test_the_lines_of_the_documentation_run(tmp_path):
    lines = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)[1]
    assert len([line for line in lines.splitlines() if line]) <= 11
    head, store, rest = lines.partition("store = ")
    script = head + "if __name__ == '__main__':\n" + textwrap.indent(store + rest, "    ")
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "ridge" in done.stdout


# --- somebody's package -----------------------------------------------------------------------


MODELS = """
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge

class Own(RegressorMixin, BaseEstimator):
    def __init__(self, alpha=1.0):
        self.alpha = alpha
    def fit(self, X, y):
        self.inner_ = Ridge(alpha=self.alpha).fit(X, y)
        return self
    def predict(self, X):
        return self.inner_.predict(X)

own = Own()
def make():
    return Own(alpha=2.0)
"""


@pytest.fixture
def package(tmp_path):
    """An environment in which somebody's package is installed, which brings a member."""
    site = tmp_path / "site"
    (site / "theirs").mkdir(parents=True)
    (site / "theirs" / "__init__.py").write_text("")
    (site / "theirs" / "models.py").write_text(MODELS)
    info = site / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("theirs\n")
    (info / "entry_points.txt").write_text("[bmastore.members]\ntheirs = theirs.models:make\n")
    return {"env": {**os.environ, "PYTHONPATH": str(site)}}


def run_with(member, store, package, *more, check=0):
    return cli(
        "train", "--preset", "ultrafast", "--members", f"lgbm,zero,{member}", "--store", store.path,
        *more, check=check, **package,
    )  # fmt: skip


@pytest.mark.parametrize("member", ["own=theirs.models:own", "own=theirs.models:make", "theirs"])
def test_it_is_named_by_its_path_or_as_an_entry_point(filled, package, member):
    run_with(member, filled, package)
    assert filled.sql("select distinct status from v_status")["status"].tolist() == ["trained"]
    assert "theirs=1.0" in filled.sql("select code_version from v_runs")["code_version"][0]


def test_a_config_file_brings_it(filled, package):
    file = filled.path.parent / "bmastore.toml"
    file.write_text(
        '[members.own]\nestimator = "theirs.models:own"\nweighted = false\npermuted = true\n'
    )
    cli("train", "--preset", "ultrafast", "--store", filled.path, **package)
    assert "own" in set(filled.sql("select member from v_weights")["member"])
    assert "own" in set(filled.sql("select member from v_importances")["member"])
    shown = cli_json("config", "--format", "json", "--store", filled.path, **package)
    own = next(row for row in shown if row["setting"] == "members.own.estimator")
    assert (own["value"], own["source"]) == ("Own()", "file")
    file.write_text('[members.own]\nestimator = "theirs.models:own"\nwieghted = true\n')
    done = cli("train", "--store", filled.path, check=2, **package)
    assert "unknown key 'members.own.wieghted'" in done.stderr


@pytest.mark.parametrize("member", ["own=theirs.models:nothing", "own=nowhere:x", "theirz"])
def test_one_that_is_not_there_is_an_error_in_a_sentence(filled, package, member):
    done = run_with(member, filled, package, check=2)
    assert "Traceback" not in done.stderr
    assert "own" in done.stderr or "did you mean theirs" in done.stderr


def test_its_type_is_read_only_where_it_is_trusted(filled, package):
    run_with("own=theirs.models:own", filled, package)
    here = ["--store", filled.path]
    done = cli("predict", *here, check=1, **package)
    assert done.stderr.count("theirs.models.Own, which is not trusted") == 6
    listed = cli("explain", "--trust", "--format", "json", *here, **package)
    assert '"type": "theirs.models.Own"' in listed.stdout.replace(':"', ': "')
    assert "export BMASTORE_TRUST=theirs.models.Own" in listed.stderr
    trusting = {"env": {**package["env"], "BMASTORE_TRUST": "theirs.models.Own"}}
    done = cli("predict", "--format", "csv", *here, **trusting)
    assert done.stdout.count("DEMO") == 6
    assert "nothing waits" in cli("explain", "--trust", *here, **trusting).stderr
    assert cli("verify", *here, **package).returncode == 0


def test_a_night_that_only_forecasts_trusts_what_the_config_brings(store, panel, package):
    days = sorted(panel["date"].unique())
    for day in days[-3:-1]:
        store.ingest(known_on(panel, day), target=TARGET, horizon=HORIZON)
        done = run_with("own=theirs.models:own", store, package, "--stale-after", "5")
    assert "6 only forecast" in done.stderr
    assert causes(store) == {}
