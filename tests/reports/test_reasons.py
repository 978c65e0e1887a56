"""Reasons for people: what forecasts are the sums of, by member and by feature."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from bmastore import Estimator, TrainConfig
from bmastore.storage.paths import models_path
from tests.helpers import FAST, HORIZON, TARGET, cli, cli_json

COLUMNS = ["ticker", "date", "target", "member", "weight", "part", "feature", "value",
           "contribution"]  # fmt: skip
# Holds a store until nobody listens to it any more.
HOLD = """
import sys
from pathlib import Path
from bmastore.storage.session import open_writer
with open_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def assert_sums(store, **asked):
    """What is told of forecasts sums to them: of each stock and date."""
    told = store.predict(contributions=True, **asked).frame
    sums = told.groupby(["target", "ticker", "date"])["contribution"].sum()
    forecasts = store.predict(**asked).frame.set_index(["target", "ticker", "date"])["mean"]
    assert len(sums) == len(forecasts) > 0
    np.testing.assert_allclose(sums.reindex(forecasts.index), forecasts, rtol=1e-6, atol=1e-12)
    return told


def test_contributions_sum_to_the_forecasts(trained, panel):
    told = assert_sums(trained, since=sorted(panel["date"].unique())[-40].date())
    assert list(told.columns) == COLUMNS
    assert told["ticker"].nunique() == 6
    assert set(told["part"]) == {"base", "feature"}
    assert told.loc[told["part"] == "base", "feature"].isna().all()


def test_they_tell_the_features_that_were_seen(trained, panel):
    told = trained.predict(contributions=True, tickers=["DEMO01"]).frame
    newest = panel[panel["ticker"] == "DEMO01"].iloc[-1]
    for row in told[told["part"] == "feature"].itertuples():
        assert row.date == newest["date"]
        assert row.value == np.float32(newest[row.feature])


def test_they_sum_where_features_are_missing_and_there_are_several_targets(store, panel):
    gappy = panel.copy()
    gappy.loc[gappy.index[::7], "carry"] = np.nan
    gappy["other"] = 2 * gappy[TARGET]
    store.ingest(gappy, target={TARGET: HORIZON, "other": HORIZON})
    store.train(FAST)
    told = assert_sums(store, since=panel["date"].max() - np.timedelta64(10, "D"))
    assert set(told["target"]) == {TARGET, "other"}
    assert told.loc[told["feature"] == "carry", "value"].isna().any()


def test_of_a_member_of_ones_own_the_whole_is_told(filled):
    ridge = Estimator("ridge", make_pipeline(SimpleImputer(), Ridge()))
    filled.train(TrainConfig(preset="ultrafast", members=(ridge, "lgbm")))
    told = assert_sums(filled)
    own = told[told["member"] == "ridge"]
    assert set(own["part"]) == {"undivided"}
    assert own["feature"].isna().all()
    text = cli("explain", own["ticker"].iloc[0], "--store", filled.path).stdout
    assert "not told apart" in text


def test_explain_gives_the_newest_forecast_as_a_sum(trained):
    text = cli("explain", "DEMO01", "--store", trained.path).stdout
    (mean,) = trained.predict(tickers=["DEMO01"]).frame["mean"]
    assert f"mean {mean:+.6f}" in text
    by_member, by_feature = text.partition("by member")[2].split("by feature")
    for lines in (by_member, by_feature):
        added = [float(line.split()[1]) for line in lines.splitlines() if line.startswith("    ")]
        assert sum(added) == pytest.approx(mean, abs=1e-6 * len(added))
    assert by_feature.splitlines()[1].split()[0] == "momentum"
    assert "  base " in by_feature


def test_a_program_gets_all_of_an_explanation(trained):
    (found,) = cli_json("explain", "DEMO01", "--format", "json", "--store", trained.path)
    assert {"ticker", "status", "data_digest_now", "config_hash_now"} <= found.keys()
    assert {row["member"] for row in found["members"]} >= {"rf", "xgb", "lgbm", "pooled"}
    (mean,) = trained.predict(tickers=["DEMO01"]).frame["mean"]
    assert sum(row["contribution"] for row in found["contributions"]) == pytest.approx(mean)
    assert found["no_reasons"] is None


def test_explain_without_models_says_why_there_are_no_reasons(trained, filled):
    models_path(trained.path).rename(trained.path.parent / "elsewhere")
    text = cli("explain", "DEMO01", "--store", trained.path).stdout
    assert "DEMO01 is trained" in text
    assert "what moved its forecast cannot be told" in text
    assert "is missing" in text
    text = cli("explain", "DEMO01", "--store", filled.path).stdout
    assert "no trained ensemble of DEMO01" in text


def test_explain_answers_while_a_pass_holds_the_store(trained):
    command = [sys.executable, "-c", HOLD, str(trained.path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        found = trained.explain("DEMO01")
        holder.stdin.close()
    assert found.contributions is None
    assert "another process holds the store" in found.no_reasons
    assert trained.explain("DEMO01").contributions.rows


def test_explanations_are_the_same_for_published_results_alone(trained):
    published = trained.path.with_name("bma.results.duckdb")
    text = cli("explain", "DEMO01", "--store", published).stdout
    assert "DEMO01 is trained" in text
    assert "name the store itself" in text
