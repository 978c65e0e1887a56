"""Stores of every schema version: fresh, migrated, too old, too new, not a store."""

import shutil
from pathlib import Path

import duckdb
import pytest

from bmastore import PassOptions, Store
from bmastore.errors import SchemaTooNewError, SchemaTooOldError, StoreError
from bmastore.storage.migrate import upgrade_store
from bmastore.storage.resources import sql_names
from bmastore.storage.session import connected, open_writer
from bmastore.storage.versions import SCHEMA_VERSION
from bmastore.storage.views import PANEL_VIEWS, VIEWS, create_views
from tests.helpers import FAST

FROZEN = sorted((Path(__file__).parents[1] / "stores").glob("schema_*.duckdb"))


def layout(path):
    with duckdb.connect(str(path), read_only=True) as duck:
        return duck.execute(
            "select table_name, column_name, data_type, is_nullable "
            "from information_schema.columns "
            "where table_schema = 'main' order by table_name, ordinal_position"
        ).fetchall()


def test_a_migrated_store_equals_a_fresh_one(tmp_path):
    fresh, migrated = tmp_path / "fresh.duckdb", tmp_path / "migrated.duckdb"
    with open_writer(fresh, create=True):
        pass
    with connected(migrated) as writer:
        upgrade_store(writer)
        create_views(writer.duck.execute)
    assert layout(migrated) == layout(fresh)


def test_every_view_file_is_created():
    assert sorted((*PANEL_VIEWS, *VIEWS)) == sql_names("views")


def test_there_is_a_frozen_store_of_this_schema():
    assert f"schema_{SCHEMA_VERSION}.duckdb" in {path.name for path in FROZEN}


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda path: path.stem)
def test_a_frozen_store_migrates_keeps_its_ledger_and_trains_on(frozen, tmp_path):
    path = tmp_path / "bma.duckdb"
    shutil.copy(frozen, path)
    with duckdb.connect(str(path), read_only=True) as duck:
        before = duck.execute("select entry_id, status from ledger order by all").fetchall()
    store = Store(path)
    store.migrate()
    after = store.sql("select entry_id, status from ledger order by all")
    assert [tuple(row) for row in after.to_numpy()] == before
    run = store.train(FAST, PassOptions(force=True))
    assert run.trained == 2


def test_files_and_importances_of_ensembles_in_use_are_kept(tmp_path):
    """Since 0013 entries that others have superseded name no file."""
    path = tmp_path / "bma.duckdb"
    shutil.copy(FROZEN[0].with_name("schema_0012.duckdb"), path)
    of_stock = "select ticker, {} from {} order by all"
    files, shares = ("artifact_sha256", "v_latest"), ("member, feature, share", "v_importances")
    with duckdb.connect(str(path), read_only=True) as duck:
        before = [duck.execute(of_stock.format(*one)).fetchall() for one in (files, shares)]
        digests = duck.execute("select digest from series order by all").fetchall()
    store = Store(path)
    store.migrate()
    after = [
        list(store.sql(of_stock.format(*one)).itertuples(index=False, name=None))
        for one in (files, shares)
    ]
    assert after == before
    named = store.sql("select ticker, is_current, artifact_sha256 from v_attempts")
    assert (named["artifact_sha256"].notna() == named["is_current"]).all()
    assert not named["is_current"].all()
    now = store.sql("select digest from series order by all")["digest"]
    assert [digest[:12] for (digest,) in digests] == now.tolist()


def set_version(path, version):
    with duckdb.connect(str(path)) as duck:
        duck.execute("update alembic_version set version_num = $1", [version])


def test_a_store_of_another_schema_names_the_command_that_helps(trained):
    set_version(trained.path, "0000")
    with pytest.raises(SchemaTooOldError, match="bmastore migrate --store"):
        trained.train(FAST)
    with pytest.raises(SchemaTooOldError, match="bmastore migrate --store"):
        trained.status()
    set_version(trained.path, "9999")
    with pytest.raises(SchemaTooNewError, match="pip install --upgrade bmastore"):
        trained.status()
    with pytest.raises(SchemaTooNewError):
        trained.migrate()


def test_migrating_a_store_that_is_up_to_date_does_nothing(trained):
    assert trained.migrate() == (SCHEMA_VERSION, SCHEMA_VERSION, None)


def test_files_that_are_no_stores(tmp_path):
    text = tmp_path / "text.duckdb"
    text.write_text("hello " * 1000)
    with pytest.raises(StoreError, match="cannot open"):
        Store(text).status()
    other = tmp_path / "other.duckdb"
    duckdb.connect(str(other)).close()
    with pytest.raises(StoreError, match="not a bmastore store"):
        Store(other).status()
    with pytest.raises(StoreError, match="no folder"):
        Store(tmp_path / "nowhere" / "bma.duckdb").ingest("x.csv")
