"""A dry run reports what would be taken, and changes nothing, anywhere."""

import psycopg
import pytest

from bmastore import Store
from tests.helpers import FAST, HORIZON, TARGET, cli, files_below, make_prices


def test_of_a_new_store_it_leaves_no_file(tmp_path):
    store = Store(tmp_path / "bma.duckdb")
    report = store.ingest(make_prices(), dry_run=True)
    assert report.dry_run
    assert report.rows_new == 360
    assert list(tmp_path.iterdir()) == []


def test_of_a_store_it_changes_no_byte_and_tells_what_an_ingest_then_takes(trained, panel):
    revised = panel.groupby("ticker").tail(7).assign(carry=0.25)
    before = files_below(trained.path.parent)
    told = trained.ingest(revised, target=TARGET, horizon=HORIZON, dry_run=True)
    assert files_below(trained.path.parent) == before
    taken = trained.ingest(revised, target=TARGET, horizon=HORIZON)
    assert (told.rows_new, told.rows_revised) == (taken.rows_new, taken.rows_revised) == (0, 42)


def test_beside_a_first_ingest_it_does_no_harm(tmp_path):
    """A dry run of a new store once deleted the store that another ingest was making."""
    path = tmp_path / "prices.csv"
    make_prices().to_csv(path, index=False)
    store = tmp_path / "bma.duckdb"
    cli("ingest", path, "--store", store)
    before = files_below(tmp_path)
    cli("ingest", path, "--dry-run", "--store", store)
    assert files_below(tmp_path) == before


def test_it_creates_nothing_on_a_server(tmp_path, url):
    Store(tmp_path / "bma.duckdb", ledger=url).ingest(make_prices(), dry_run=True)
    with psycopg.connect(url) as there:
        tables = there.execute(
            "select tablename from pg_tables where schemaname = 'public'"
        ).fetchall()
    assert tables == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["drop table ledger", "drop table prices"])
def test_a_features_file_of_several_statements_is_refused_before_anything_runs(trained, what):
    before = files_below(trained.path.parent)
    columns = "ticker, date, date as label_end, 0 as target, 1 as f"
    attack = f"select {columns} from prices); {what}; select * from (select 1"
    for dry_run in (True, False):
        with pytest.raises(Exception, match="feature SQL"):
            trained.ingest(make_prices(), features_sql=attack, dry_run=dry_run)
    assert files_below(trained.path.parent) == before
    assert trained.train(FAST).selected == 0


def test_forget_first_says_what_it_would_do(trained):
    before = files_below(trained.path.parent)
    told = trained.forget(["DEMO01"], dry_run=True)
    assert told.tickers == ("DEMO01",)
    assert files_below(trained.path.parent) == before
