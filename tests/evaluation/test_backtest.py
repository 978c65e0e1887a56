"""A backtest scores every forecaster on rows that it had not seen, and leaves the store alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bmastore import PassOptions, Store, TrainConfig
from bmastore.arrays import StockArrays
from bmastore.datasets import planted_panel
from bmastore.errors import ConfigError, StoreError, UnknownTickerError
from bmastore.evaluation.hindcast import hindcast_stock
from tests.helpers import FAST, HORIZON, TARGET, TRAIN, cli, cli_json, stock

PANEL = planted_panel(n_stocks=12, n_days=420, seed=21)
DAYS = np.unique(PANEL["date"].to_numpy())
FORECASTERS = {"ensemble", "equal", *FAST.members, "baseline", "always_zero"}


def store_of(panel, path):
    store = Store(path / "bma.duckdb")
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    return store


def frames(report):
    return [table.frame() for table in (report.scores, report.days, report.weights)]


@pytest.fixture(scope="module")
def backtested(tmp_path_factory):
    """A trained store with a backtest, its report, and ledger and artifacts from before it."""
    store = store_of(PANEL, tmp_path_factory.mktemp("backtested"))
    store.train(FAST)
    before = snapshot(store)
    report = store.backtest(FAST, cutoffs=2, every=30)
    return store, report, before


def snapshot(store):
    """Everything that a backtest must leave as it is."""
    queries = ("from v_status", "from v_latest", "from v_predictions", "from ledger", "from runs",
               "from standings", "from universes", "from folds")  # fmt: skip
    tables = [store.sql(f"{query} order by all").to_csv() for query in queries]
    return tables, sorted(store.path.with_suffix(".models").rglob("*.bma"))


def test_every_forecaster_is_scored_on_the_same_rows(backtested):
    _, report, _ = backtested
    scores = report.scores.frame()
    everything = scores[scores["slice"] == "all"]
    assert set(everything["forecaster"]) == FORECASTERS
    # 12 stocks, 2 cutoffs, 30 days each; the last 5 days have no label yet.
    assert everything["n_rows"].tolist() == [12 * 60] * len(FORECASTERS)
    assert everything["n_days"].unique().tolist() == [60]
    assert report.cutoffs == tuple(pd.Timestamp(DAYS[-6 - n]).date() for n in (60, 30))
    assert report.failures == {}


def test_years_add_up_to_the_whole(backtested):
    _, report, _ = backtested
    scores = report.scores.frame()
    by_year = scores[scores["slice"] == "year"].groupby("forecaster")["n_rows"].sum()
    assert (by_year == 12 * 60).all()


def test_the_ledgers_models_and_forecasts_stay_as_they_are(backtested):
    store, _, before = backtested
    assert snapshot(store) == before


def test_results_are_views_of_the_store_and_of_the_published_copy(backtested):
    store, report, _ = backtested
    scores, days, weights = frames(report)
    for view, expected in (
        ("v_backtest", scores),
        ("v_backtest_days", days),
        ("v_backtest_weights", weights),
    ):
        names = list(expected.columns)
        found = store.sql(f"select {', '.join(names)} from {view}")
        keys = [name for name in names if expected[name].dtype == object or name == "date"]
        pd.testing.assert_frame_equal(
            found.sort_values(keys, ignore_index=True),
            expected.sort_values(keys, ignore_index=True),
            check_dtype=False,
        )
        published = Store(store.path.with_name("bma.results.duckdb"))
        assert len(published.sql(f"from {view}")) == len(expected)


def test_views_show_the_newest_backtest_and_older_ones_are_kept(tmp_path):
    store = store_of(PANEL, tmp_path)
    first, second = (store.backtest(FAST, cutoffs=1, every=days) for days in (20, 25))
    kept = store.sql("select backtest_id, every, is_newest from v_backtests")
    assert kept.values.tolist() == [
        [first.backtest_id, 20, False],
        [second.backtest_id, 25, True],
    ]
    for view in ("v_backtest", "v_backtest_days", "v_backtest_weights"):
        shown = store.sql(f"select distinct backtest_id from {view}")["backtest_id"].tolist()
        assert shown == [second.backtest_id]
    both = store.sql("select count(distinct backtest_id) as n from backtest_scores")["n"]
    assert both.tolist() == [2]


def test_a_cutoffs_weights_sum_to_1(backtested):
    _, report, _ = backtested
    assert report.weights.frame().groupby("cutoff")["weight"].sum().to_numpy() == pytest.approx(1)


def test_the_ensemble_is_what_train_as_of_the_cutoff_would_have_forecast(backtested, tmp_path):
    _, report, _ = backtested
    store = store_of(PANEL, tmp_path)
    cutoff = report.cutoffs[-1]
    store.train(FAST, PassOptions(as_of=cutoff))
    forecasts = store.predict(since=cutoff + pd.Timedelta(days=1)).frame
    truth = PANEL.dropna(subset=[TARGET])[["ticker", "date", TARGET]]
    both = forecasts.merge(truth, on=["ticker", "date"])
    # In units of how large the stock's newest labels were that had come by the cutoff.
    known = store.sql(
        f"select ticker, value from targets where label_end <= '{cutoff}' order by ticker, date"
    )
    newest = known.groupby("ticker").tail(250)
    sizes = np.sqrt(np.square(newest["value"]).groupby(newest["ticker"]).mean())
    errors = (both["mean"] - both[TARGET]) / both["ticker"].map(sizes)
    squares = np.square(errors).groupby(both["date"]).mean()
    days = report.days.frame()
    mine = days[(days["forecaster"] == "ensemble") & (days["date"] > pd.Timestamp(cutoff))]
    assert mine["squared_error"].to_numpy() == pytest.approx(squares.to_numpy(), rel=1e-4)


def test_nothing_after_as_of_changes_a_score(tmp_path):
    as_of = pd.Timestamp(DAYS[-40])
    changed = PANEL.copy()
    position = changed.groupby("ticker").cumcount().to_numpy()
    label_end = DAYS[np.minimum(position + HORIZON, len(DAYS) - 1)]
    changed.loc[label_end > as_of, TARGET] *= -3
    changed.loc[changed["date"] > as_of, ["momentum", "value", "carry", "size", "season"]] += 1
    found = []
    for name, panel in (("a", PANEL), ("b", changed)):
        (tmp_path / name).mkdir()
        store = store_of(panel, tmp_path / name)
        found.append(store.backtest(FAST, cutoffs=1, every=30, as_of=as_of.date()))
    for one, other in zip(*map(frames, found), strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_parameters_of_a_member_change_no_other_and_not_the_baseline():
    rows, names = stock(signal=0.6, n=500), ("a", "b", "c", "d")
    told = replace(TRAIN, params={"xgb": {"max_depth": 1}})
    plain, other = (
        hindcast_stock(rows, rows.dates[-60], config.resolve("y", HORIZON, names)).scored
        for config in (TRAIN, told)
    )
    changed = plain.forecasters, (plain.means != other.means).any(axis=0)
    found = {name for name, is_changed in zip(*changed, strict=True) if is_changed}
    assert found == {"ensemble", "equal", "xgb"}


def test_what_comes_after_a_cutoff_does_not_make_its_forecasts():
    """Later labels only score; a later feature only moves the forecast of its own row."""
    rows = PANEL[PANEL["ticker"] == "DEMO04"]
    names = ("momentum", "value", "carry", "size", "season")
    stock = StockArrays(
        "DEMO04",
        DAYS.astype("datetime64[D]"),
        np.append(DAYS[HORIZON:], [np.datetime64("NaT")] * HORIZON).astype("datetime64[D]"),
        np.ascontiguousarray(rows[list(names)], np.float32),
        rows[TARGET].to_numpy(),
    )
    cutoff = stock.dates[-60]
    members = ("rf", "xgb", "lgbm", "zero", "mean")
    config = TrainConfig(preset="ultrafast", members=members).resolve(TARGET, HORIZON, names)
    means = hindcast_stock(stock, cutoff, config).scored.means
    known = stock.label_ends <= cutoff
    X = stock.X.copy()
    X[-20:] += 1
    later = replace(stock, y=np.where(known, stock.y, stock.y * -3), X=X)
    changed = hindcast_stock(later, cutoff, config)
    n_same = int(np.sum((stock.dates > cutoff) & ~np.isnan(stock.y))) - 15
    assert np.array_equal(changed.scored.means[:n_same], means[:n_same])
    assert not np.array_equal(changed.scored.means[n_same:], means[n_same:])


def test_the_same_scores_with_any_number_of_workers(backtested, tmp_path):
    _, report, _ = backtested
    alone = store_of(PANEL, tmp_path).backtest(FAST, cutoffs=2, every=30, workers=1)
    for one, other in zip(frames(alone), frames(report), strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_a_planted_signal_is_found_and_noise_is_not(tmp_path):
    found = {}
    for name, signal in (("signal", 0.6), ("noise", 0.0)):
        (tmp_path / name).mkdir()
        panel = planted_panel(n_stocks=24, n_days=420, signal=signal, seed=5)
        report = store_of(panel, tmp_path / name).backtest(FAST, cutoffs=1, every=60)
        scores = report.scores.frame()
        found[name] = scores[scores["slice"] == "all"].set_index("forecaster")
    noise, signal = found["noise"]["mse_vs_zero"], found["signal"]["mse_vs_zero"]
    assert noise["ensemble"] <= 1.002
    assert noise["baseline"] > 1.02
    assert signal["ensemble"] <= signal[list(FAST.members)].min() + 0.005
    assert found["signal"]["ic"]["ensemble"] > 0.4
    assert found["signal"]["dm"]["ensemble"] < -3


def test_stocks_too_young_for_all_members_are_left_out(tmp_path):
    young = (PANEL["ticker"] == "DEMO03") & (PANEL["date"] < DAYS[-150])
    report = store_of(PANEL[~young], tmp_path).backtest(FAST, cutoffs=1, every=30)
    assert (report.n_stocks, report.n_left_out) == (11, 1)
    assert report.failures == {}


def test_a_stock_that_stopped_trading_is_left_out_from_then_on(tmp_path):
    gone = (PANEL["ticker"] == "DEMO03") & (PANEL["date"] > DAYS[-60])
    report = store_of(PANEL[~gone], tmp_path).backtest(FAST, cutoffs=2, every=40)
    assert report.failures == {}
    assert report.weights.frame().groupby("cutoff")["n_stocks"].max().tolist() == [12, 11]


def test_some_stocks_may_be_chosen(tmp_path):
    store = store_of(PANEL, tmp_path)
    chosen = ["DEMO01", "DEMO02", "DEMO05", "DEMO07", "DEMO09", "DEMO01"]
    report = store.backtest(FAST, cutoffs=1, every=20, tickers=chosen)
    assert (report.n_stocks, report.n_left_out) == (5, 0)
    assert report.scores.frame()["n_rows"].max() == 5 * 20
    with pytest.raises(UnknownTickerError, match="no ticker NOBODY"):
        store.backtest(FAST, tickers=["NOBODY"])


def test_too_little_history_is_said(tmp_path):
    store = store_of(PANEL, tmp_path)
    with pytest.raises(StoreError, match="415 labelled days; 30 cutoffs every 20 days need"):
        store.backtest(FAST, cutoffs=30, every=20)
    with pytest.raises(ConfigError, match="at least 1"):
        store.backtest(FAST, cutoffs=0)
    with pytest.raises(StoreError, match="too short a history"):
        store.backtest(FAST, cutoffs=1, every=350)


def test_liquidity_thirds_come_from_prices_up_to_the_cutoff(tmp_path, real60):
    store = Store(tmp_path / "bma.duckdb")
    store.ingest(real60)
    report = store.backtest(FAST, cutoffs=1, every=20)
    scores = report.scores.frame()
    thirds = scores[scores["slice"] == "liquidity"]
    assert thirds["part"].unique().tolist() == ["low", "middle", "high"]
    total = scores[scores["slice"] == "all"]["n_rows"].iloc[0]
    assert thirds[thirds["forecaster"] == "ensemble"]["n_rows"].sum() == total


def test_the_command_prints_scores_and_draws_a_picture(backtested, tmp_path):
    store, report, _ = backtested
    picture = tmp_path / "backtest.png"
    args = ("--preset", "ultrafast", "--cutoffs", 2, "--every", 30, "--store", store.path)
    rows = cli_json("backtest", *args, "--format", "json", "--plot", picture)
    assert rows == pd.DataFrame(report.scores.records()).astype(object).where(
        lambda frame: frame.notna(), None
    ).to_dict("records")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000


@pytest.mark.parametrize(
    ("name", "message"), [("no/b.png", "there is no folder"), ("b.nonsense", "its ending must be")]
)
def test_a_picture_that_cannot_be_drawn_is_refused_before_the_work(tmp_path, name, message):
    args = ("backtest", "--store", tmp_path / "none.duckdb", "--plot", tmp_path / name)
    assert message in cli(*args, check=2).stderr


def test_the_screen_shows_the_forecasters(backtested):
    store, _, _ = backtested
    args = ("--preset", "ultrafast", "--cutoffs", 1, "--every", 20, "--store", store.path)
    shown = cli("backtest", *args, "--tickers", "DEMO01,DEMO02,DEMO03,DEMO04,DEMO05")
    assert "5 stocks, 1 cutoff from" in shown.stderr
    for name in FORECASTERS:
        assert name in shown.stdout
