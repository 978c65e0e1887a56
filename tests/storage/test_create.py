"""A store comes into being whole or not at all, whoever else tries the same."""

import subprocess
import sys

import duckdb
import pytest

from bmastore import Store
from bmastore.errors import BmastoreError, StoreError, StoreLockedError
from bmastore.storage.session import open_writer
from tests.helpers import HORIZON, TARGET, cli, files_below, make_prices

SAYS_WHETHER_IT_DRAWS = """
import sys
from pathlib import Path
from bmastore import Store
from bmastore.storage.session import open_dry, open_reader, open_writer

draws = "select current_setting('enable_progress_bar')"
path = Path(sys.argv[1])
for opened in (open_writer, open_reader, open_dry):
    with opened(path) as session:
        print(session.duck.execute(draws).fetchall())
print(Store(path).query(draws).rows)
"""


def test_no_connection_draws_into_what_a_script_prints(filled):
    """DuckDB would, wherever there is no main file: in notebooks, and under `python -c`."""
    done = subprocess.run(
        [sys.executable, "-c", SAYS_WHETHER_IT_DRAWS, filled.path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["[(False,)]"] * 4


def two_files(folder):
    prices = make_prices(n_stocks=2, n_days=90)
    for ticker, rows in prices.groupby("Ticker"):
        rows.to_csv(folder / f"{ticker}.csv", index=False)
    return folder / "T0.csv", folder / "T1.csv"


def at_once(*commands):
    children = [
        subprocess.Popen([sys.executable, "-m", "bmastore", *map(str, command)],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for command in commands
    ]  # fmt: skip
    told = [child.communicate(timeout=120)[0] for child in children]
    return [child.returncode for child in children], told


@pytest.mark.parametrize("attempt", range(4))
def test_two_first_ingests_at_once_both_store_their_stocks(tmp_path, attempt):
    one, other = two_files(tmp_path)
    store = tmp_path / "bma.duckdb"
    codes, told = at_once(("ingest", one, "--store", store), ("ingest", other, "--store", store))
    assert codes == [0, 0], told
    tickers = Store(store).sql("select ticker from series order by all")["ticker"].tolist()
    assert tickers == ["T0", "T1"]
    assert [p.name for p in tmp_path.iterdir() if ".new" in p.name] == []


def test_a_first_ingest_that_fails_leaves_nothing(tmp_path):
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    with pytest.raises(BmastoreError):
        Store(tmp_path / "bma.duckdb").ingest(tmp_path / "bad.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]


@pytest.mark.parametrize("left", ["nothing", "zero bytes", "a database without tables"])
def test_a_first_ingest_that_was_killed_can_be_repeated(tmp_path, panel, left):
    store = Store(tmp_path / "bma.duckdb")
    if left == "zero bytes":
        store.path.touch()
    elif left == "a database without tables":
        duckdb.connect(str(store.path)).close()
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    assert store.status().pending == 6


def test_somebody_elses_database_is_not_taken_for_a_new_store(tmp_path, panel):
    path = tmp_path / "bma.duckdb"
    with duckdb.connect(str(path)) as duck:
        duck.execute("create table mine as select 1 as x")
    before = files_below(tmp_path)
    with pytest.raises(BmastoreError, match="not a bmastore store"):
        Store(path).ingest(panel, target=TARGET, horizon=HORIZON)
    assert files_below(tmp_path) == before


def test_whoever_waits_says_so_and_gives_up_in_time(filled):
    said = []
    with duckdb.connect(str(filled.path)):
        refused = cli("train", "--lock-timeout", 1.5, "--store", filled.path, check=3)
    assert "waiting 1.5 s for it" in refused.stderr
    with open_writer(filled.path), pytest.raises(StoreLockedError):
        Store(filled.path, say=said.append, lock_timeout=0).ingest("x.csv")


def hold_it_to_20_megabytes(path):
    with open_writer(path) as writer:
        writer.duck.execute("set memory_limit = '20MB'")
        writer.duck.execute("set max_temp_directory_size = '0KB'")
        writer.duck.execute("select list(i) from range(50_000_000) as numbers(i)").fetchall()


def test_too_little_memory_is_said_in_a_sentence(filled):
    with pytest.raises(StoreError, match=r"needs more memory.*what was committed is kept"):
        hold_it_to_20_megabytes(filled.path)
    assert len(filled.sql("from v_status")) == 6
