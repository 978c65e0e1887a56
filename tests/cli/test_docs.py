"""Documentation and code say the same: what is not documented fails here."""

import dataclasses
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bmastore
from bmastore.cli import cli as group
from bmastore.errors import BmastoreError
from bmastore.models.members.registry import REGISTRY
from bmastore.storage.views import INPUTS, VIEWS
from tests.helpers import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "bmastore/docs").glob("*.md")
}
EVERYTHING = "\n".join([README, *PAGES.values()])


def commands():
    """Every command, with its own ones for a group."""
    for name, command in group.commands.items():
        yield name, command
        for inner, one in getattr(command, "commands", {}).items():
            yield f"{name} {inner}", one


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_is_helpful_and_in_the_readme(name, command):
    assert command.help
    assert f"bmastore {name}" in README
    for option in command.params:
        if option.param_type_name == "option":
            assert option.help, option.opts


@pytest.mark.parametrize("name", bmastore.__all__)
def test_every_public_name_has_a_docstring_and_is_in_the_readme(name):
    assert getattr(bmastore, name).__doc__
    assert name in README


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_documented(view):
    assert f"| `{view}` |" in PAGES["views"]


def test_the_columns_that_are_promised_are_there(trained):
    for view, promised in re.findall(r"^\| `(v_\w+)` \|.*\| `([^`|]+)` \|$", PAGES["views"], re.M):
        missing = set(promised.split(", ")) - set(trained.sql(f"from {view} limit 0").columns)
        assert not missing, view


@pytest.mark.parametrize("setting", [bmastore.TrainConfig, bmastore.PassOptions, bmastore.Splits])
def test_every_setting_is_in_its_docstring(setting):
    for field in dataclasses.fields(setting):
        documented = setting.__doc__ + _comments(setting)
        assert re.search(rf"\b{field.name}\b", documented), field.name


def _comments(setting):
    """Comments beside the fields of a dataclass."""
    source = Path(sys.modules[setting.__module__].__file__).read_text(encoding="utf-8")
    return source.partition(f"class {setting.__name__}")[2].partition("\n\n\n")[0]


def test_every_member_and_cause_is_in_the_glossary():
    for word in (*REGISTRY, *INPUTS):
        assert f"`{word}`" in PAGES["glossary"]


def errors(kind=BmastoreError):
    """The tree of errors."""
    return [kind, *(one for below in kind.__subclasses__() for one in errors(below))]


@pytest.mark.parametrize("error", errors())
def test_every_error_says_what_it_means(error):
    assert error.__doc__
    assert error.exit_code in (2, 3, 130)


@pytest.mark.parametrize("topic", sorted(PAGES))
def test_every_page_is_listed_and_shown(topic, tmp_path):
    title, *_ = PAGES[topic].splitlines()
    assert title.startswith("# ")
    assert re.search(rf"^{topic} +{re.escape(title[2:])}$", cli("docs", cwd=tmp_path).stdout, re.M)
    assert cli("docs", topic, cwd=tmp_path).stdout == PAGES[topic]
    assert f"`{topic}`" in README


def test_an_unknown_topic_is_told_what_there_is(tmp_path):
    refused = cli("docs", "nonsense", check=2, cwd=tmp_path)
    assert "there is no page 'nonsense'; there are architecture, backtest" in refused.stderr


def test_on_a_terminal_a_page_is_drawn():
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bmastore", "docs", "postgres"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen(command, stdout=theirs, env=environment):
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # the command has ended
                break
    os.close(ours)
    text = shown.decode()
    assert "A ledger in PostgreSQL" in text
    assert "# A ledger" not in text
    assert "\x1b[" in text


def test_files_named_in_the_docs_exist():
    for name in re.findall(r"`((?:bmastore|sql|migrations|tests)/[\w./-]*)`", EVERYTHING):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / name).exists(), name


def test_nothing_but_ci_says_where_real_prices_lie():
    """The project is the same wherever it is checked out."""
    told = subprocess.run(
        ["git", "grep", "-lE", r"\.\./shared\b", "--", ":!.ci", ":!tests/cli/test_docs.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert told.stdout == ""
