"""What is pending and why, wherever the ledger lies: only what is new or stale, nothing twice."""

import datetime as dt

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmastore import PassOptions, TrainConfig
from bmastore.calendar import utc_now
from bmastore.errors import ConfigError, UnknownTickerError
from bmastore.ledger.causes import History, Inputs, StaleRules, cause_of, newest_attempts
from bmastore.storage.session import open_writer
from tests.helpers import FAST, HORIZON, TARGET, causes, statuses


def revise(store, panel, ticker, rows=1):
    changed = panel[panel["ticker"] == ticker].tail(rows + HORIZON).copy()
    changed["momentum"] += 1
    store.ingest(changed, target=TARGET, horizon=HORIZON)


def trained_causes(store, run_id):
    rows = store.sql("select ticker, cause from ledger where run_id = $r", {"r": run_id})
    return dict(rows.itertuples(index=False))


def test_everything_is_new_at_first_and_nothing_after_a_pass(kept):
    assert set(causes(kept).values()) == {"new"}
    assert kept.train(FAST).trained == 6
    assert set(statuses(kept).values()) == {"trained"}
    assert kept.train(FAST).selected == 0


def test_revised_stocks_are_stale_and_only_they_are_trained(kept, panel):
    kept.train(FAST)
    revise(kept, panel, "DEMO01")
    revise(kept, panel, "DEMO04")
    assert causes(kept) == {"DEMO01": "data", "DEMO04": "data"}
    assert statuses(kept)["DEMO01"] == "stale"
    run = kept.train(FAST)
    assert trained_causes(kept, run.run_id) == {"DEMO01": "data", "DEMO04": "data"}


def test_another_config_makes_all_stale_whatever_changes_a_result(kept):
    kept.train(FAST)
    for config in (TrainConfig(preset="fast"), TrainConfig(preset="ultrafast", seed=1)):
        run = kept.train(config, PassOptions(limit=2))
        assert set(trained_causes(kept, run.run_id).values()) == {"config"}
    # v_status compares with the last run's config.
    assert sorted(statuses(kept).values()) == ["stale"] * 4 + ["trained"] * 2


def test_workers_and_batch_size_are_no_part_of_the_config(kept):
    kept.train(FAST)
    assert kept.train(FAST, PassOptions(workers=1, batch_size=3)).selected == 0


def test_new_code_makes_all_stale(kept, monkeypatch):
    kept.train(FAST)
    monkeypatch.setattr("bmastore.models.config.RECIPE", 1_000)
    run = kept.train(FAST)
    assert set(trained_causes(kept, run.run_id).values()) == {"code"}
    assert kept.train(FAST).selected == 0


def test_all_forces_and_says_so(kept, panel):
    kept.train(FAST)
    revise(kept, panel, "DEMO01")
    run = kept.train(FAST, PassOptions(force=True))
    expected = dict.fromkeys(statuses(kept), "forced") | {"DEMO01": "data"}
    assert trained_causes(kept, run.run_id) == expected


def test_tickers_and_limit_narrow_the_pass(kept):
    run = kept.train(FAST, PassOptions(tickers=("DEMO02", "DEMO05"), limit=1))
    assert trained_causes(kept, run.run_id) == {"DEMO02": "new"}
    with pytest.raises(UnknownTickerError, match="NOPE"):
        kept.train(FAST, PassOptions(tickers=("NOPE",)))


def test_skipped_and_failed_stocks_stay_so_until_their_inputs_change(store, panel):
    flat = panel[panel["ticker"] == "DEMO00"].copy()
    flat[TARGET] = flat[TARGET].where(flat[TARGET].isna(), 0.1)
    short = panel[panel["ticker"] == "DEMO01"].tail(20)
    good = panel[panel["ticker"] == "DEMO02"]
    for part in (flat, short, good):
        store.ingest(part, target=TARGET, horizon=HORIZON)
    run = store.train(FAST)
    assert (run.trained, run.failed, run.skipped) == (1, 1, 1)
    assert statuses(store) == {"DEMO00": "failed", "DEMO01": "skipped", "DEMO02": "trained"}
    reasons = store.sql("select ticker, error_type, error_message from v_failures order by ticker")
    assert reasons["error_type"].tolist() == ["ConstantTargetError", "TooFewRowsError"]
    assert reasons["error_message"].str.len().min() > 20
    assert store.train(FAST).selected == 0

    run = store.train(FAST, PassOptions(retry_failed=True))
    assert trained_causes(store, run.run_id) == {"DEMO00": "retry"}

    store.ingest(panel[panel["ticker"] != "DEMO02"].query("ticker < 'DEMO02'"),
                 target=TARGET, horizon=HORIZON)  # fmt: skip
    assert statuses(store) == {"DEMO00": "pending", "DEMO01": "pending", "DEMO02": "trained"}
    assert store.train(FAST).trained == 2


