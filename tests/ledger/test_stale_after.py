"""Nights that only forecast: a stock is trained again once enough labels have come, or at once
where a row was revised; until then its ensemble in use forecasts what is new."""

import pandas as pd
import pytest

from bmastore import PassOptions
from bmastore.datasets import known_on
from bmastore.errors import ConfigError
from tests.helpers import FAST, HORIZON, TARGET, assert_as_stored, causes, statuses
from tests.ledger.conftest import BEGIN

THREE = PassOptions(stale_after=3)


@pytest.fixture
def days(panel):
    return sorted(panel["date"].unique())


def night(store, panel, day, options=THREE):
    store.ingest(known_on(panel, day), target=TARGET, horizon=HORIZON)
    return store.train(FAST, options)


def revise(store, panel, day, ticker, which):
    """Change a feature of the newest labelled or unlabelled row of a stock."""
    known = known_on(panel, day)
    rows = known[(known["ticker"] == ticker) & (known[TARGET].notna() == (which == "labelled"))]
    store.ingest(
        rows.tail(1).assign(momentum=lambda row: row["momentum"] + 1),
        target=TARGET,
        horizon=HORIZON,
    )


def newest_forecasts(store):
    columns = "ticker, date, mean, sd, q05, q25, q50, q75, q95, p_up"
    return store.sql(f"select {columns} from v_newest_forecasts order by ticker")


def test_stocks_are_trained_when_as_many_labels_have_come_as_were_asked_for(begun, panel, days):
    done = [night(begun, panel, days[BEGIN + i]) for i in range(1, 7)]
    assert [(run.only_forecast, run.trained) for run in done] == [(6, 0), (6, 0), (0, 6)] * 2
    entries = begun.sql("select cause, count(*) as n from v_entries group by cause order by cause")
    assert dict(entries.itertuples(index=False)) == {"data": 12, "new": 6}


def test_a_stock_that_is_let_pass_is_trained_and_not_stale(begun, panel, days):
    night(begun, panel, days[BEGIN + 1])
    assert set(statuses(begun).values()) == {"trained"}
    assert causes(begun) == {}
    assert begun.train(FAST).trained == 6, "by default every new label counts"


def test_each_night_has_a_forecast_of_its_day_by_the_ensemble_in_use(begun, panel, days):
    night(begun, panel, days[BEGIN + 1])
    shown = newest_forecasts(begun)
    assert set(shown["date"]) == {days[BEGIN + 1]}
    assert begun.sql("select bool_and(is_current) as all from v_newest_forecasts")["all"][0]
    predicted = begun.predict().frame.drop(columns="target").sort_values("ticker")
    assert_as_stored(predicted.reset_index(drop=True)[list(shown)], shown)


def test_rows_that_all_have_labels_are_only_forecast_too(begun, panel, days):
    """When the label of such a panel's last row ends is a guess, until the next row comes."""
    whole = panel.dropna(subset=TARGET)
    for day in days[BEGIN + 1 : BEGIN + 4]:
        begun.ingest(whole[whole["date"] <= day], target=TARGET, horizon=HORIZON)
        run = begun.train(FAST, PassOptions(stale_after=20))
        assert (run.only_forecast, run.trained) == (6, 0)


def test_a_pass_asks_no_ensemble_twice(begun, panel, days):
    night(begun, panel, days[BEGIN + 1])
    before = begun.sql("from predictions order by all")
    again = begun.train(FAST, THREE)
    assert (again.selected, again.only_forecast) == (0, 0)
    pd.testing.assert_frame_equal(begun.sql("from predictions order by all"), before)


def test_a_revised_history_is_trained_at_once(begun, panel, days):
    night(begun, panel, days[BEGIN + 1])
    revise(begun, panel, days[BEGIN + 1], "DEMO02", "labelled")
    assert causes(begun) == {"DEMO02": "data"}
    assert begun.train(FAST, THREE).trained == 1
    assert causes(begun) == {}
    run = night(begun, panel, days[BEGIN + 2])
    # The night brings the row back as it was, which is a revision as well.
    assert (run.trained, run.only_forecast) == (1, 5)


def test_a_history_that_lost_a_row_is_trained_at_once(begun, panel, days):
    begun.forget(before=days[10].date())
    assert set(causes(begun).values()) == {"data"}
    assert begun.train(FAST, THREE).trained == 6


