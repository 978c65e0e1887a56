"""What lies beside a store is its own, whatever the store is called."""

import shutil

from bmastore import Store
from bmastore.storage.paths import models_path, results_path
from tests.helpers import FAST, HORIZON, TARGET


def store_of(path, panel, *tickers):
    store = Store(path)
    store.ingest(panel[panel["ticker"].isin(tickers)], target=TARGET, horizon=HORIZON)
    store.train(FAST)
    return store


def test_stores_of_one_stem_do_not_sweep_each_others_models(tmp_path, panel):
    us = store_of(tmp_path / "prices.us", panel, "DEMO00", "DEMO01")
    before = us.predict().frame
    eu = store_of(tmp_path / "prices.eu", panel, "DEMO02")
    eu.train(FAST.__class__(preset="fast"))
    assert us.predict().frame.equals(before)
    assert us.predict().failures == eu.predict().failures == {}
    assert us.status().tickers == 2


def test_the_usual_name_has_the_usual_files(trained):
    assert models_path(trained.path).name == "bma.models"
    assert results_path(trained.path).name == "bma.results.duckdb"


def test_a_linked_store_keeps_everything_beside_the_real_file(tmp_path, trained):
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "mine.duckdb"
    link.symlink_to(trained.path)
    before = trained.predict().frame
    linked = Store(link)
    linked.train(FAST.__class__(preset="fast"))
    assert linked.predict().failures == {}
    assert [path.name for path in link.parent.iterdir()] == ["mine.duckdb"]
    assert trained.predict().failures == {}
    assert len(trained.predict().frame) == len(before)


def test_migrate_gives_older_files_the_names_they_have_now(tmp_path, trained):
    path = tmp_path / "old.db"
    shutil.copy(trained.path, path)
    shutil.copytree(models_path(trained.path), tmp_path / "old.models")
    store = Store(path)
    store.migrate()
    assert not (tmp_path / "old.models").exists()
    assert store.predict().failures == {}


def test_a_home_is_found_as_by_a_shell(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Store("~/bma.duckdb").path == tmp_path / "bma.duckdb"
