"""Importances: what splits have gained by feature, of the ensembles in use and no others."""

import duckdb
import numpy as np
import pytest

from bmastore import PassOptions, TrainConfig
from bmastore.ledger.ensembles import shares_by_feature
from bmastore.storage.paths import results_path
from tests.helpers import FAST, HORIZON, TARGET

OWN = TrainConfig(preset="ultrafast", members=("rf", "xgb", "lgbm"))
SHARES = "select ticker, member, feature, share from v_importances order by all"


def test_they_sum_to_one_for_each_member_with_weight_that_has_trees(trained):
    sums = trained.sql("select ticker, member, sum(share) as s from v_importances group by all")
    np.testing.assert_allclose(sums["s"], 1, atol=1e-6)
    used = trained.sql(
        "select ticker, member from v_weights where weight > 0 and member not in ('zero', 'mean')"
    )
    found = set(sums[["ticker", "member"]].itertuples(index=False, name=None))
    assert found == set(used.itertuples(index=False, name=None))


def test_the_feature_that_was_planted_is_what_members_look_at(trained):
    top = trained.sql(
        "select member, arg_max(feature, share) as feature "
        "from (select member, feature, avg(share) as share from v_importances group by all) "
        "group by member"
    )
    assert set(top["feature"]) == {"momentum"}


def test_published_results_have_them(trained):
    with duckdb.connect(str(results_path(trained.path)), read_only=True) as duck:
        assert duck.execute(SHARES).df().equals(trained.sql(SHARES))


def test_they_are_replaced_when_a_stock_is_trained_again(trained, panel):
    before = trained.sql(SHARES)
    revised = panel[panel["ticker"] == "DEMO01"].assign(momentum=lambda one: -one["momentum"] / 3)
    trained.ingest(revised, target=TARGET, horizon=HORIZON)
    trained.train(FAST)
    after = trained.sql(SHARES)
    others = [
        frame[frame["ticker"] != "DEMO01"].reset_index(drop=True) for frame in (before, after)
    ]
    assert others[0].equals(others[1])
    mine = [frame[frame["ticker"] == "DEMO01"] for frame in (before, after)]
    assert not mine[0].reset_index(drop=True).equals(mine[1].reset_index(drop=True))
    assert len(trained.sql("from ensembles")) <= 6


def test_a_look_back_does_not_replace_them(trained, panel):
    before = trained.sql(SHARES)
    options = PassOptions(force=True, as_of=sorted(panel["date"].unique())[-30].date())
    assert trained.train(FAST, options).trained == 6
    assert trained.sql(SHARES).equals(before)
    assert trained.verify().findings == ()


def test_an_ensemble_without_trees_has_none(trained):
    trained.train(TrainConfig(preset="ultrafast", members=("zero", "mean")))
    assert trained.sql(SHARES).empty
    assert trained.verify().findings == ()


def test_stocks_that_are_forgotten_have_none(trained):
    trained.forget(["DEMO01"])
    assert "DEMO01" not in set(trained.sql(SHARES)["ticker"])
    assert trained.verify().findings == ()


def test_verify_finds_those_of_ensembles_that_are_not_in_use(filled):
    filled.train(OWN)
    with duckdb.connect(str(filled.path)) as duck:
        duck.execute("update ensembles set entry_id = 'gone' where ticker = 'DEMO01'")
    assert {(finding.what, finding.problem) for finding in filled.verify().findings} == {
        ("ensembles", "1 ensembles that are not in use, such as of DEMO01"),
        ("model of DEMO01", "it is lost"),
    }


def test_targets_have_their_own(store, panel):
    store.ingest(
        panel.assign(other=panel[TARGET].abs()), target={TARGET: HORIZON, "other": HORIZON}
    )
    store.train(OWN)
    found = store.sql(
        "select ticker, target, member, sum(share) as s from v_importances group by 1, 2, 3"
    )
    assert set(found["target"]) == {TARGET, "other"}
    np.testing.assert_allclose(found["s"], 1, atol=1e-6)


@pytest.mark.parametrize("p", [1, 3, 12, 900])
def test_shares_are_rounded_and_still_sum_to_one(p):
    shares = np.random.default_rng(p).dirichlet(np.full(p, 0.05))
    told = shares_by_feature([f"f{i}" for i in range(p)], shares)
    assert sum(share for _, share in told) == pytest.approx(1, abs=1e-9)
    for name, share in told:
        assert share == pytest.approx(shares[int(name[1:])], abs=1e-2)
        assert share > 0


def test_what_has_gained_nothing_has_no_shares():
    assert shares_by_feature(("a", "b"), np.zeros(2)) == []
