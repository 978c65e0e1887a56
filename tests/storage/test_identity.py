"""What belongs to one store is never taken for another's."""

import shutil
from pathlib import Path

import psycopg
import pytest

from bmastore import PassOptions, Store
from bmastore.errors import StoreError
from bmastore.storage.paths import models_path, results_path
from tests.helpers import FAST, HORIZON, TARGET, cli, files_below


@pytest.fixture
def other(tmp_path, panel):
    """Another trained store."""
    (tmp_path / "other").mkdir()
    store = Store(tmp_path / "other" / "bma.duckdb")
    store.ingest(panel.tail(320), target=TARGET, horizon=HORIZON)
    store.train(FAST)
    return store


def test_the_models_of_another_store_are_refused_and_never_swept(trained, other):
    shutil.rmtree(models_path(trained.path))
    shutil.copytree(models_path(other.path), models_path(trained.path))
    before = files_below(models_path(trained.path))
    for write in (lambda: trained.train(FAST), lambda: trained.backtest(FAST, cutoffs=1)):
        with pytest.raises(StoreError, match=r"bma.models belongs to another store"):
            write()
    assert files_below(models_path(trained.path)) == before


def test_the_results_of_another_store_are_not_written_over(trained, other, panel):
    shutil.copy(results_path(other.path), results_path(trained.path))
    before = results_path(trained.path).read_bytes()
    with pytest.raises(StoreError, match=r"bma.results.duckdb belongs to another store"):
        trained.ingest(panel.tail(3).assign(carry=0.5), target=TARGET, horizon=HORIZON)
    assert results_path(trained.path).read_bytes() == before


@pytest.mark.parametrize("state", ["gone", "empty"])
def test_where_a_store_is_lost_no_new_one_is_begun_beside_what_can_save_it(
    tmp_path, trained, panel, state
):
    trained.path.unlink()
    if state == "empty":
        trained.path.touch()
    with pytest.raises(StoreError, match=f"is {state}, and .* `bmastore recover NEW --store"):
        trained.ingest(panel, target=TARGET, horizon=HORIZON)
    assert trained.path.exists() == (state == "empty")
    trained.recover(tmp_path / "new.duckdb")
    entries = Store(tmp_path / "new.duckdb").sql("select ticker from v_entries")
    assert set(entries["ticker"]) == set(panel["ticker"])


def test_a_copied_store_keeps_its_models(tmp_path, trained):
    shutil.copytree(trained.path.parent, tmp_path / "copy")
    copied = Store(tmp_path / "copy" / trained.path.name)
    assert copied.train(FAST).selected == 0
    assert copied.predict().failures == {}


def test_models_of_a_store_without_ids_are_taken_over(trained):
    (models_path(trained.path) / "store.id").unlink()
    assert trained.train(FAST).selected == 0
    assert (models_path(trained.path) / "store.id").exists()


def test_a_backup_from_before_a_migration_can_be_put_back(tmp_path):
    """It has no id yet; what lies beside it has one."""
    backup = Path(__file__).parents[1] / "stores" / "schema_0004.duckdb"
    store = Store(tmp_path / "bma.duckdb")
    for _ in range(2):
        shutil.copy(backup, store.path)
        store.migrate()
        assert store.train(FAST, PassOptions(limit=1)).trained == 1


def test_published_results_in_place_of_the_store_are_named_as_what_they_are(trained):
    results = results_path(trained.path)
    assert "trained" in cli("status", "--store", results).stdout
    for command in (("train",), ("predict",), ("backtest",), ("ingest", "x.csv")):
        done = cli(*command, "--store", results, check=2)
        assert "is the published results of a store" in done.stderr


def test_a_path_of_the_wrong_kind_is_said(trained):
    models, results = models_path(trained.path), results_path(trained.path)
    shutil.rmtree(models)
    models.write_text("a file")
    with pytest.raises(StoreError, match="is no folder"):
        trained.train(FAST)
    models.unlink()
    results.unlink()
    results.mkdir()
    with pytest.raises(StoreError, match="is no file"):
        trained.train(FAST)
    assert trained.status().tickers == 6


# --- a ledger on a server -----------------------------------------------------------------


def ingested(path, url, panel):
    path.parent.mkdir()
    store = Store(path, ledger=url)
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    return store


def test_a_database_belongs_to_one_store(tmp_path, url, panel):
    mine = ingested(tmp_path / "mine" / "bma.duckdb", url, panel)
    mine.train(FAST)
    with pytest.raises(StoreError, match=r"postgresql://.* belongs to another store"):
        ingested(tmp_path / "yours" / "bma.duckdb", url, panel)
    assert not (tmp_path / "yours" / "bma.duckdb").exists()
    assert mine.train(FAST).selected == 0


def test_a_database_that_was_emptied_is_not_taken_for_a_new_one(tmp_path, url, panel):
    store = ingested(tmp_path / "mine" / "bma.duckdb", url, panel)
    store.train(FAST)
    with psycopg.connect(url, autocommit=True) as there:
        there.execute("drop schema public cascade")
        there.execute("create schema public")
    with pytest.raises(StoreError, match=r"is gone.*restore it from a backup"):
        store.train(FAST)
    assert store.status().trained == 6
