"""What stocks borrow from each other: the pooled member, and the prior of their weights."""

import json
import os
from functools import partial

import numpy as np
import pandas as pd
import pytest
from bmastore.demo import universe as made_up
from bmastore.members.pooled import clip_by_date, date_weights, less_market
from conftest import FAST, HORIZON, TARGET, PassOptions, TamperedExecutor, statuses

from bmastore import Store, TrainConfig, shared
from bmastore.errors import ArtifactError, WorkerDiedError
from bmastore.storage import artifacts

PANEL = made_up(n_stocks=16, n_days=420, seed=11)
DAYS = np.unique(PANEL["date"].to_numpy())


@pytest.fixture
def trained16(tmp_path):
    store = Store(tmp_path / "bma.duckdb")
    store.ingest(PANEL, target=TARGET, horizon=HORIZON)
    store.train(FAST)
    return store


def universes(store):
    return store.sql(
        "select distinct universe_id, anchor, artifact_sha256, finished_at from v_universe "
        "order by finished_at"
    )


def test_the_pooled_member_takes_part_in_every_average(trained16):
    weights = trained16.sql("select * from v_weights where member = 'pooled'")
    assert len(weights) == 16
    assert weights["weight"].max() > 0
    prior = trained16.sql("from v_universe").set_index("member")["prior_weight"]
    assert prior.sum() == pytest.approx(1)
    assert set(prior.index) == set(FAST.members)


def test_predict_gives_what_the_pass_predicted(trained16):
    stored = trained16.sql(
        "select * exclude entry_id from v_predictions "
        "qualify date = max(date) over (partition by ticker) order by ticker"
    )
    pd.testing.assert_frame_equal(trained16.predict().frame, stored, check_dtype=False)


def test_a_young_stock_gets_pooled_and_zero_instead_of_being_skipped(tmp_path):
    store = Store(tmp_path / "bma.duckdb")
    young = (PANEL["ticker"] == "DEMO03") & (PANEL["date"] < DAYS[-60])
    store.ingest(PANEL[~young], target=TARGET, horizon=HORIZON)
    run = store.train(FAST)
    assert (run.trained, run.skipped) == (16, 0)
    members = store.sql("select member, weight from v_weights where ticker = 'DEMO03'")
    assert set(members["member"]) == {"zero", "pooled"}
    assert members["weight"].sum() == pytest.approx(1)
    assert np.isfinite(store.predict(tickers=["DEMO03"]).frame["q95"]).all()
    assert store.train(FAST).selected == 0


def test_a_stock_without_labels_to_measure_it_by_is_skipped(tmp_path):
    store = Store(tmp_path / "bma.duckdb")
    newborn = (PANEL["ticker"] == "DEMO03") & (PANEL["date"] < DAYS[-15])
    store.ingest(PANEL[~newborn], target=TARGET, horizon=HORIZON)
    store.train(FAST)
    assert statuses(store)["DEMO03"] == "skipped"


def test_the_same_universe_serves_until_the_calendar_enters_another_cell(tmp_path):
    store = Store(tmp_path / "bma.duckdb")
    size = np.timedelta64(FAST.splits.refresh_days, "D")
    cells = DAYS.astype("datetime64[D]").astype(int) // size.astype(int)
    first = int(np.flatnonzero(cells == cells[-1])[0])
    for day, made in ((first - 3, 1), (first - 1, 1), (first, 2)):
        store.ingest(PANEL[PANEL["date"] <= DAYS[day]], target=TARGET, horizon=HORIZON)
        store.train(FAST)
        assert len(universes(store)) == made
    anchors = universes(store)["anchor"]
    assert (anchors.diff().dropna() >= size).all()
    assert store.train(FAST).selected == 0


def test_a_new_universe_makes_no_stock_stale(trained16):
    one = PANEL[PANEL["ticker"] == "DEMO00"].tail(1)
    later = one.assign(date=one["date"] + pd.Timedelta(days=40), **{TARGET: np.nan})
    trained16.ingest(later, target=TARGET, horizon=HORIZON)
    run = trained16.train(FAST)
    assert run.selected == 1
    assert len(universes(trained16)) == 2
    assert set(statuses(trained16).values()) == {"trained"}


def test_forcing_all_stocks_makes_the_universe_anew_and_finds_the_same(trained16):
    trained16.train(FAST, PassOptions(force=True))
    made = universes(trained16)
    assert len(made) == 2
    assert made["artifact_sha256"].nunique() == 1


def test_nothing_known_from_the_anchor_on_changes_a_universe(tmp_path, trained16):
    anchor = universes(trained16)["anchor"].iloc[0]
    changed = PANEL.copy()
    position = changed.groupby("ticker").cumcount()
    label_end = pd.Series(DAYS).reindex(position + HORIZON).to_numpy()
    late = ~(label_end < anchor.to_datetime64())
    changed.loc[late, TARGET] *= -3
    features = [name for name in changed.columns if name not in ("ticker", "date", TARGET)]
    changed.loc[changed["date"] >= anchor, features] += 1
    store = Store(tmp_path / "changed.duckdb")
    store.ingest(changed, target=TARGET, horizon=HORIZON)
    store.train(FAST)
    sha256 = universes(store)["artifact_sha256"].tolist()
    assert sha256 == universes(trained16)["artifact_sha256"].tolist()


