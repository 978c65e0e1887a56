"""Files: find them, below folders and in archives, and make each readable for DuckDB."""

import difflib
import lzma
import re
import uuid
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bmastore.errors import InputError
from bmastore.panel.ingest.batches import File

PARQUET = (".parquet", ".pq", ".parq")
TEXT = (".csv", ".tsv", ".txt", ".tab", ".dat", ".psv")
PACKED = (".gz", ".bz2", ".xz")
ARROW = (".feather", ".arrow", ".ipc")
EXCEL = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
ARCHIVES = (".zip",)
_KNOWN = (
    *PARQUET,
    *TEXT,
    *ARROW,
    *EXCEL,
    *ARCHIVES,
    *(text + packed for text in TEXT for packed in PACKED),
)
# How files begin that often have a name that says otherwise: what they are, and what to do.
_BEGINNINGS = {
    b"PAR1": "is Parquet by its content, and text by its name: let its name end in .parquet",
    b"ARROW1": "is Arrow by its content, and text by its name: let its name end in .arrow",
    b"\x1f\x8b": "is packed by gzip, and its name does not say so: let it end in .csv.gz",
    b"BZh": "is packed by bzip2, and its name does not say so: let it end in .csv.bz2",
    b"\xfd7zXZ": "is packed by xz, and its name does not say so: let it end in .csv.xz",
    b"PK\x03\x04": "is a workbook or a zip archive by its content, and text by its name: let it "
    "end in .xlsx or .zip",
    b"\xd0\xcf\x11\xe0": "is a workbook by its content, and text by its name: let it end in .xls",
    b"<!doctype html": "is a web page, and no table: was it downloaded without signing in?",
    b"<html": "is a web page, and no table: was it downloaded without signing in?",
}
# How Spark and Arrow name the folder of rows that have no value.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
# What a store beside the data is made of.
_OURS = (".duckdb", ".wal", ".bma")
_HIVE = re.compile(r"([^=/\\]+)=(.*)")


class NotTakenError(Exception):
    """A file does not fit; the others are taken. Its text says why."""


@dataclass(frozen=True)
class Found:
    """Files that can be read, by what reads them, and why others cannot."""

    parquet: tuple[File, ...]
    text: tuple[File, ...]
    arrow: tuple[File, ...]
    left_out: tuple[tuple[str, str], ...]


def as_paths(data: Any) -> list[Path] | None:
    """The files that paths, globs and folders name; ``None`` if ``data`` is something else.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if isinstance(data, str | Path):
        data = [data]
    if not isinstance(data, Sequence | set | frozenset) or isinstance(data, bytes):
        return None
    if not all(isinstance(item, str | Path) for item in data):
        return None
    found: list[Path] = []
    for item in data:
        if not str(item).strip():
            raise InputError("a file's name is empty; name files, folders or globs")
        found.extend(_expand(Path(item).expanduser()))
    if not found:
        raise InputError("no files to ingest; name files, folders or globs")
    return list(dict.fromkeys(found))


def find(paths: Sequence[Path], scratch: Path) -> Found:
    """Sort files by what reads them; what archives and workbooks hold is laid into ``scratch``."""
    parquet: list[File] = []
    text: list[File] = []
    arrow: list[File] = []
    left_out: list[tuple[str, str]] = []
    for path in paths:
        try:
            for file in _opened(path, scratch):
                name = file.path.lower()
                if name.endswith(PARQUET):
                    parquet.append(file)
                elif name.endswith(ARROW):
                    arrow.append(file)
                else:
                    text.append(file)
        except NotTakenError as error:
            left_out.append((str(path), str(error)))
    return Found(tuple(parquet), tuple(text), tuple(arrow), tuple(left_out))


def describe(path: Path, shown: str | None = None, below: Path | None = None) -> File:
    """A file as ingest knows it; ``below`` is its place in an archive."""
    place = below if below is not None else path
    keys = {}
    for part in place.parts[:-1]:
        if match := _HIVE.fullmatch(part):
            value = unquote(match[2])
            keys[unquote(match[1])] = "" if value == _NO_VALUE else value
    return File(str(path), shown or str(path), stem(place.name), keys)


def stem(name: str) -> str:
    """A file's name without its endings: ``AAPL.csv.gz`` → ``AAPL``."""
    lower = name.lower()
    for ending in sorted(_KNOWN, key=len, reverse=True):
        if lower.endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)].strip()
    return name.strip()


def _opened(path: Path, scratch: Path) -> Iterator[File]:
    lower = path.name.lower()
    try:
        empty = path.stat().st_size == 0
    except OSError as error:
        raise NotTakenError(f"cannot be read: {error.strerror}") from None
    if not lower.endswith(_KNOWN):
        raise NotTakenError(
            f"is neither Parquet nor CSV by its name; known are {', '.join(_KNOWN[:15])}"
        )
    if empty:
        raise NotTakenError("is empty")
    try:
        if lower.endswith(ARCHIVES):
            yield from _unzipped(path, scratch)
        elif lower.endswith(EXCEL):
            yield from _from_workbook(path, scratch, str(path))
        else:
            if lower.endswith(TEXT):
                _check_beginning(path)
            yield describe(path)
    except OSError as error:
        raise NotTakenError(f"cannot be read: {error.strerror or error}") from None


