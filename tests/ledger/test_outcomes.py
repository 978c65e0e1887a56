"""Forecasts that were made before their label was known, and no others, are judged by it."""

from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import psycopg
import pytest

from bmastore import PassOptions, Store, TrainConfig
from bmastore.datasets import planted_panel
from bmastore.models import mixture
from bmastore.models.components import with_entry
from bmastore.storage.paths import archive_path
from bmastore.storage.session import open_writer
from tests.helpers import FAST, HORIZON, TARGET

PANEL = planted_panel(n_stocks=3, n_days=300, seed=5)
DAYS = PANEL["date"].unique()
KEYS = ["ticker", "date"]


@pytest.fixture(params=["duckdb", "postgresql"])
def fresh(request, tmp_path):
    """A store without anything, whose ledger lies in DuckDB or on a server."""
    url = request.getfixturevalue("url") if request.param == "postgresql" else None
    return Store(tmp_path / "bma.duckdb", ledger=url)


def known_on(day, panel=PANEL):
    """The panel as it was on a day, by its number: later labels are not there yet."""
    seen = panel[panel["date"] <= DAYS[day]].copy()
    seen.loc[seen["date"] > DAYS[day - HORIZON], TARGET] = np.nan
    return seen


def ingest(store, panel):
    store.ingest(panel, target=TARGET, horizon=HORIZON)


def night(store, day, panel=PANEL, **options):
    ingest(store, known_on(day, panel))
    store.train(FAST, PassOptions(**options))


def outcomes(store):
    return store.sql("select * from outcomes order by ticker, date, revision")


def with_entries(store):
    """Each outcome with its entry."""
    entries = {entry.entry_id: entry for entry in store.sql("from ledger").itertuples()}
    return [(row, entries[row.entry_id]) for row in outcomes(store).itertuples()]


def test_each_row_is_judged_by_its_first_forecast(fresh):
    made = []
    for day in (280, 282, 290):
        night(fresh, day)
        made.append(fresh.sql("from v_predictions"))
    found = outcomes(fresh)
    # The first pass forecast the five newest days, the second the two days since.
    assert found["date"].unique().tolist() == DAYS[276:283].tolist()
    assert len(found) == 3 * 7
    first = pd.concat(made).drop_duplicates(KEYS, keep="first")
    both = found.merge(first, on=KEYS, suffixes=("", "_first"))
    assert len(both) == len(found)
    for name in ("mean", "sd", "q05", "q25", "q50", "q75", "q95", "p_up"):
        assert (both[name] == both[f"{name}_first"]).all()
    labels = found.merge(PANEL, on=KEYS)[TARGET]
    assert (abs(found["actual"] - labels) < 1e-6 * found["sd"]).all()
    shown = fresh.sql("from v_outcomes")
    assert (shown["error"] == shown["actual"] - shown["mean"]).all()
    assert (found["label_end"] > found["known_until"]).all()
    assert (found["revision"] == 0).all()


def test_a_night_of_more_stocks_than_duckdb_would_look_at_is_settled_and_shown(fresh):
    many = planted_panel(n_stocks=2_100, n_days=220, seed=6)
    ingest(fresh, known_on(200, many))
    fresh.train(TrainConfig(preset="ultrafast", members=("zero", "mean")))
    ingest(fresh, known_on(206, many))
    fresh.train(options=PassOptions(limit=1))
    assert len(outcomes(fresh)) == 5 * 2_100
    assert fresh.sql("select count(*) as n from v_entries")["n"][0] == 2_101
    assert fresh.verify().findings == ()


def check_scores(row, entry):
    """An outcome is judged by the mixture that it and its entry tell."""
    parts = with_entry(entry.members, entry.weights, entry.scales, row.centres, row.scale)
    weight, centre, scale = np.reshape(parts, (-1, 3)).T
    y, centres = np.array([row.actual]), centre[None, :]
    assert weight.sum() == pytest.approx(1)
    assert row.mean == pytest.approx(centre @ weight, abs=1e-3 * row.sd)
    pit = mixture.mixture_cdf(y, centres, scale, weight)
    assert row.pit == pytest.approx(pit[0], abs=1e-3)
    crps = mixture.mixture_crps(y, centres, scale, weight)
    assert row.crps == pytest.approx(crps[0], rel=1e-3)
    of_zero = mixture.mixture_crps(y, np.zeros((1, 1)), scale[:1], np.ones(1))
    assert row.zero_crps == pytest.approx(of_zero[0], rel=1e-3)
    assert row.q05 < row.q95
    if row.q05 < row.actual < row.q95:
        assert 0.05 < row.pit < 0.95


def test_scores_are_those_of_the_mixture_that_was_forecast(fresh):
    night(fresh, 280)
    night(fresh, 290)
    found = with_entries(fresh)
    assert len(found) == 15
    for row, entry in found:
        assert row.components is None
        check_scores(row, entry)