def test_a_damaged_universe_is_an_error_of_its_stocks_and_made_anew(trained16):
    sha256 = universes(trained16)["artifact_sha256"].iloc[0]
    path = artifacts.path_of(trained16.path.with_suffix(".models"), sha256)
    path.write_bytes(b"damaged")
    users = trained16.sql("select ticker from v_latest where universe_sha256 is not null")["ticker"]
    failures = trained16.predict().failures
    assert set(failures) == set(users)
    assert all("corrupt" in reason for reason in failures.values())
    trained16.train(FAST, PassOptions(force=True, tickers=("DEMO00",)))
    assert trained16.predict().failures == {}


def pooled_or_die(job, deaths, work, *args):
    """Runs in a worker: it ends in the fit of a pooled model, so many times in all."""
    if isinstance(work, partial) and work.func.__name__ == "fit_pooled_in_worker":
        died = len(list(deaths.parent.glob(f"{deaths.name}.*")))
        if died < int(deaths.name):
            deaths.with_name(f"{deaths.name}.{died}").touch()
            os._exit(7)
    return job(work, *args)


def test_a_pooled_model_whose_worker_dies_is_fitted_again_alone(tmp_path, trained16):
    store = Store(tmp_path / "again.duckdb")
    store.ingest(PANEL, target=TARGET, horizon=HORIZON)
    run = store.train(
        FAST, make_executor=lambda n: TamperedExecutor(n, pooled_or_die, tmp_path / "1")
    )
    assert (run.trained, run.failed) == (16, 0)
    assert (tmp_path / "1.0").exists()
    sha256 = universes(store)["artifact_sha256"].tolist()
    assert sha256 == universes(trained16)["artifact_sha256"].tolist()


def test_a_pooled_model_that_kills_every_worker_ends_the_pass_with_a_reason(tmp_path):
    store = Store(tmp_path / "never.duckdb")
    store.ingest(PANEL, target=TARGET, horizon=HORIZON)
    with pytest.raises(WorkerDiedError, match="try fewer --workers"):
        store.train(
            FAST, make_executor=lambda n: TamperedExecutor(n, pooled_or_die, tmp_path / "99")
        )


@pytest.mark.parametrize(
    ("version", "remedy"), [(1, "bmastore train"), (99, "pip install -U bmastore")]
)
def test_a_universe_that_another_bmastore_made_is_an_error_with_its_remedy(version, remedy):
    blob = shared.pack({"universe.json": json.dumps({"format": version}).encode()})
    with pytest.raises(ArtifactError, match=remedy):
        shared.read(blob)


def test_without_the_pooled_member_there_is_no_universe(tmp_path):
    store = Store(tmp_path / "bma.duckdb")
    store.ingest(PANEL, target=TARGET, horizon=HORIZON)
    store.train(TrainConfig(preset="ultrafast", members=("lgbm", "zero", "mean")))
    assert universes(store).empty


def test_the_market_is_taken_out_of_the_pooled_targets():
    """A return that all stocks share, and one in proportion to their moves, teach it nothing."""
    random = np.random.default_rng(0)
    n_days, n_stocks = 40, 300
    days = np.repeat(np.arange(n_days), n_stocks)
    scales = np.tile(random.uniform(0.01, 0.05, n_stocks), n_days)
    own = random.normal(size=len(days))
    shared, in_proportion = random.normal(size=(2, n_days))
    moves = own + 0.1 * shared[days] / scales + 2 * in_proportion[days]
    left = less_market(moves, scales, days)
    assert np.corrcoef(left, own)[0, 1] > 0.97
    assert np.corrcoef(left, moves)[0, 1] < 0.4
    by_day = np.bincount(days, left) / n_stocks
    assert np.abs(by_day).max() < 0.3


def test_a_handful_of_stocks_is_no_market():
    moves, days = np.random.default_rng(1).normal(size=60), np.repeat(np.arange(30), 2)
    left = less_market(moves, np.full(60, 0.02), days)
    assert np.corrcoef(left, moves)[0, 1] > 0.95


def test_a_dates_extreme_moves_are_clipped_at_its_own_quantiles():
    days = np.repeat([0, 2], 101)
    moves = np.random.default_rng(3).normal(size=202) * np.where(days == 2, 5, 1)
    clipped = clip_by_date(moves, days)
    for day in (0, 2):
        low, high = np.quantile(moves[days == day], [0.02, 0.98])
        np.testing.assert_allclose(clipped[days == day], moves[days == day].clip(low, high))


def test_of_a_handful_of_stocks_no_move_is_clipped():
    moves, days = np.random.default_rng(4).normal(size=100), np.repeat([0, 1], 50)
    np.testing.assert_array_equal(clip_by_date(moves, days), moves)


def test_a_wild_date_weighs_less_by_its_variance():
    days = np.repeat([0, 2], 5_000)
    moves = np.random.default_rng(5).normal(size=10_000) * np.where(days == 2, 3, 1)
    weights = date_weights(moves, days)
    assert weights[0] / weights[-1] == pytest.approx(9, rel=0.1)


def test_a_calm_handful_of_stocks_does_not_outweigh_all_others():
    days = np.repeat([0, 1], [1_000, 2])
    moves = np.random.default_rng(6).normal(size=1_002)
    moves[-2:] = 0
    weights = date_weights(moves, days)
    assert weights[-1] < 2 * weights[0]
    np.testing.assert_array_equal(date_weights(np.zeros(4), np.array([0, 0, 1, 1])), np.ones(4))
