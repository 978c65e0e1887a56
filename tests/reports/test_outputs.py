"""An output is written whole or not at all, and never over something else."""

import os
import subprocess
import sys
import threading

import pytest

from bmastore.errors import ConfigError
from bmastore.storage.outputs import written_whole
from bmastore.storage.paths import results_path
from tests.helpers import cli, files_below


@pytest.mark.parametrize(
    "command",
    [
        ("sql", "select 1", "--format", "csv"),
        ("sql", "select 1", "--format", "parquet"),
        ("export",),
        ("export", "--features"),
        ("status",),
        ("predict",),
        ("backtest", "--cutoffs", 1),
        ("backtest", "--cutoffs", 1, "--plot"),
        ("backtest", "--cutoffs", 1, "--report"),
    ],
)
@pytest.mark.parametrize("place", [lambda path: path, results_path], ids=["store", "results"])
def test_no_command_writes_over_a_store_or_its_results(trained, command, place):
    before = files_below(trained.path.parent)
    option = () if command[-1] in ("--plot", "--report") else ("--output",)
    target = place(trained.path)
    if command[-1] == "--plot":
        target = target.with_name("picture.png")
        target.write_bytes(place(trained.path).read_bytes())
        before = files_below(trained.path.parent)
    done = cli(*command, *option, target, "--store", trained.path, check=2)
    assert "a DuckDB database is there already" in done.stderr
    assert files_below(trained.path.parent) == before


@pytest.mark.parametrize(
    ("fmt", "ending", "there"),
    [
        ("csv", "x.csv", b"PAR1 a table of another kind"),
        ("parquet", "x.parquet", b"ticker,date\nA,2024-01-02\n"),
        ("json", "x.json", b"PK\x03\x04\x00\x00 a zip file"),
        ("csv", "photo.jpg", b"\xff\xd8\xff\xe0 a picture"),
    ],
)
def test_what_is_of_another_kind_is_not_written_over(trained, tmp_path, fmt, ending, there):
    (tmp_path / ending).write_bytes(there)
    done = cli(
        "sql", "select 1", "--format", fmt, "--output", tmp_path / ending, "--store", trained.path,
        check=2,
    )  # fmt: skip
    assert "is not written over; name another file, or delete it" in done.stderr
    assert (tmp_path / ending).read_bytes() == there


@pytest.mark.parametrize("fmt", ["csv", "json", "table", "parquet"])
def test_an_output_of_the_same_kind_is_renewed_and_keeps_its_rights(trained, tmp_path, fmt):
    path = tmp_path / "out"
    command = ("sql", "select 1 as one", "--format", fmt, "--output", path, "--store", trained.path)
    cli(*command)
    first = path.read_bytes()
    path.chmod(0o640)
    cli(*command)
    assert path.read_bytes() == first
    assert path.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["out"]


def test_an_old_output_stays_where_the_new_one_fails(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old\n")

    def fail():
        with written_whole(path, "text") as file:
            file.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed_and_a_pipe_is_written(trained, tmp_path):
    (tmp_path / "real.csv").write_text("")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    query = ("sql", "select 1 as one", "--format", "csv", "--store", trained.path)
    cli(*query, "--output", tmp_path / "link.csv")
    assert (tmp_path / "real.csv").read_text() == "one\n1\n"
    assert (tmp_path / "link.csv").is_symlink()
    os.mkfifo(tmp_path / "pipe")
    heard = []
    reader = threading.Thread(target=lambda: heard.append((tmp_path / "pipe").read_text()))
    reader.start()
    cli(*query, "--output", tmp_path / "pipe")
    reader.join()
    assert heard == ["one\n1\n"]
    cli(*query, "--output", "/dev/null")


def test_a_folder_and_a_place_without_one_are_said(trained, tmp_path):
    for path, reason in ((tmp_path, "it is a folder"), (tmp_path / "no" / "x", "there is no fol")):
        with pytest.raises(ConfigError, match=reason), written_whole(path, "text"):
            pass


def test_a_full_disk_leaves_the_old_output(trained, tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old\n")
    line = (
        f"ulimit -f 8; trap '' XFSZ; exec {sys.executable} -m bmastore sql "
        f"'from range(100000)' --format csv --output {path} --store {trained.path}"
    )
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"cannot write {path}: File too large" in done.stderr
    assert path.read_text() == "old\n"


@pytest.mark.parametrize("command", [("sql", "select 1 as x"), ("export",), ("predict",)])
@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.parquet", "X.CSV"])
def test_a_file_is_what_its_name_says(trained, tmp_path, command, name):
    path, where = tmp_path / name, ("--store", trained.path)
    cli(*command, "--output", path, *where)
    fmt = path.suffix[1:].lower()
    cli(*command, "--format", fmt, "--output", tmp_path / "asked for", *where)
    assert path.read_bytes() == (tmp_path / "asked for").read_bytes()


def test_a_name_that_contradicts_the_format_is_refused(trained, tmp_path):
    path = tmp_path / "x.csv"
    done = cli(
        "sql", "select 1", "--format", "json", "--output", path, "--store", trained.path, check=2
    )
    assert "its name says csv" in done.stderr
    assert not path.exists()


@pytest.mark.parametrize(
    ("options", "name", "said"),
    [
        (("--prices",), "p.json", "go to Parquet or CSV"),
        (("--prices", "--features"), "p.parquet", "go to a file each"),
    ],
)
def test_an_export_that_would_lose_something_is_refused(trained, tmp_path, options, name, said):
    path = tmp_path / name
    done = cli("export", *options, "--output", path, "--store", trained.path, check=2)
    assert said in done.stderr
    assert not path.exists()