def _check_beginning(path: Path) -> None:
    """See that a file that is text by its name does not begin as something else does."""
    with path.open("rb") as file:
        begins = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, what in _BEGINNINGS.items():
        if begins[: len(magic)].lower() == magic.lower():
            raise NotTakenError(what)


def _unzipped(path: Path, scratch: Path) -> Iterator[File]:
    """The members of an archive that can be read, unpacked one after another."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                item
                for item in archive.infolist()
                if not item.is_dir()
                and item.file_size
                and not Path(item.filename).name.startswith((".", "__"))
                and "__MACOSX" not in item.filename
                and item.filename.lower().endswith(_KNOWN)
            ]
            for item in members:
                if item.filename.lower().endswith(ARCHIVES):
                    raise NotTakenError(
                        f"has an archive in it ({item.filename}): unpack that first"
                    )
            if not members:
                raise NotTakenError("has no Parquet or CSV files in it")
            for item in members:
                inside = Path(item.filename)
                # Never under the member's own name: it may lead out of the folder.
                place = new_file(scratch, "".join(inside.suffixes[-2:])[-16:])
                with archive.open(item) as packed, place.open("wb") as out:
                    while block := packed.read(1 << 20):
                        out.write(block)
                shown = f"{path}/{item.filename}"
                if inside.name.lower().endswith(EXCEL):
                    yield from _from_workbook(place, scratch, shown)
                else:
                    yield describe(place, shown, Path(*path.parts[:-1]) / inside)
    # A member that needs a password, or was packed in a way unknown here, is a RuntimeError.
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
        raise NotTakenError(f"cannot be unpacked: {error}") from None


def _from_workbook(path: Path, scratch: Path, shown: str) -> Iterator[File]:
    """A CSV file per sheet that holds anything."""
    import csv
    from datetime import date, datetime

    try:
        from python_calamine import CalamineWorkbook
    except ModuleNotFoundError:
        raise NotTakenError(
            "is a workbook, which needs a reader: pip install 'bmastore[excel]'"
        ) from None
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        sheets = [(name, workbook.get_sheet_by_name(name).to_python()) for name in
                  workbook.sheet_names]  # fmt: skip
    except Exception as error:  # noqa: BLE001  the reader raises whatever its parser does
        raise NotTakenError(f"is no workbook that can be read: {error}") from None
    filled = [(name, rows) for name, rows in sheets if len(rows) > 1]
    if not filled:
        raise NotTakenError("has no rows")

    def as_text(cell: object) -> object:
        if isinstance(cell, datetime | date):
            return cell.isoformat()
        if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
            return int(cell)
        return cell

    for name, rows in filled:
        place = new_file(scratch, ".csv")
        with place.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([as_text(cell) for cell in row] for row in rows)
        if len(filled) == 1:
            file = describe(place, shown, Path(shown))
        else:
            file = describe(place, f"{shown} ({name})", Path(shown).parent / f"{name}.csv")
        yield file


def new_file(scratch: Path, ending: str) -> Path:
    """A path in ``scratch`` that nothing has yet."""
    clean = re.sub(r"[^a-z0-9.]", "", ending.lower())
    return scratch / f"{uuid.uuid4().hex}{clean}"


def _expand(path: Path) -> list[Path]:
    try:
        if path.is_dir():
            inside = sorted(
                p
                for p in path.rglob("*")
                if p.is_file()
                and not p.name.lower().endswith(_OURS)
                and not any(part.startswith((".", "_")) for part in p.relative_to(path).parts)
            )
            if not any(p.name.lower().endswith(_KNOWN) for p in inside):
                raise InputError(f"{path} has no Parquet or CSV files in it")
            return inside
        if path.exists():
            return [path]
        if re.search(r"[*?\[]", str(path)):
            return _matches(path)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    raise InputError(f"there is no file {path}{suggest(path.name, _siblings(path))}")


def _matches(path: Path) -> list[Path]:
    root = Path(path.anchor) if path.is_absolute() else Path()
    matches = sorted(p for p in root.glob(str(path.relative_to(path.anchor))) if p.is_file())
    if matches:
        return matches
    raise InputError(f"no file matches {path}")


def _siblings(path: Path) -> list[str]:
    return [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []


def suggest(wanted: str, names: Sequence[str]) -> str:
    """``; did you mean …?`` for the nearest of some names, or nothing."""
    lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wanted.lower(), list(lower), n=1)
    return f"; did you mean {lower[near[0]]!r}?" if near else ""
