"""What stocks borrow from each other: the pooled member, and the prior of their weights."""

import os

import numpy as np
import pandas as pd
import pytest

from bmastore import PassOptions, Store, TrainConfig
from bmastore.datasets import planted_panel as made_up
from bmastore.errors import WorkerDiedError
from bmastore.storage import artifacts
from bmastore.training import jobs
from tests.helpers import (
    FAST,
    HORIZON,
    TARGET,
    TamperedExecutor,
    assert_as_stored,
    statuses,
)

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
        "select * exclude (entry_id, made_at, sector) from v_predictions "
        "qualify date = max(date) over (partition by ticker) order by ticker"
    )
    assert_as_stored(trained16.predict().frame, stored)


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


def pooled_or_die(deaths, job, *args):
    """Runs in a worker: it ends in the fit of a pooled model, so many times in all."""
    if jobs.fit_pooled in args:
        died = len(list(deaths.parent.glob(f"{deaths.name}.*")))
        if died < int(deaths.name):
            deaths.with_name(f"{deaths.name}.{died}").touch()
            os._exit(7)
    return job(*args)


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


def test_without_the_pooled_member_there_is_no_universe(tmp_path):
    store = Store(tmp_path / "bma.duckdb")
    store.ingest(PANEL, target=TARGET, horizon=HORIZON)
    store.train(TrainConfig(preset="ultrafast", members=("lgbm", "zero", "mean")))
    assert universes(store).empty


def trained_as_of(path, panel, day):
    """Everything that a pass as of a day leaves, of stocks that there were then."""
    store = Store(path)
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    store.train(FAST, PassOptions(as_of=pd.Timestamp(day).date()))
    tickers = {"names": sorted(PANEL["ticker"].unique())}
    return [
        store.sql(f"{query} where list_contains($names, ticker) order by all", tickers)
        for query in (
            "select ticker, artifact_sha256, n_rows, cutoff from v_latest",
            "select ticker, member, weight, scale, oof_log_score from v_weights",
            "select ticker, date, mean, sd, q05, q95 from v_predictions",
        )
    ]


def test_nothing_that_lists_or_happens_after_the_day_of_a_pass_changes_it(tmp_path):
    day = DAYS[-60]
    after = PANEL["date"] > day
    known = trained_as_of(tmp_path / "known.duckdb", PANEL[~after], day)
    later = made_up(n_stocks=8, n_days=420, seed=5)
    later = later[later["date"] > day]
    # Before and after the others in the alphabet.
    first = later["ticker"] < "DEMO04"
    listed_later = later.assign(ticker=np.where(first, "A", "Z") + later["ticker"])
    wild = PANEL[after].copy()
    wild[TARGET] *= -3
    wild["momentum"] += 1
    for name, panel in {
        "later_rows": PANEL,
        "later_listings": pd.concat([PANEL, listed_later]),
        "other_rows": pd.concat([PANEL[~after], wild, listed_later]),
    }.items():
        found = trained_as_of(tmp_path / f"{name}.duckdb", panel, day)
        for one, two in zip(known, found, strict=True):
            pd.testing.assert_frame_equal(one, two)


def test_intervals_are_as_wide_as_the_market_is_wild(tmp_path):
    """All stocks have wild and calm spells at once; a noisy feature tells how wild they are."""
    wildness = np.exp(0.7 * np.sin(np.arange(len(DAYS)) / 12))[np.searchsorted(DAYS, PANEL["date"])]
    noise = np.exp(0.3 * np.random.default_rng(0).standard_normal(len(PANEL)))
    panel = PANEL.assign(
        **{TARGET: PANEL[TARGET] * wildness, "volatility": (wildness * noise).astype(np.float32)}
    )
    store = Store(tmp_path / "bma.duckdb")
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    as_of = pd.Timestamp(DAYS[-80])
    store.train(FAST, PassOptions(as_of=as_of.date()))
    later = store.predict(since=as_of + pd.Timedelta(days=1)).frame
    truth = panel.assign(wildness=wildness).merge(later, on=["ticker", "date"]).dropna()
    spread = truth.groupby("date")["sd"].median()
    wild = truth.groupby("date")["wildness"].first()
    assert np.corrcoef(np.log(spread), np.log(wild))[0, 1] > 0.9
    inside = truth[TARGET].between(truth["q05"], truth["q95"])
    # Targets here are Gaussian: a Student t that has their median holds 94 % of them.
    for spell in (truth["wildness"] > 1.5, truth["wildness"] < 0.7):
        assert inside[spell].mean() == pytest.approx(0.94, abs=0.04)
