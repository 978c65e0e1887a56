"""The future among the features: no target is one, and what looks like one is refused."""

import numpy as np
import pandas as pd
import pytest

from bmastore.errors import InputError
from tests.helpers import FAST, cli, digests
from tests.panel.ingest.helpers import features, note, take


def walks(n_stocks=4, n_days=420, seed=0):
    """Random walks with a feature that knows nothing, and forward returns of three horizons."""
    random = np.random.default_rng(seed)
    frames = []
    for i in range(n_stocks):
        path = np.cumsum(0.02 * random.standard_normal(n_days))
        ahead = {h: np.append(path[h:] - path[:-h], np.full(h, np.nan)) for h in (1, 5, 10)}
        frames.append(
            pd.DataFrame(
                {
                    "ticker": f"S{i}",
                    "date": pd.bdate_range("2023-01-02", periods=n_days),
                    "momentum": random.standard_normal(n_days),
                    **{f"fwd_{h}": values for h, values in ahead.items()},
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def test_a_target_of_the_store_is_never_a_feature_whatever_came_first(store):
    panel = walks()
    take(store, panel, target="fwd_5", horizon=5, keep_suspicious=True)
    assert sorted(features(store)) == ["fwd_1", "fwd_10", "momentum"]
    take(store, panel, target="fwd_10", horizon=10)
    take(store, panel, target="fwd_1", horizon=1)
    assert features(store) == ["momentum"]
    take(store, panel, target="fwd_5", horizon=5)
    assert features(store) == ["momentum"]


def test_digests_do_not_depend_on_the_order_of_targets(store, tmp_path):
    from bmastore import Store

    panel, other = walks(2), Store(tmp_path / "other.duckdb")
    take(store, panel, target=["fwd_1:1", "fwd_5:5", "fwd_10:10"])
    for name, days in (("fwd_10", 10), ("fwd_5", 5), ("fwd_1", 1)):
        take(other, panel, target=name, horizon=days, keep_suspicious=True)
    query = "select ticker, target, digest from series order by all"
    assert store.sql(query).equals(other.sql(query))


def test_forecasts_of_random_walks_are_no_surer_than_zero(store):
    take(store, walks(), target=["fwd_1:1", "fwd_5:5", "fwd_10:10"])
    from dataclasses import replace

    store.train(replace(FAST, target="fwd_5"))
    errors = dict(store.sql("select member, avg(oof_rmse) from v_weights group by 1").values)
    assert min(errors.values()) > 0.8 * errors["zero"]


def test_a_column_missing_in_just_the_newest_rows_is_refused_by_name(store):
    with pytest.raises(InputError, match=r"'fwd_1' looks like the future.*--exclude"):
        store.ingest(walks(), target="fwd_5", horizon=5)
    assert not store.path.exists()


@pytest.mark.parametrize(
    "make",
    [lambda y: y, lambda y: 100 * y + 3, lambda y: np.expm1(y), lambda y: -y.rolling(1).mean()],
)
def test_a_copy_of_the_target_is_refused_even_without_missing_rows(store, make):
    panel = walks()[["ticker", "date", "momentum", "fwd_5"]].dropna()
    with pytest.raises(InputError, match="'clue' is nearly the target 'fwd_5'"):
        store.ingest(panel.assign(clue=make(panel["fwd_5"])), target="fwd_5", horizon=5)


def test_other_horizons_are_refused_even_without_missing_rows(store):
    with pytest.raises(InputError, match="'fwd_10'"):
        store.ingest(walks().dropna(), target="fwd_5", horizon=5)


def test_strong_but_honest_features_are_taken(store):
    panel = walks()[["ticker", "date", "momentum"]]
    noise = np.random.default_rng(1).standard_normal(len(panel))
    panel["y"] = 1.5 * panel["momentum"] + noise  # a correlation of .83
    panel["history"] = panel.groupby("ticker")["momentum"].transform(lambda s: s.rolling(60).mean())
    panel["sparse"] = panel["momentum"].where(np.arange(len(panel)) % 5 == 0)
    assert take(store, panel, target="y", horizon=1).rows_new == len(panel)


def test_columns_left_out_are_remembered(store):
    panel = walks()
    take(store, panel, target="fwd_5", horizon=5, exclude=["fwd_1", "FWD_10"])
    report = take(store, panel, target="fwd_5", horizon=5)
    assert note(report, "--exclude").examples == ("fwd_1", "fwd_10")
    assert features(store) == ["momentum"]


def test_leaving_out_a_stored_feature_makes_all_stocks_stale(store):
    panel = walks().drop(columns=["fwd_1", "fwd_10"]).assign(carry=1.0)
    take(store, panel, target="fwd_5", horizon=5)
    before = digests(store)
    take(store, panel.head(1), target="fwd_5", horizon=5, exclude=["carry"])
    assert features(store) == ["momentum"]
    assert all(digests(store)[ticker] != before[ticker] for ticker in before)


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "column0", "__index_level_0__", "index", "id"])
def test_row_numbers_are_no_features(store, tmp_path, name):
    panel = walks().drop(columns=["fwd_1", "fwd_10"])
    panel.insert(0, name, np.arange(len(panel)))
    panel.to_csv(tmp_path / "p.csv", index=False)
    report = take(store, tmp_path / "p.csv", target="fwd_5", horizon=5)
    assert features(store) == ["momentum"]
    assert note(report, "row numbers").n == 1


def test_a_feature_that_only_looks_like_a_number_of_rows_by_its_name_is_one(store):
    panel = walks().drop(columns=["fwd_1", "fwd_10"]).rename(columns={"momentum": "index"})
    take(store, panel, target="fwd_5", horizon=5)
    assert features(store) == ["index"]


def test_partition_keys_are_no_features(store, tmp_path):
    panel = walks().drop(columns=["fwd_1", "fwd_10"])
    for year, part in panel.groupby(panel["date"].dt.year):
        (tmp_path / f"lake/year={year}").mkdir(parents=True)
        part.to_parquet(tmp_path / f"lake/year={year}/part-0.parquet")
    report = take(store, tmp_path / "lake", target="fwd_5", horizon=5)
    assert features(store) == ["momentum"]
    assert "year" in note(report, "where files lie").examples


def test_features_that_vanish_from_the_newest_rows_are_noted(store):
    panel = walks().drop(columns=["fwd_1", "fwd_10"]).assign(carry=1.0)
    last = panel["date"].max()
    take(store, panel[panel["date"] < last], target="fwd_5", horizon=5)
    renamed = panel[panel["date"] == last].rename(columns={"carry": "Carry_2"})
    report = take(store, renamed, target="fwd_5", horizon=5)
    assert note(report, "new rows lack features").examples == ("carry",)
    assert note(report, "rows before have no value").examples == ("Carry_2",)


def test_the_command_line_takes_targets_with_their_horizons(tmp_path):
    walks(2).to_parquet(tmp_path / "p.parquet")
    where = ["--store", tmp_path / "s.duckdb"]
    done = cli(
        "ingest", tmp_path / "p.parquet", "--target", "fwd_5", "--horizon", 5, *where, check=2
    )
    assert "--keep-suspicious" in done.stderr
    targets = [f"--target=fwd_{h}:{h}" for h in (1, 5, 10)]
    cli("ingest", tmp_path / "p.parquet", *targets, *where)
    found = cli("sql", "select distinct target, horizon from targets order by 2", "--format", "csv",
                *where)  # fmt: skip
    assert found.stdout.split()[1:] == ["fwd_1,1", "fwd_5,5", "fwd_10,10"]


def test_the_same_command_serves_an_update_that_lacks_what_is_left_out(store):
    panel = walks()
    options = {"target": "fwd_5", "horizon": 5, "exclude": ["fwd_1", "fwd_10"]}
    take(store, panel, **options)
    update = panel[["ticker", "date", "momentum", "fwd_5"]].tail(3)
    assert take(store, update, **options).rows_unchanged == 3
    with pytest.raises(InputError, match="no column 'nope'"):
        store.ingest(update, target="fwd_5", horizon=5, exclude=["nope"])
