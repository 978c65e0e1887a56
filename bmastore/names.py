"""Lists of names, as they are written on the command line."""

import csv
import io
import shlex
from collections.abc import Iterable

from bmastore.errors import ConfigError


def listed(names: Iterable[str]) -> str:
    """Names with commas between them; one that has a comma itself stands in quotation marks."""
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(names)
    return written.getvalue()


def from_list(text: str) -> tuple[str, ...]:
    """The names that are listed, without blanks around them.

    Raises
    ------
    ConfigError
        If a quotation mark is left open.
    """
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error:
        raise ConfigError(
            f"{text!r} is no list of names; write A,B, and a name that has a comma or begins with "
            f'a quotation mark as "A,B"'
        ) from None
    return tuple(name.strip() for row in rows for name in row if name.strip())


def in_shell(names: Iterable[str]) -> str:
    """Names as the value of an option, to be typed into a shell."""
    return shlex.quote(listed(names))
