"""Ingest of a panel: features and a target that are already made."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmastore import Store
from bmastore.datasets import planted_panel
from bmastore.errors import InputError
from tests.helpers import HORIZON, TARGET, digests


def take(store, frame, **options):
    return store.ingest(frame, **{"target": TARGET, "horizon": HORIZON} | options)


def small(n_stocks=2, n_days=40, seed=1):
    return planted_panel(n_stocks=n_stocks, n_days=n_days, seed=seed)


def note(report, text):
    return next((c for c in (*report.dropped, *report.notes) if text in c.what), None)


def test_columns_become_float_features_and_unlabelled_rows_are_kept(store):
    panel = small()
    report = take(store, panel)
    assert (report.kind, report.rows_new, report.tickers) == ("panel", 80, 2)
    types = store.sql(
        "select column_name, data_type from duckdb_columns() "
        "where table_name = 'features' order by column_index"
    )
    assert types.values.tolist() == [["ticker", "VARCHAR"], ["date", "DATE"]] + [
        [name, "FLOAT"] for name in ("momentum", "value", "carry", "size", "season")
    ]
    assert store.sql("select count(*) from features").iloc[0, 0] == 80
    assert store.sql("select count(*) from targets").iloc[0, 0] == 70
    assert store.sql("select n_rows from series").iloc[:, 0].tolist() == [35, 35]


@pytest.mark.parametrize("column", ["season", TARGET])
@pytest.mark.parametrize("kind", ["frame", "csv"])
def test_zeros_of_both_signs_are_one_number(store, tmp_path, column, kind):
    """DuckDB keeps one of both where a column holds nothing else."""
    panel = small()
    panel[column] *= 0
    assert np.signbit(panel[column]).any()
    if kind == "csv":
        panel.to_csv(tmp_path / "panel.csv", index=False)
        take(store, tmp_path / "panel.csv")
    else:
        take(store, panel)
    assert store.verify().findings == ()


def test_labels_end_horizon_rows_later(store):
    panel = small(n_stocks=1)
    take(store, panel)
    ends = store.sql("select date, label_end from targets order by date")
    days = panel["date"]
    assert ends["label_end"].tolist() == days[HORIZON:].tolist()


def test_labels_of_the_last_rows_end_no_earlier_than_those_weekdays_would(store):
    panel = small(n_stocks=1).dropna()
    take(store, panel)
    ends = store.sql("select date, label_end from targets order by date")
    gaps = (ends["label_end"] - ends["date"]).dt.days
    assert gaps.between(7, 10).all()
    assert (ends["label_end"].diff().dropna().dt.days > 0).all()


# As many rows as DuckDB writes at once, and more columns than are added one by one.
MANY, WIDE = 130_000, [f"f{i}" for i in range(12)]


def large(n_stocks=26):
    days = pd.bdate_range("2000-01-03", periods=MANY // n_stocks)
    keys = pd.MultiIndex.from_product([[f"S{i}" for i in range(n_stocks)], days])
    frame = keys.to_frame(name=["ticker", "date"], index=False)
    numbers = np.random.default_rng(0).normal(size=(MANY, 13)).astype(np.float32)
    return frame.join(pd.DataFrame(numbers, columns=[*WIDE, TARGET]))


@pytest.mark.parametrize("n_features", [1, 12])
def test_the_first_rows_of_a_store_have_their_labels_however_many_they_are(store, n_features):
    take(store, large()[["ticker", "date", *WIDE[:n_features], TARGET]])
    assert store.sql("select count(*) as n from features")["n"][0] == MANY
    assert store.sql("select count(*) as n from targets")["n"][0] == MANY
    assert store.sql("select sum(n_rows) as n from series")["n"][0] == MANY


def test_many_rows_with_new_features_join_those_that_are_there(store):
    whole = large()
    take(store, whole[whole["ticker"] == "S0"][["ticker", "date", "f0", TARGET]])
    take(store, whole[whole["ticker"] != "S0"])
    assert store.sql("select count(*) as n from targets")["n"][0] == MANY


def test_many_rows_after_a_file_without_any(store, tmp_path):
    whole = large()
    whole.head(0).to_csv(tmp_path / "a.csv", index=False)
    whole.to_csv(tmp_path / "b.csv", index=False)
    store.ingest([tmp_path / "a.csv", tmp_path / "b.csv"], target=TARGET, horizon=HORIZON)
    assert store.sql("select count(*) as n from targets")["n"][0] == MANY


def test_the_same_panel_twice_changes_nothing(store):
    take(store, small())
    before = digests(store)
    report = take(store, small())
    assert (report.rows_unchanged, report.tickers_changed) == (80, 0)
    assert digests(store) == before


@pytest.mark.parametrize(("row", "column"), [(10, "momentum"), (10, TARGET), (39, "carry")])
def test_a_revised_cell_changes_only_its_stock(store, row, column):
    panel = small()
    take(store, panel)
    before = digests(store)
    panel.loc[row, column] = 0.125
    assert take(store, panel).rows_revised == 1
    changed = {ticker for ticker, value in digests(store).items() if value != before[ticker]}
    assert changed == {"DEMO00"}


def test_a_label_that_is_withdrawn_is_gone(store):
    panel = small()
    take(store, panel)
    panel.loc[3, TARGET] = np.nan
    take(store, panel)
    assert store.sql("select count(*) from targets").iloc[0, 0] == 69


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Digests of a panel that came in one ingest."""
    store = Store(tmp_path_factory.mktemp("whole") / "bma.duckdb")
    take(store, small(n_days=20))
    return digests(store)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_order_and_any_number_of_ingests_give_the_same_digests(tmp_path_factory, whole, data):
    panel = small(n_days=20)
    pieces = Store(tmp_path_factory.mktemp("pieces") / "bma.duckdb")
    order = data.draw(st.permutations(range(len(panel))))
    cuts = sorted(data.draw(st.lists(st.integers(1, len(panel) - 1), max_size=3)))
    for start, stop in zip([0, *cuts], [*cuts, len(panel)], strict=True):
        if start < stop:
            take(pieces, panel.iloc[order[start:stop]])
    assert digests(pieces) == whole