def test_what_comes_later_changes_no_outcome(fresh, tmp_path):
    other = Store(tmp_path / "other.duckdb")
    changed = PANEL.copy()
    after = changed["date"] > DAYS[290]
    changed.loc[after, ["momentum", TARGET]] *= -3.0
    for store, panel in ((fresh, PANEL), (other, changed)):
        for day in (280, 285, 290, 299):
            night(store, day, panel)
    names = [*KEYS, "mean", "p_up", "actual", "pit", "crps", "log_score", "zero_crps"]
    # Labels of the last five of these days came after the change, which their rows do not know.
    until = DAYS[290 - HORIZON]
    one, two = (found[found["date"] <= until][names] for found in map(outcomes, (fresh, other)))
    assert len(one) == 3 * 10
    assert one.reset_index(drop=True).equals(two.reset_index(drop=True))


def test_a_look_back_is_judged_by_nothing(fresh):
    ingest(fresh, PANEL)
    for day in (250, 270):
        fresh.train(FAST, PassOptions(as_of=DAYS[day].date()))
    fresh.train(FAST)
    ingest(fresh, PANEL)
    fresh.train(FAST, PassOptions(force=True))
    assert len(fresh.sql("from predictions")) == 3 * 15
    assert outcomes(fresh).empty


def test_a_stock_that_is_ingested_after_the_others_is_judged_by_nothing_they_knew(fresh):
    late = PANEL["ticker"] == "DEMO02"
    ingest(fresh, PANEL[~late])
    night(fresh, 280, PANEL[late])
    # The others were known to day 299, on which labels of rows to day 294 ended.
    ingest(fresh, PANEL[late])
    assert outcomes(fresh).empty
    fresh.train(FAST)
    more = PANEL.groupby("ticker").tail(30).copy()
    more["date"] += np.timedelta64(42, "D")
    more[TARGET] = more[TARGET].fillna(0.01)
    last = PANEL[PANEL["date"] > DAYS[290]].assign(**{TARGET: 0.02})
    ingest(fresh, last)
    ingest(fresh, more)
    found = outcomes(fresh)
    assert found["date"].min() > DAYS[294]
    assert (found["label_end"] > DAYS[299]).all()


def test_the_last_row_of_a_stock_whose_labels_are_all_known_is_judged_by_nothing(fresh):
    full = PANEL.assign(**{TARGET: PANEL[TARGET].fillna(0.01)})
    ingest(fresh, full)
    fresh.train(FAST)
    assert len(fresh.sql("from predictions")) == 3
    ingest(fresh, full)
    assert outcomes(fresh).empty


def test_settling_again_changes_nothing(fresh):
    for day in (280, 290):
        night(fresh, day)
    before = outcomes(fresh)
    assert len(before) == 15
    ingest(fresh, known_on(290))
    fresh.train(FAST)
    fresh.train(FAST, PassOptions(force=True))
    lists = ["components", "centres"]
    assert outcomes(fresh).drop(columns=lists).equals(before.drop(columns=lists))


def test_what_a_server_has_committed_already_is_not_settled_twice(fresh):
    """As where the process died between its commit and that of the panel."""
    night(fresh, 280)
    with duckdb.connect(str(fresh.path)) as duck:
        duck.execute("create table kept as from awaited")
    ingest(fresh, known_on(290))
    before = outcomes(fresh)
    with duckdb.connect(str(fresh.path)) as duck:
        assert duck.execute("select count(*) from awaited").fetchall() == [(0,)]
        duck.execute("insert into awaited from kept")
        duck.execute("drop table kept")
    fresh.train(FAST)
    assert len(before) == 15
    assert len(outcomes(fresh)) == 15
    with duckdb.connect(str(fresh.path), read_only=True) as duck:
        waiting = duck.execute("select min(date) from awaited").fetchall()[0][0]
    assert waiting > before["date"].max().date()


def label_of(day, change=0.0):
    """One stock's row of a day, whose label has changed."""
    row = PANEL[(PANEL["ticker"] == "DEMO01") & (PANEL["date"] == DAYS[day])]
    return row.assign(**{TARGET: row[TARGET] + change})


def test_a_label_that_is_revised_later_is_a_new_row_that_says_so(fresh):
    for day in (280, 290):
        night(fresh, day)
    first = outcomes(fresh)
    ingest(fresh, label_of(278, 1e-6))  # rounded anew
    assert len(outcomes(fresh)) == len(first)
    ingest(fresh, label_of(278, 0.01))
    fresh.train(FAST)
    found = outcomes(fresh)
    assert len(found) == len(first) + 1
    mine = found[(found["ticker"] == "DEMO01") & (found["date"] == DAYS[278])]
    assert mine["revision"].tolist() == [0, 1]
    assert mine["actual"].diff().iloc[1] == pytest.approx(0.01)
    assert mine["mean"].nunique() == 1
    assert mine["pit"].iloc[1] > mine["pit"].iloc[0]
    assert mine["entry_id"].nunique() == 1
    (again,) = [one for one in with_entries(fresh) if one[0].revision == 1]
    check_scores(*again)


