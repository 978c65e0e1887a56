"""The house stays one that a stranger can walk: rooms of a size, and a docstring at each door."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "bmastore").rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 400, 60


def names(path):
    return str(path.relative_to(ROOT))


def functions(tree):
    return [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def lines_without_docstring(function):
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function):
        lines -= function.body[0].end_lineno - function.body[0].lineno + 1
    return lines


@pytest.mark.parametrize("folder", ["bmastore", "tests", "migrations"])
def test_no_file_is_long(folder):
    for path in (ROOT / folder).rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, names(path)


@pytest.mark.parametrize("path", FILES, ids=names)
def test_a_room_is_no_hall(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "every module says what it holds"
    for function in functions(tree):
        assert lines_without_docstring(function) <= LONGEST_FUNCTION, function.name


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "__init__.py"], ids=names)
def test_the_door_of_a_package_is_a_docstring(path):
    """Only the package itself, its command line and what takes input bring something along."""
    if path.parent.name in ("bmastore", "cli", "ingest"):
        return
    (only,) = ast.parse(path.read_text(encoding="utf-8")).body
    assert isinstance(only, ast.Expr)


def is_public(node):
    return not node.name.startswith("_")


@pytest.mark.parametrize("path", FILES, ids=names)
def test_what_is_public_has_a_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and is_public(node):
            assert ast.get_docstring(node), node.name


def test_databases_are_attached_by_their_type():
    """Else DuckDB goes by what a file holds, and fetches an extension for a hostile one."""
    statements = [
        (path.name, line)
        for path in FILES
        for line in re.findall(r'f"attach [^\n]*', path.read_text(encoding="utf-8"))
    ]
    assert len(statements) > 4
    assert [one for one in statements if "type " not in one[1]] == []
