"""What can be expected to go wrong is one plain sentence, and nothing is lost by it."""

import os
import shutil
import subprocess
import sys
from datetime import date

import duckdb
import pandas as pd
import pytest

from bmastore import PassOptions, Store
from bmastore.errors import BmastoreError, ConfigError, QueryError
from tests.helpers import FAST, TARGET, make_prices


def run(command, *, shell_first="", **kwargs):
    """A command in a shell that does something first."""
    line = f"{shell_first}; exec {sys.executable} -m bmastore {command}".removeprefix("; ")
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=300, **kwargs
    )


def assert_one_sentence(done, code=2):
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "unexpected" not in done.stderr


def entries(path):
    with duckdb.connect(str(path), read_only=True) as duck:
        return duck.execute("select count(*) from ledger").fetchall()[0][0]


def test_a_file_that_may_not_grow_ends_a_pass_and_loses_nothing(trained):
    before = entries(trained.path)
    blocks = trained.path.stat().st_size // 1024 + 64
    limit = f"ulimit -f {blocks}; trap '' XFSZ"
    done = run(f"train --preset high --all --store {trained.path}", shell_first=limit)
    if done.returncode != 0:
        assert_one_sentence(done)
    assert entries(trained.path) >= before
    assert trained.status().tickers == 6


def test_a_disk_without_room_ends_a_first_ingest_in_a_sentence(tmp_path):
    make_prices(n_stocks=2, n_days=90).to_csv(tmp_path / "p.csv", index=False)
    command = f"ingest {tmp_path}/p.csv --store {tmp_path}/bma.duckdb"
    done = run(command, shell_first="ulimit -f 300; trap '' XFSZ")
    assert_one_sentence(done)
    assert "room" in done.stderr or "cannot" in done.stderr
    assert run(command).returncode == 0


# Rights bind the superuser too without these capabilities.
BOUND = "setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-all"


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv, of util-linux")
def test_a_folder_that_may_only_be_read_is_said_and_readers_go_on(trained, panel, tmp_path):
    panel.to_parquet(tmp_path / "p.parquet")
    bound = f"exec {BOUND} " if os.geteuid() == 0 else "exec "
    trained.path.parent.chmod(0o555)
    try:
        for command in ("status", "predict", "sql 'from features limit 1'", "train --dry-run"):
            line = f"{bound}{sys.executable} -m bmastore {command} --store {trained.path}"
            done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
            assert_one_sentence(done, code=0)
        target = f"--target {TARGET} --horizon 5"
        for command in (
            f"ingest {tmp_path}/p.parquet {target}", "train --all", "backtest", "migrate",
            "forget DEMO01 --yes", f"recover {trained.path.parent}/new.duckdb",
        ):  # fmt: skip
            line = f"{bound}{sys.executable} -m bmastore {command} --store {trained.path}"
            done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
            assert_one_sentence(done)
            assert "make the folder writable" in done.stderr
    finally:
        trained.path.parent.chmod(0o755)
    assert trained.train(FAST).selected == 0


@pytest.mark.parametrize("command", ["status", "sql 'select 1'", "export", "docs"])
def test_closed_streams_are_no_fault(trained, command):
    for closed in ("exec >&-", "exec 2>&-", "exec >&- 2>&-", "exec <&-"):
        store = "" if command == "docs" else f"--store {trained.path}"
        assert_one_sentence(run(f"{command} {store}", shell_first=closed), code=0)


def test_a_full_device_is_said(trained):
    done = run(f"export --store {trained.path} > /dev/full")
    assert_one_sentence(done)
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize(
    "command", ["sql 'select * from range(200000)' --format csv", "export", "status", "docs"]
)
def test_a_reader_that_has_gone_is_no_fault(trained, command):
    store = "" if command == "docs" else f"--store {trained.path}"
    line = f"{sys.executable} -m bmastore {command} {store} 2>&1 | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_letters_that_a_terminal_lacks_are_shown_by_their_numbers(trained, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = f"""sql "select 'é日本' as x" --format csv --store {trained.path}"""
    line = f"exec {sys.executable} -m bmastore {command}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, env=environment, timeout=60)
    assert done.returncode == 0
    assert done.stdout.decode(encoding).splitlines()[0] == "x"


# Half a character, and the sign that ends a text where databases keep it.
@pytest.mark.parametrize("letter", ["\udcc3", "\0"])
def test_letters_that_no_database_takes_are_refused_wherever_they_stand(
    tmp_path, trained, panel, letter
):
    odd = f"T{letter}"
    one = panel[panel["ticker"] == "DEMO01"]
    for fault in (
        lambda: trained.sql(f"select '{odd}'"),
        lambda: trained.explain(odd),
        lambda: trained.plot(odd),
        lambda: trained.predict(tickers=[odd]),
        lambda: trained.predict(target=odd),
        lambda: trained.monitor(odd),
        lambda: trained.ingest({odd: one}, target=TARGET, horizon=5),
        lambda: trained.ingest(panel, target=odd, horizon=5),
        lambda: trained.ingest(f"{odd}.csv", target=TARGET, horizon=5),
        lambda: trained.train(FAST, PassOptions(tickers=(odd,))),
        lambda: trained.backtest(FAST, tickers=[odd]),
        lambda: trained.backtest(FAST, report=tmp_path / odd),
        lambda: trained.forget([odd]),
        lambda: trained.export("features", tmp_path / odd),
        lambda: trained.superset(tmp_path / odd),
        lambda: trained.ingest_stocks(tmp_path / odd),
        lambda: trained.publish(tmp_path / odd),
        lambda: trained.recover(tmp_path / odd),
        lambda: Store(tmp_path / f"{odd}.duckdb").ingest(panel, target=TARGET, horizon=5),
    ):
        with pytest.raises(BmastoreError):
            fault()


@pytest.mark.parametrize("day", ["x", "2016-02-30", 5, pd.NaT])
def test_what_is_no_date_is_refused_wherever_one_is_asked(trained, day):
    for ask in (
        lambda: trained.predict(since=day),
        lambda: trained.predict(until=day),
        lambda: trained.forget(before=day),
        lambda: trained.compact(archive_before=day),
        lambda: trained.backtest(FAST, as_of=day),
        lambda: PassOptions(as_of=day),
    ):
        with pytest.raises(ConfigError, match="must be a date"):
            ask()


@pytest.mark.parametrize("day", ["2016-12-30", pd.Timestamp("2016-12-30 17:30")])
def test_a_date_may_be_text_or_a_time_of_it(day):
    assert PassOptions(as_of=day).as_of == date(2016, 12, 30)


@pytest.mark.parametrize("number", ["a", 0, 1.5])
def test_what_is_no_number_is_refused(trained, number):
    for ask in (
        lambda: trained.backtest(FAST, every=number),
        lambda: trained.backtest(FAST, cutoffs=number),
        lambda: PassOptions(limit=number),
    ):
        with pytest.raises(ConfigError, match="must be"):
            ask()
    with pytest.raises(ConfigError, match="max_age must be"):
        PassOptions(max_age="a")


def test_a_parameter_that_duckdb_cannot_take_is_said(trained):
    with pytest.raises(QueryError, match="parameters"):
        trained.query("select $a", {"a": "T\udcc3"})


def test_what_is_no_text_in_the_terminals_encoding_is_refused(trained):
    bytes_of_latin_1 = os.fsencode("select '") + b"\xc3" + b"'"
    done = subprocess.run(
        [sys.executable, "-m", "bmastore", "sql", bytes_of_latin_1, "--store", trained.path],
        capture_output=True,
        text=True,
    )
    assert_one_sentence(done)
    assert "not valid text" in done.stderr