def test_as_of_uses_what_was_known_and_is_stale_afterwards(kept, panel):
    day = panel["date"].unique()[280].date()
    kept.train(FAST, PassOptions(as_of=day))
    entry = kept.sql("select * from v_latest").iloc[0]
    assert entry["cutoff"].date() == day
    assert entry["last_date"].date() < day
    forecasts = kept.sql("select max(date) as last, count(*) / 6 as n from v_predictions")
    assert (forecasts["last"][0].date(), forecasts["n"][0]) == (day, HORIZON)
    assert kept.train(FAST, PassOptions(as_of=day)).selected == 0
    assert set(causes(kept).values()) == {"data"}


def test_as_of_equals_a_store_that_ends_there(kept, panel, store, tmp_path):
    cutoff = panel["date"].unique()[300]
    kept.train(FAST, PassOptions(as_of=cutoff.date()))
    truncated = panel[panel["date"] <= cutoff].copy()
    late = truncated.groupby("ticker").cumcount(ascending=False) < HORIZON
    truncated.loc[late, TARGET] = float("nan")
    other = type(store)(tmp_path / "other.duckdb")
    other.ingest(truncated, target=TARGET, horizon=HORIZON)
    other.train(FAST)
    query = "select ticker, artifact_sha256, data_digest from v_latest order by ticker"
    assert kept.sql(query).equals(other.sql(query))


def test_as_of_before_all_data_skips_every_stock(kept):
    run = kept.train(FAST, PassOptions(as_of=dt.date(1999, 1, 1)))
    assert (run.selected, run.skipped) == (6, 6)


def test_names_that_do_not_exist_are_refused(kept):
    with pytest.raises(ConfigError, match="unknown preset 'slow'; choose from"):
        TrainConfig(preset="slow")
    with pytest.raises(ConfigError, match="no target 'x'; it has forward_return"):
        kept.train(TrainConfig(target="x"))
    with pytest.raises(ConfigError, match="no feature 'x'"):
        kept.train(TrainConfig(features=("x",)))


# --- a look back ------------------------------------------------------------------------

IN_USE = (
    "select * exclude (entry_id, made_at) from v_predictions order by all",
    "from v_latest order by all",
    "from v_weights order by all",
    "select ticker, status, cause, trained_at from v_status order by all",
)


def in_use(store):
    """What analysts and tomorrow's pass see of a store."""
    found = [store.sql(query) for query in IN_USE] + [store.predict().frame]
    with duckdb.connect(str(store.path), read_only=True) as duck:
        return [*found, duck.execute("select * exclude entry_id from oof order by all").df()]


def test_a_look_back_replaces_nothing(kept, panel):
    kept.train(FAST)
    before = in_use(kept)
    day = panel["date"].unique()[300].date()
    other = TrainConfig(preset="ultrafast", seed=7)
    run = kept.train(other, PassOptions(as_of=day, tickers=("DEMO01", "DEMO02")))
    assert run.trained == 2
    for one, two in zip(before[1:], in_use(kept)[1:], strict=True):
        pd.testing.assert_frame_equal(one, two)
    # It adds the forecasts of that day, where there were none.
    newer = "select * exclude (entry_id, made_at) from v_predictions where date > $day order by all"
    assert len(kept.sql(newer, {"day": day})) == len(before[0])
    assert kept.train(FAST).selected == 0
    entries = kept.sql("select attempt, cutoff, status from ledger where ticker = 'DEMO01'")
    assert len(entries) == 2


def test_a_look_back_at_a_stock_never_trained_is_in_use_until_it_is_trained(kept, panel):
    day = panel["date"].unique()[300].date()
    kept.train(FAST, PassOptions(as_of=day))
    assert len(kept.predict(until=day).frame) == 6
    kept.train(FAST)
    assert (kept.sql("select cutoff from v_latest")["cutoff"].dt.date > day).all()


# --- one rule ---------------------------------------------------------------------------

