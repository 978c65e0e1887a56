"""Out again: the panel forgets what it is told to, and gives back what it holds."""

from datetime import date

import pytest

from bmastore import Store
from bmastore.errors import BmastoreError, ConfigError, UnknownTickerError
from tests.helpers import FAST, HORIZON, TARGET, cli, make_prices

VIEWS = ("v_status", "v_latest", "v_weights", "v_predictions", "v_slowest", "v_metrics")


def tickers(store, table):
    return set(store.sql(f"select distinct ticker from {table}")["ticker"])


def test_a_stock_is_forgotten_by_the_panel_and_the_views_and_kept_by_the_ledger(trained):
    entries = trained.sql("select count(*) from ledger").iloc[0, 0]
    assert "DEMO00" in tickers(trained, "v_latest")
    found = trained.forget(["DEMO00"])
    assert (found.tickers, found.features > 0) == (("DEMO00",), True)
    for name in ("prices", "features", "targets", "series", "folds", *VIEWS):
        assert "DEMO00" not in tickers(trained, name)
        assert name == "prices" or "DEMO01" in tickers(trained, name)
    assert trained.sql("select count(*) from ledger").iloc[0, 0] == entries
    assert trained.train(FAST).selected == 0


def test_a_forgotten_stock_comes_back_with_its_rows(trained, panel):
    before = trained.sql("select ticker, digest from series order by all")
    trained.forget(["DEMO00"])
    trained.ingest(panel, target=TARGET, horizon=HORIZON)
    assert trained.sql("select ticker, digest from series order by all").equals(before)


def test_a_target_is_forgotten_alone(store):
    store.ingest(make_prices(), horizon=[1, 5])
    store.forget(target="log_return_1d")
    assert store.sql("select distinct target from series").values.tolist() == [["log_return_5d"]]
    assert len(store.sql("from features")) == 180
    later = make_prices(n_days=121)
    store.ingest(later[later["Date"] == later["Date"].max()])
    assert store.sql("select distinct target from targets").values.tolist() == [["log_return_5d"]]


def test_old_rows_are_forgotten_and_digests_follow(store, tmp_path):
    store.ingest(make_prices())
    day = date(2023, 5, 1)
    store.forget(before=day)
    assert store.sql("select min(date) from prices").iloc[0, 0].date() == day
    assert store.sql("select min(first_date) from series").iloc[0, 0].date() == day
    assert store.sql("select sum(n_rows) from series").iloc[0, 0] == len(store.sql("from targets"))
    store.forget(before=date(2033, 1, 1))
    assert len(store.sql("from series")) == 0


def test_a_dry_run_forgets_nothing(store):
    store.ingest(make_prices())
    assert store.forget(["T0"], dry_run=True).prices == 120
    assert len(store.sql("from prices")) == 360


def test_what_cannot_be_forgotten_says_why(store):
    store.ingest(make_prices())
    with pytest.raises(ConfigError, match="say what to forget"):
        store.forget()
    with pytest.raises(UnknownTickerError, match="NOPE"):
        store.forget(["NOPE"])
    with pytest.raises(ConfigError, match="no target 'x'"):
        store.forget(target="x")


def test_the_command_says_what_it_would_do_and_asks(store):
    store.ingest(make_prices())
    where = ["--store", store.path]
    assert "--yes" in cli("forget", "T0", *where, check=2, input="").stderr
    said = cli("forget", "T0", *where, input="n\n").stderr
    assert "would forget 120 rows of prices" in said
    assert "nothing was forgotten" in said
    assert "forgot 120" in cli("forget", "T0", *where, input="y\n").stderr
    cli("forget", "T1", "--yes", *where)
    assert tickers(store, "prices") == {"T2"}


def test_the_panel_comes_back_as_it_went_in(store, tmp_path):
    store.ingest(make_prices(), horizon=[1, 5])
    where = ["--store", store.path]
    cli("export", "--prices", "--output", tmp_path / "p.parquet", *where)
    cli("export", "--features", "--output", tmp_path / "f.parquet", *where)
    assert store.ingest(tmp_path / "p.parquet").rows_unchanged == 360
    other = Store(tmp_path / "other.duckdb")
    other.ingest(tmp_path / "f.parquet", target=["log_return_1d:1", "log_return_5d:5"])
    query = "select ticker, target, n_rows from series order by all"
    assert other.sql(query).equals(store.sql(query))
    columns = ", ".join(sorted(store.sql("select * from features limit 0").columns))
    query = f"select {columns} from features order by ticker, date"
    assert other.sql(query).equals(store.sql(query))


def test_an_export_of_the_panel_needs_a_file_that_can_be_written(store, tmp_path):
    store.ingest(make_prices(n_stocks=1))
    cli("export", "--prices", "--store", store.path, check=2)
    with pytest.raises(BmastoreError, match="cannot write"):
        store.export("prices", tmp_path / "nowhere" / "p.parquet")
    with pytest.raises(ConfigError, match="export gives"):
        store.export("weights", tmp_path / "p.parquet")