def test_a_revised_label_of_an_archived_entry_is_judged_too(tmp_path):
    store = Store(tmp_path / "bma.duckdb")
    for day in (280, 290):
        night(store, day)
    before = outcomes(store)
    assert store.compact(archive_before=date.today() + timedelta(days=2)).archived == 3
    assert before["entry_id"].isin(store.sql("from ledger")["entry_id"]).sum() == 0
    ingest(store, label_of(278, 0.01))
    found = outcomes(store)
    assert found["revision"].tolist().count(1) == 1
    (file,) = archive_path(store.path).iterdir()
    content = file.read_bytes()
    file.write_bytes(b"gone")
    ingest(store, label_of(277, 0.01))
    assert len(outcomes(store)) == len(found)
    file.write_bytes(content)
    ingest(store, label_of(277, 0.02))
    assert outcomes(store)["revision"].tolist().count(1) == 2


def test_an_outcome_from_before_schema_0014_has_its_mixture_with_it(tmp_path):
    """And needs no entry to be judged anew."""
    store = Store(tmp_path / "bma.duckdb")
    for day in (280, 290):
        night(store, day)
    whole = [
        with_entry(entry.members, entry.weights, entry.scales, row.centres, row.scale)
        for row, entry in with_entries(store)
        if (row.ticker, row.date) == ("DEMO01", DAYS[278])
    ]
    with duckdb.connect(str(store.path)) as duck:
        duck.execute(
            "update outcomes set components = $1, centres = null, scale = null "
            "where ticker = 'DEMO01' and date = $2",
            [whole[0], DAYS[278].date()],
        )
        duck.execute("delete from ledger where entry_id in (select entry_id from outcomes)")
    ingest(store, label_of(278, 0.01))
    ingest(store, label_of(277, 0.01))  # its entry is lost
    (again,) = outcomes(store).query("revision > 0").itertuples()
    parts = np.reshape(whole[0], (-1, 3)).T
    pit = mixture.mixture_cdf(np.array([again.actual]), parts[1][None, :], parts[2], parts[0])
    assert again.pit == pytest.approx(pit[0], abs=1e-3)


def test_an_entry_that_does_not_tell_the_mixture_is_not_asked(tmp_path):
    """Such as one from before schema 0011, which may name its members in another order."""
    store = Store(tmp_path / "bma.duckdb")
    night(store, 280)
    mine = f"ticker = 'DEMO01' and date = '{DAYS[278]}'"
    with duckdb.connect(str(store.path)) as duck:
        ((whole,),) = duck.execute(f"select components from awaited where {mine}").fetchall()
        duck.execute("update ledger set scales = list_transform(scales, (scale, i) -> scale * i)")
    ingest(store, known_on(290))
    assert store.sql(f"select components from outcomes where {mine}").notna().all(axis=None)
    ingest(store, label_of(278, 0.01))
    (again,) = outcomes(store).query("revision > 0").itertuples()
    parts = np.reshape(whole, (-1, 3)).T
    pit = mixture.mixture_cdf(np.array([again.actual]), parts[1][None, :], parts[2], parts[0])
    assert again.pit == pytest.approx(pit[0], abs=1e-3)


def test_an_outcome_follows_the_day_on_which_its_label_became_known(fresh):
    is_late = (PANEL["ticker"] == "DEMO01") & (PANEL["date"] == DAYS[279])
    for day in (280, 290):
        night(fresh, day, PANEL[~is_late])
    found = known_on(290).query("ticker == 'DEMO01'")
    found = found[found["date"].isin(DAYS[278:280])]
    ingest(fresh, found.assign(**{TARGET: found[TARGET] + 1e-6}))
    fresh.train(FAST)
    query = f"select label_end from {{}} where ticker = 'DEMO01' and date = '{DAYS[278]}'"
    ends = [fresh.sql(query.format(relation)).iloc[0, 0] for relation in ("v_outcomes", "targets")]
    assert ends[0] == ends[1] == pd.Timestamp(DAYS[278 + HORIZON])


def test_what_could_not_be_settled_on_a_server_is_settled_by_the_next_pass(tmp_path, url):
    said = []
    store = Store(tmp_path / "bma.duckdb", ledger=url, say=said.append)
    night(store, 280)
    with open_writer(store.path, ledger_url=url) as writer:
        from bmastore.ledger.outcomes import settle_beside
        from bmastore.panel.ingest.options import IngestOptions
        from bmastore.panel.ingest.take import ingest as take

        take(writer, known_on(290), IngestOptions(horizons=(HORIZON,)), target=TARGET)
        with psycopg.connect(url, autocommit=True) as there:
            there.execute("alter table outcomes rename to away")
            settle_beside(writer, said.append)
            there.execute("alter table away rename to outcomes")
    assert "not settled yet" in said[-1]
    assert '"outcomes"' in said[-1]
    assert len(store.sql("from features")) == 3 * 291
    store.train(FAST)
    assert len(outcomes(store)) == 15


def test_the_store_stays_whole(fresh):
    for day in (280, 285, 290):
        night(fresh, day)
    assert fresh.verify().findings == ()
    fresh.forget(["DEMO00"])
    assert fresh.verify().findings == ()
    assert len(outcomes(fresh)) == 3 * 10