def test_a_revised_row_without_a_label_is_forecast_anew(begun, panel, days):
    before = newest_forecasts(begun).set_index("ticker")["mean"]
    revise(begun, panel, days[BEGIN], "DEMO02", "unlabelled")
    run = begun.train(FAST, THREE)
    assert (run.trained, run.only_forecast) == (0, 1)
    after = newest_forecasts(begun).set_index("ticker")["mean"]
    assert after["DEMO02"] != before["DEMO02"]
    assert after.drop("DEMO02").equals(before.drop("DEMO02"))
    counts = begun.sql("select ticker, count(*) as n from predictions group by ticker")
    assert set(counts["n"]) == {HORIZON}


def test_a_forecast_that_is_the_same_is_not_stored_again(begun, panel, days):
    began = begun.sql("select date, max(made_at) as made_at from predictions group by date")
    night(begun, panel, days[BEGIN + 1])
    now = begun.sql("select date, max(made_at) as made_at from predictions group by date")
    both = began.merge(now, on="date", suffixes=("", "_now"))
    assert len(both) == HORIZON
    assert both["made_at"].equals(both["made_at_now"])


def test_forecasts_of_such_nights_are_settled_beside_those_of_zero(begun, panel, days):
    for i in range(1, HORIZON + 3):
        night(begun, panel, days[BEGIN + i], PassOptions(stale_after=100))
    judged = begun.sql("from v_outcomes order by date, ticker")
    assert sorted(judged["date"].unique()) == days[BEGIN - HORIZON + 1 : BEGIN + 3]
    assert judged["zero_crps"].notna().all()
    truth = panel.set_index(["ticker", "date"])[TARGET]
    expected = [truth[key] for key in zip(judged["ticker"], judged["date"], strict=True)]
    assert judged["actual"].tolist() == pytest.approx(expected, abs=1e-8)


def test_nothing_that_comes_later_changes_such_a_forecast(begun, panel, days):
    night(begun, panel, days[BEGIN + 1])
    before = begun.sql(f"from predictions where date <= '{days[BEGIN + 1]}' order by all")
    other = panel["momentum"].where(panel["date"] <= days[BEGIN + 1], 9)
    night(begun, panel.assign(momentum=other), days[BEGIN + 2])
    after = begun.sql(f"from predictions where date <= '{days[BEGIN + 1]}' order by all")
    pd.testing.assert_frame_equal(after.drop(columns="made_at"), before.drop(columns="made_at"))


def test_as_of_an_earlier_day_nothing_of_a_later_one_is_forecast(begun, panel, days):
    begun.ingest(known_on(panel, days[BEGIN + 2]), target=TARGET, horizon=HORIZON)
    run = begun.train(FAST, PassOptions(stale_after=3, as_of=days[BEGIN + 1].date()))
    assert (run.trained, run.only_forecast) == (0, 6)
    newest = begun.sql("select max(date) as date from predictions")["date"][0]
    assert newest == days[BEGIN + 1]


def test_an_ensemble_that_is_lost_is_told_and_stops_no_other(begun, panel, days):
    lost = begun.sql("select artifact_sha256 from v_latest where ticker = 'DEMO03'").iloc[0, 0]
    for file in begun.path.parent.rglob(f"{lost}*"):
        file.unlink()
    run = night(begun, panel, days[BEGIN + 1])
    assert run.only_forecast == 5
    assert list(run.not_forecast) == ["DEMO03"]
    again = begun.train(FAST, PassOptions(tickers=("DEMO03",), force=True))
    assert again.trained == 1
    assert begun.train(FAST, THREE).not_forecast == {}


def test_the_run_says_how_many_were_only_forecast(begun, panel, days):
    night(begun, panel, days[BEGIN + 1])
    run = begun.sql("select * from v_runs order by started_at desc limit 1").iloc[0]
    assert (run["only_forecast"], run["stale_after"], run["selected"]) == (6, 3, 0)


def test_a_plan_tells_who_is_only_forecast(begun, panel, days):
    begun.ingest(known_on(panel, days[BEGIN + 1]), target=TARGET, horizon=HORIZON)
    (plan,) = begun.plan(FAST, THREE)
    assert {one.ticker for one in plan.kept} == {f"DEMO0{i}" for i in range(6)}
    assert plan.outline().only_forecast == 6
    assert plan.outline().selected == 0


def test_at_least_one_label_must_come():
    with pytest.raises(ConfigError, match="stale_after"):
        PassOptions(stale_after=0)