def test_a_later_feature_is_added_and_the_others_stay(store):
    panel = small()
    take(store, panel)
    take(store, panel[["ticker", "date", TARGET]].assign(late=1.5))
    row = store.sql("select momentum, late from features where ticker = 'DEMO00' order by date")
    assert row["late"].eq(1.5).all()
    assert row["momentum"].tolist() == panel["momentum"][:40].tolist()


def test_a_second_target_stands_beside_the_first(store):
    panel = small()
    take(store, panel)
    other = panel.drop(columns=TARGET).assign(vol=1.0)
    take(store, other, target="vol", horizon=1)
    counts = store.sql("select target, count(*) from series group by 1 order by 1")
    assert counts.values.tolist() == [[TARGET, 2], ["vol", 2]]


def test_a_dict_of_frames_and_a_dict_of_target_series(store):
    panel = small()
    frames = {
        t: f.drop(columns=["ticker", TARGET]).set_index("date") for t, f in panel.groupby("ticker")
    }
    targets = {t: f.set_index("date")[TARGET] for t, f in panel.groupby("ticker")}
    report = store.ingest(frames, target=targets, horizon=HORIZON)
    assert report.rows_new == 80
    assert store.sql("select distinct target from targets").values.tolist() == [["target"]]
    assert store.sql("select count(*) from targets").iloc[0, 0] == 70


def test_infinities_are_stored_as_missing_and_counted(store):
    panel = small()
    panel.loc[3, "value"] = np.inf
    panel.loc[4, TARGET] = -np.inf
    report = take(store, panel)
    assert note(report, "infinite values in 'value'").n == 1
    assert note(report, f"infinite values in '{TARGET}'").n == 1
    assert store.sql("select count(*) from features where value is null").iloc[0, 0] == 1


def test_numbers_too_large_for_a_float_are_missing_not_an_error(store):
    panel = small().astype({"value": float})
    panel.loc[3, "value"] = 1e300
    take(store, panel)
    assert store.sql("select count(*) from features where value is null").iloc[0, 0] == 1


def test_text_columns_are_refused_by_name(store):
    with pytest.raises(InputError, match=r"'sector' holds text.*'Tech'"):
        take(store, small().assign(sector="Tech"))
    with pytest.raises(InputError, match="'listed' holds TIMESTAMP"):
        take(store, small().assign(listed=pd.Timestamp("2020-01-01")))


def test_a_stray_word_among_numbers_is_missing_and_counted(store):
    panel = small().astype({"value": object})
    panel.loc[7, "value"] = "n.v."
    report = take(store, panel)
    assert note(report, "'value' are no numbers").examples == ("n.v.",)


def test_missing_columns_are_named_with_their_nearest(store):
    with pytest.raises(
        InputError, match="no column 'forwrd_return'; did you mean 'forward_return'"
    ):
        take(store, small(), target="forwrd_return")
    with pytest.raises(InputError, match="no column 'ticker'"):
        take(store, small().rename(columns={"ticker": "tikker"}))
    with pytest.raises(InputError, match="needs --horizon"):
        take(store, small(), horizon=None)
    with pytest.raises(InputError, match="no feature columns"):
        take(store, small()[["ticker", "date", TARGET]])
    take(store, small())
    with pytest.raises(InputError, match="stored with horizon 5"):
        take(store, small(), horizon=10)


@pytest.mark.parametrize(
    "name",
    [
        "reason",
        "shown",
        "x0",
        "y",
        "source",
        "label_end",
        'has "quotes"',
        "select",
        "ünïcode",
        "a b",
        "x'; drop table y--",
        "$target {tickers}",
    ],
)
def test_any_text_can_be_a_feature(store, name):
    take(store, small().rename(columns={"value": name}))
    assert name in store.sql("select * from features").columns


@pytest.mark.parametrize("name", ["y'; drop table targets; --", "{tickers} $horizon", "a\nb; -- c"])
def test_any_text_can_be_a_target(store, name):
    take(store, small().rename(columns={TARGET: name}), target=name)
    take(store, small(n_days=41).rename(columns={TARGET: name}), target=name)
    assert store.sql("select distinct target from series").values.tolist() == [[name]]
    assert store.sql("select count(*) from targets where target = $t", {"t": name}).iloc[0, 0] == 72
