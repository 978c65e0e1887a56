"""What dashboards read of outcomes and features: the views' numbers are those of the formulas."""

import shutil

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bmastore import PassOptions, Store
from bmastore.datasets import planted_panel
from bmastore.errors import InputError
from bmastore.ledger.derived import tell_all
from bmastore.storage.session import open_writer
from bmastore.storage.views import VIEWS
from tests.helpers import FAST, HORIZON, TARGET, cli

PANEL = planted_panel(n_stocks=8, n_days=330, seed=9)
DAYS = PANEL["date"].unique()


def known_on(day, panel=PANEL):
    seen = panel[panel["date"] <= DAYS[day]].copy()
    seen.loc[seen["date"] > DAYS[day - HORIZON], TARGET] = np.nan
    return seen


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A store that has seen six passes, one a week."""
    store = Store(tmp_path_factory.mktemp("lived") / "bma.duckdb")
    for day in range(300, 330, 5):
        store.ingest(known_on(day), target=TARGET, horizon=HORIZON)
        store.train(FAST)
    return store


def test_days_are_scored_over_their_stocks(lived):
    rows = lived.sql("from v_outcomes")
    days = lived.sql("from v_live_days order by date").set_index("date")
    # Six weeks of forecasts, of which the last has no labels yet.
    assert days.index.tolist() == DAYS[296:321].tolist()
    for date, mine in rows.groupby("date"):
        day = days.loc[date]
        assert day["stocks"] == 8
        assert day["ic"] == pytest.approx(stats.spearmanr(mine["mean"], mine["actual"]).statistic)
        squares = np.square(mine["error"]).mean() / np.square(mine["actual"]).mean()
        assert day["mse_vs_zero"] == pytest.approx(squares)
        assert day["crps_vs_zero"] == pytest.approx(mine["crps"].mean() / mine["zero_crps"].mean())
        assert day["coverage_80"] == pytest.approx((abs(mine["pit"] - 0.5) <= 0.4).mean())
        assert day["brier"] == pytest.approx(np.square(mine["p_up"] - (mine["actual"] > 0)).mean())
    last = days.iloc[-20:]
    assert days["ic_20"].iloc[-1] == pytest.approx(last["ic"].mean())
    ratio = last["squared_error"].sum() / last["zero_squared_error"].sum()
    assert days["mse_vs_zero_20"].iloc[-1] == pytest.approx(ratio)
    assert days["coverage_80_60"].iloc[-1] == pytest.approx(days["coverage_80"].mean())


def test_intervals_hold_what_their_quantiles_say(lived):
    rows = lived.sql("from v_outcomes")
    inside = rows["actual"].between(rows["q05"], rows["q95"])
    assert (inside == (abs(rows["pit"] - 0.5) <= 0.45)).all()
    held = lived.sql(
        "select held from v_calibration where source = 'live' and forecaster = 'ensemble' "
        "and nominal = 0.9"
    )
    assert held["held"].tolist() == [pytest.approx(inside.mean())]
    pit = lived.sql("from v_pit where source = 'live' order by forecaster, bin")
    assert len(pit) == 20
    shares = np.histogram(rows["pit"], 10, (0, 1))[0] / len(rows)
    assert pit["share"].to_numpy()[:10] == pytest.approx(shares)


def test_one_newest_forecast_per_stock_says_for_which_day_it_is(lived):
    found = lived.sql("from v_newest_forecasts")
    assert found["ticker"].nunique() == len(found) == 8
    ahead = np.busday_offset(found["date"].to_numpy().astype("datetime64[D]"), HORIZON)
    assert (found["for_date"].to_numpy().astype("datetime64[D]") == ahead).all()
    assert found["is_current"].all()
    assert (found["days_behind"] == 0).all()
    assert (found["signal"] == found["mean"] / found["sd"]).all()


def test_a_stock_that_is_behind_says_so(tmp_path):
    store = Store(tmp_path / "bma.duckdb")
    behind = (PANEL["ticker"] == "DEMO03") & (PANEL["date"] > DAYS[320])
    store.ingest(PANEL[~behind], target=TARGET, horizon=HORIZON)
    store.train(FAST)
    found = store.sql("from v_newest_forecasts where days_behind > 0")
    assert found["ticker"].tolist() == ["DEMO03"]
    assert found["days_behind"].tolist() == [(DAYS[-1] - DAYS[320]).days]
    assert not found["is_current"].any()
    fresh = store.sql("from v_freshness").iloc[0]
    assert (fresh["stocks"], fresh["stocks_behind"]) == (8, 1)
    assert (fresh["done"], fresh["selected"], fresh["is_running"]) == (8, 8, False)
    assert fresh["newest_date"] == DAYS[-1]


def test_the_planted_signal_sorts_what_came(lived):
    fifths = lived.sql(
        "select fifth, avg(actual) as a from v_quantile_returns group by 1 order by 1"
    )
    assert fifths["a"].iloc[-1] > fifths["a"].iloc[0]
    turnover = lived.sql("from v_turnover")
    assert len(turnover) == 24
    assert turnover["turnover_highest"].between(0, 1).all()


def test_entries_have_their_weights_as_columns(lived):
    found = lived.sql("from v_entries")
    assert len(found) == 48
    names = [name for name in found if name.startswith("weight_")]
    assert found[names].sum(axis=1).to_numpy() == pytest.approx(1)
    history = lived.sql("select sum(weight) as w from v_weights_history group by entry_id")
    assert history["w"].to_numpy() == pytest.approx(1)
    days = lived.sql(
        "select date, sum(weight) as w, max(stocks) as n from v_member_days group by 1"
    )
    assert days["w"].to_numpy() == pytest.approx(1)
    assert days["n"].tolist() == [8] * 6


def test_features_are_measured_once_per_day_and_know_no_later_day(lived, tmp_path):
    found = lived.sql("from v_feature_drift order by date, feature")
    assert not found.duplicated(["date", "feature"]).any()
    assert found["date"].max() == DAYS[325]
    other = Store(tmp_path / "bma.duckdb")
    changed = PANEL.copy()
    changed.loc[changed["date"] > DAYS[310], ["momentum", "value"]] *= 50
    for day in (300, 310, 325):
        other.ingest(known_on(day, changed), target=TARGET, horizon=HORIZON)
        other.train(FAST)
    again = other.sql("from v_feature_drift order by date, feature")
    before = found["date"] <= DAYS[310]
    assert again[again["date"] <= DAYS[310]].equals(found[before])
    latest = again[again["date"] > DAYS[310]].groupby("feature")["stability"].min()
    assert latest["momentum"] > latest["carry"]


def test_prices_of_the_newest_dates_are_published(tmp_path):
    from tests.helpers import make_prices

    store = Store(tmp_path / "bma.duckdb")
    store.ingest(make_prices(n_stocks=2, n_days=300))
    found = store.sql("from v_prices")
    assert len(found) == 2 * 250
    published = Store(tmp_path / "bma.results.duckdb").sql("from v_prices")
    assert published.equals(found)
    assert len(store.sql("from prices")) == 2 * 300


def test_what_is_known_of_stocks_joins_and_groups(lived, tmp_path):
    file = tmp_path / "sectors.csv"
    file.write_text(
        "ticker,sector,cap\nDEMO00,Energy,1\nDEMO01,Energy,2\nDEMO02,Health,3\n,Odd,4\n"
    )
    told = cli("ingest", file, "--stocks", "--store", lived.path).stderr
    assert "3 new" in told
    assert "1 no ticker" in told
    assert "cap" in told
    assert "3 unchanged" in cli("ingest", file, "--stocks", "--store", lived.path).stderr
    groups = lived.sql("from v_live_sectors order by sector").set_index("sector")
    assert groups["stocks"].tolist() == [2, 1]
    mine = lived.sql("from v_outcomes where ticker in ('DEMO00', 'DEMO01')")
    assert (mine["sector"] == "Energy").all()
    squares = np.square(mine["error"]).sum() / np.square(mine["actual"]).sum()
    assert groups.loc["Energy", "mse_vs_zero"] == pytest.approx(squares)
    file.write_text("ticker,sector\nDEMO02,Energy\n")
    lived.ingest_stocks(file)
    assert lived.sql("select sector from v_live_sectors")["sector"].tolist() == ["Energy"]


def test_whatever_shows_stocks_has_their_sector(lived):
    for view in VIEWS:
        columns = set(lived.sql(f"describe {view}")["column_name"])
        # Prices and attempts are as they were given and made.
        if "ticker" in columns and view not in ("v_prices", "v_attempts"):
            assert "sector" in columns, view


def test_what_is_kept_of_history_is_what_all_of_it_tells(lived, tmp_path):
    store = Store(shutil.copy(lived.path, tmp_path / "bma.duckdb"))
    days = sorted(DAYS)
    store.train(FAST, PassOptions(as_of=pd.Timestamp(days[310]).date()))
    revised = known_on(329)
    revised.loc[revised["date"] == days[312], TARGET] *= -1
    store.ingest(revised, target=TARGET, horizon=HORIZON)
    assert store.sql("select max(revision) from outcomes").iloc[0, 0] == 1
    names = ("standings", "member_days", "outcome_days", "outcome_stocks")
    queries = [f"from {name} order by all" for name in names]
    kept = [store.sql(query) for query in queries]
    with open_writer(store.path) as writer, writer.transaction():
        tell_all(writer)
    for query, before in zip(queries, kept, strict=True):
        pd.testing.assert_frame_equal(store.sql(query), before)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name,sector\nA,B\n", "has no column ticker; it has name, sector"),
        ("ticker,sector\nA,B\nA,C\n", "has A twice"),
    ],
)
def test_a_file_that_says_two_things_of_a_stock_is_refused(tmp_path, text, why):
    file = tmp_path / "stocks.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=why):
        Store(tmp_path / "bma.duckdb").ingest_stocks(file)
    with pytest.raises(InputError, match="cannot read"):
        Store(tmp_path / "bma.duckdb").ingest_stocks(tmp_path / "none.csv")
