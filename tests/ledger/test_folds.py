"""Yesterday's out-of-fold predictions are used again where nothing they stand on has changed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bmastore import Store, TrainConfig
from bmastore.datasets import planted_panel
from tests.helpers import FAST, HORIZON, TARGET

# Without the pooled member: the universe stays as it was made, whatever is revised meanwhile.
ALONE = replace(FAST, members=("rf", "xgb", "lgbm", "zero", "mean"))
RESULTS = (
    "select ticker, member, weight, oof_log_score, oof_rmse, scale from v_weights order by all",
    "select ticker, name, value from v_metrics order by all",
    "select ticker, date, mean, sd, q05, q95 from v_predictions "
    "qualify date > max(date) over () - 7 order by all",
    "select ticker, artifact_sha256 from v_latest order by all",
    "select ticker, date, member, fold, prediction from oof order by all",
    "select * exclude (entry_id, code_version) from folds order by all",
)
PANEL = planted_panel(n_stocks=4, n_days=400, seed=3)
DAYS = PANEL["date"].unique()


def known_on(day):
    """The panel as it was on a day: no later rows, no label that was not known."""
    seen = PANEL[day >= PANEL["date"]].copy()
    late = seen.groupby("ticker").cumcount(ascending=False) < HORIZON
    seen.loc[late, TARGET] = np.nan
    return seen


def take(store, panel):
    store.ingest(panel, target=TARGET, horizon=HORIZON)


def assert_same_results(one, two):
    for query in RESULTS:
        pd.testing.assert_frame_equal(one.sql(query), two.sql(query), check_exact=True)


def makers(store, ticker):
    """For each fold, oldest first, the attempt (1, 2, …) that last changed its predictions."""
    rows = store.sql(
        "select attempt from folds join ledger using (entry_id) "
        "where folds.ticker = $t order by fold",
        {"t": ticker},
    )
    return rows["attempt"].tolist()


@pytest.fixture
def yesterday(store):
    take(store, known_on(DAYS[-4]))
    store.train(FAST)
    return store


def test_daily_passes_end_where_one_pass_over_everything_does(yesterday, tmp_path):
    for day in DAYS[-3:]:
        take(yesterday, known_on(day))
        run = yesterday.train(FAST)
        assert run.trained == 4
    whole = Store(tmp_path / "whole.duckdb")
    take(whole, known_on(DAYS[-1]))
    whole.train(FAST)
    assert makers(yesterday, "DEMO00") == [1, 1, 4]
    assert_same_results(yesterday, whole)


def test_a_new_cell_of_the_grid_drops_the_oldest_fold_and_keeps_the_others(store, tmp_path):
    cells = np.asarray(DAYS).astype("datetime64[D]").astype(int) // 126
    border = int(np.flatnonzero(np.diff(cells))[-1]) + 1
    take(store, known_on(DAYS[border + HORIZON - 1]))
    store.train(FAST)
    take(store, known_on(DAYS[border + HORIZON + 2]))
    store.train(FAST)
    assert makers(store, "DEMO00") == [1, 1, 2]
    whole = Store(tmp_path / "whole.duckdb")
    take(whole, known_on(DAYS[border + HORIZON + 2]))
    whole.train(FAST)
    assert_same_results(store, whole)


@pytest.mark.parametrize(
    ("column", "days_ago", "expected"),
    [
        # The newest row has no label yet: no fold has seen it.
        ("momentum", 1, [1, 1, 1]),
        # A row that the newest fold predicted: only that fold is predicted again …
        ("momentum", 10, [1, 1, 2]),
        # … and not even that if it is the label, which its members did not learn from.
        (TARGET, 10, [1, 1, 1]),
        # A row before all folds: every fold learnt from it.
        ("momentum", 390, [2, 2, 2]),
        (TARGET, 390, [2, 2, 2]),
    ],
)
def test_a_revised_row_invalidates_exactly_the_folds_that_saw_it(
    store, tmp_path, column, days_ago, expected
):
    panel = known_on(DAYS[-1])
    take(store, panel)
    store.train(ALONE)
    row = panel.index[(panel["ticker"] == "DEMO01") & (panel["date"] == DAYS[-days_ago])]
    panel.loc[row, column] = 0.011
    take(store, panel)
    assert store.train(ALONE).selected == 1
    assert makers(store, "DEMO01") == expected
    assert makers(store, "DEMO02") == [1, 1, 1]
    whole = Store(tmp_path / "whole.duckdb")
    take(whole, panel)
    whole.train(ALONE)
    assert_same_results(store, whole)


def test_another_config_remembers_nothing(yesterday):
    other = TrainConfig(preset="ultrafast", seed=1)
    yesterday.train(other)
    assert makers(yesterday, "DEMO00") == [2, 2, 2]


def test_a_damaged_artifact_costs_a_fit_and_nothing_else(yesterday, tmp_path):
    for path in (yesterday.path.parent / "bma.models").glob("*/*.bma"):
        path.write_bytes(b"damaged")
    take(yesterday, known_on(DAYS[-1]))
    assert yesterday.train(FAST).trained == 4
    whole = Store(tmp_path / "whole.duckdb")
    take(whole, known_on(DAYS[-1]))
    whole.train(FAST)
    assert_same_results(yesterday, whole)
