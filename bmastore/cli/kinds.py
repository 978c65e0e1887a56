"""Kinds of values that options take."""

import re
from pathlib import Path
from typing import Any

import click

from bmastore.errors import ConfigError
from bmastore.names import from_list

DAY = click.DateTime(["%Y-%m-%d"])
FILE = click.Path(dir_okay=False, path_type=Path)


class _Names(click.ParamType[tuple[str, ...]]):
    """Names in a list with commas; one with a comma in it stands in quotation marks."""

    name = "A,B"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        """The names."""
        if isinstance(value, tuple):
            return value
        # What is empty by mistake, a variable that is not set, would mean all there are, or none.
        return from_list(value) or self.fail(f"{value!r} names none; write {self.name}", param, ctx)


class _Bytes(click.ParamType[int]):
    """An amount of memory."""

    name = "8GB"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """The number of bytes."""
        return value if isinstance(value, int) else parse_bytes(value)


NAMES, BYTES = _Names(), _Bytes()


_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def parse_bytes(text: str) -> int:
    """Bytes meant by ``"8GB"``, ``"800 MiB"`` or ``"1.5g"`` (powers of 1,024)."""
    match = re.fullmatch(r"\s*([\d.]+)\s*([kmgt]?)(i?b)?\s*", text.lower())
    try:
        return int(float(match[1]) * _UNITS[match[2]]) if match else _bad_size(text)
    except ValueError:
        return _bad_size(text)


def _bad_size(text: str) -> int:
    raise ConfigError(f"{text!r} is not an amount of memory; write it like 8GB or 800MB")