hashes = st.sampled_from(["a", "b"])
BEGUN = dt.datetime(2024, 1, 1)
# Since when a stock's history went on: as it does now, or another, or not known.
histories = st.sampled_from([BEGUN, dt.datetime(2023, 1, 1), None])
ledger_entries = st.lists(
    st.tuples(
        st.sampled_from(["T0", "T1", "T2"]),
        st.sampled_from(["trained", "failed", "skipped"]),
        hashes,
        hashes,
        hashes,
        st.sampled_from([None, dt.date(2024, 1, 1), dt.date(2024, 6, 1)]),
        st.sampled_from([1, 10]),
        st.sampled_from([8, 9, 10, 11]),
        histories,
    ),
    max_size=8,
)
# A stock that was found to have decayed, and how many days ago.
decays = st.lists(st.tuples(st.sampled_from(["T0", "T1"]), st.sampled_from([0, 5, 20])), max_size=2)
max_ages = st.sampled_from([None, 5.0, 30.0])
stale_afters = st.sampled_from([1, 2, 3])


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A store without rows, held for writing."""
    with open_writer(tmp_path_factory.mktemp("rule") / "bma.duckdb", create=True) as writer:
        yield writer


def fill_ledger(writer, entries, config_hash, code_version, decays=(), max_age=None, stale_after=1):
    for table in ("ledger", "series", "runs", "decays"):
        writer.duck.execute(f"delete from {table}")
    for ticker in ("T0", "T1", "T2"):
        writer.duck.execute(
            "insert into series by name select $1 as ticker, 'y' as target, 10 as n_rows, "
            "'a' as digest, now()::timestamp as updated_at, $2 as history_since",
            [ticker, BEGUN],
        )
    writer.duck.execute(
        "insert into runs by name select 'r' as run_id, 'finished' as status, "
        "now()::timestamp as started_at, 'y' as target, 1 as horizon, 'p' as preset, "
        "$1 as config_hash, '' as config, $2 as code_version, 1 as workers, "
        "1 as selected, 1 as trained, 0 as failed, 0 as skipped, $3 as max_age, $4 as stale_after",
        [config_hash, code_version, max_age, stale_after],
    )
    for ticker, days in decays:
        writer.duck.execute(
            "insert into decays values ($1, 'y', now()::timestamp - $2 * interval '1 day', 20, "
            "'2024-01-01', 0.5, 0.0)",
            [ticker, days],
        )
    for attempt, entry in enumerate(entries, 1):
        ticker, status, data, config, code, cutoff, days, n_rows, since = entry
        writer.duck.execute(
            "insert into ledger by name select $1 as entry_id, 'r' as run_id, $2 as ticker, "
            "'y' as target, $3 as status, 'new' as cause, $4 as data_digest, $5 as config_hash, "
            "$6 as code_version, 'p' as preset, $10 as n_rows, "
            "$11 as history_since, $7::date as cutoff, $8 as attempt, "
            "0.0 as fit_s, now()::timestamp as started_at, "
            "now()::timestamp - $9 * interval '1 day' as finished_at",
            [
                f"e{attempt}",
                ticker,
                status,
                data,
                config,
                code,
                cutoff,
                attempt,
                days,
                n_rows,
                since,
            ],
        )


@settings(max_examples=60, deadline=None)
@given(ledger_entries, hashes, hashes, decays, max_ages, stale_afters)
def test_a_pass_selects_what_v_status_says_waits(
    empty, entries, config_hash, code_version, decays, max_age, stale_after
):
    fill_ledger(empty, entries, config_hash, code_version, decays, max_age, stale_after)
    shown = dict(empty.duck.execute("select ticker, cause from v_status").fetchall())
    newest = newest_attempts(empty, "y")
    now = Inputs("a", config_hash, code_version)
    oldest = None if max_age is None else utc_now() - dt.timedelta(days=max_age)
    history, rules = History(10, BEGUN), StaleRules(stale_after, oldest)
    expected = {ticker: cause_of(newest.get(ticker), now, history, rules) for ticker in shown}
    assert expected == shown


@settings(max_examples=60, deadline=None)
@given(ledger_entries, hashes, hashes)
def test_a_status_is_that_of_the_newest_attempt_until_something_changes(
    empty, entries, config_hash, code_version
):
    fill_ledger(empty, entries, config_hash, code_version)
    newest = newest_attempts(empty, "y")
    rows = empty.duck.execute("select ticker, status, cause from v_status").fetchall()
    for ticker, status, cause in rows:
        if cause is None:
            assert status == newest[ticker].status
        else:
            has_ensemble = ticker in newest and newest[ticker].current_artifact
            assert status == ("stale" if has_ensemble else "pending")
