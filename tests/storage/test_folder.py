"""publish --to DIR: a Parquet file per view, in a folder that holds nothing else."""

import duckdb
import pytest

from bmastore import PassOptions, Store
from bmastore.errors import ConfigError
from bmastore.storage.views import VIEWS
from tests.helpers import FAST, HORIZON, TARGET, cli, files_below


@pytest.fixture
def folder(trained, tmp_path):
    """A folder with the views of a trained store."""
    trained.publish(tmp_path / "files")
    return tmp_path / "files"


def count(folder, view):
    return duckdb.sql(f"select count(*) from '{folder}/{view}.parquet'").fetchall()[0][0]


def test_there_is_a_file_per_view_and_nothing_else(folder):
    assert {path.name for path in folder.iterdir()} == {f"{view}.parquet" for view in VIEWS}
    assert count(folder, "v_status") == 6


def test_files_are_renewed_and_those_of_a_view_that_is_gone_go(trained, folder):
    (folder / "v_status.parquet").rename(folder / "v_of_old.parquet")
    (folder / ".v_runs.999999999.tmp").touch()
    trained.train(FAST, PassOptions(force=True, limit=1))
    trained.publish(folder)
    assert {path.name for path in folder.iterdir()} == {f"{view}.parquet" for view in VIEWS}
    assert count(folder, "v_runs") == 2


def test_while_a_pass_runs_its_published_results_are_written(trained, folder):
    said, seen = [], []
    reader = Store(trained.path, say=said.append)

    def write(progress):
        if not seen:
            reader.publish(folder)
            seen.append(count(folder, "v_runs"))

    trained.train(FAST, PassOptions(force=True, batch_size=1), on_progress=write)
    assert "is being written; this is" in said[0]
    assert seen == [2]


def test_without_published_results_the_store_itself_is_read(trained, folder):
    trained.train(FAST, PassOptions(force=True, limit=1))
    trained.path.with_name("bma.results.duckdb").unlink()
    trained.publish(folder)
    assert count(folder, "v_runs") == 2


@pytest.mark.parametrize("name", ["notes.txt", "prices.parquet", ".hidden", "v_status.parquet"])
def test_a_folder_with_anything_else_is_left_as_it_is(trained, tmp_path, name):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / name).write_text("mine")
    with pytest.raises(ConfigError, match="is none of the files that are published"):
        trained.publish(taken)
    assert files_below(taken) == {taken / name: b"mine"}


def test_a_folder_of_another_store_is_left_as_it_is(folder, tmp_path, panel):
    other = Store(tmp_path / "other.duckdb")
    other.ingest(panel, target=TARGET, horizon=HORIZON)
    before = files_below(folder)
    with pytest.raises(ConfigError, match="belongs to another store"):
        other.publish(folder)
    assert files_below(folder) == before


def test_a_place_that_is_no_folder_is_said(trained, tmp_path):
    (tmp_path / "file").touch()
    done = cli("publish", "--to", tmp_path / "file", "--store", trained.path, check=2)
    assert "it is a file; name a folder" in done.stderr
    done = cli("publish", "--to", tmp_path / "no" / "where", "--store", trained.path, check=2)
    assert "cannot write in" in done.stderr


@pytest.mark.parametrize(
    "place",
    ["postgresql:/me:sekret@host/db", "me:sekret@host/db", "host=127.0.0.1 password=sekret"],
)
def test_an_address_that_is_no_url_is_no_folder_and_not_repeated(trained, tmp_path, place):
    before = files_below(tmp_path)
    told = cli("publish", "--to", place, "--store", trained.path, check=2, cwd=tmp_path)
    assert "looks like one" in told.stderr
    assert "sekret" not in told.stderr
    assert files_below(tmp_path) == before
