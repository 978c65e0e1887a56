"""Database URLs, and how to speak of them without their secrets."""

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from bmastore.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import URL

_SECRET = re.compile(r"pass|pwd|secret|token|key", re.IGNORECASE)
# What an argument of a command with a URL, or a part of one, has in it.
_TELLING = re.compile("://|@|pass|pwd|secret|token", re.IGNORECASE)

# What is no URL, and meant as one: `postgresql:/me:secret@host/db`, `me:secret@host/db`, or as
# PostgreSQL's own tools take it.
_MEANT = re.compile(r"\w+:/|[^/]*:[^/]*@|.*password\s*=", re.IGNORECASE)


def is_meant_as_url(text: str) -> bool:
    """Whether text that is no URL looks like one that was written wrong."""
    return _MEANT.match(text) is not None


def parse_url(url: str) -> "URL":
    """A database URL; a PostgreSQL server is reached by psycopg.

    Raises
    ------
    ConfigError
        If it is none. The message does not repeat it, for it may hold a password.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "a database URL looks like postgresql://user:password@host:5432/database; in user "
            "and password write @ as %40, : as %3A, / as %2F"
        ) from None
    if "@" in (parsed.host or ""):
        raise ConfigError("in the password of a database URL, write @ as %40")
    if parsed.drivername in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def masked(text: str, url: "URL") -> str:
    """The text with ``***`` in place of every secret of the URL, as it is or quoted."""
    values = [url.password] if url.password else []
    for name, value in url.query.items():
        if _SECRET.search(name):
            values += [value] if isinstance(value, str) else value
    for value in map(str, values):
        for form in (value, quote(value, safe=""), quote_plus(value)):
            text = text.replace(form, "***") if form else text
    return text


def shown(text: str) -> str:
    """Text that may be a URL, with ``***`` in place of its secrets, or of all where it is odd."""
    if not _TELLING.search(text):
        return text
    try:
        return masked(text, parse_url(text))
    except ConfigError:
        return "***"


def without_secrets(url: "URL", mask: str) -> str:
    """A URL as text, with a mask in place of its password.

    Raises
    ------
    ConfigError
        If there are secrets among its options.
    """
    if any(_SECRET.search(name) for name in url.query):
        raise ConfigError(
            "write the password before the host, not among the options: postgresql://user:password@"
            "host/database"
        )
    bare = url.set(password=mask) if url.password else url
    return bare.render_as_string(hide_password=False)


def masked_command(arguments: list[str]) -> str:
    """A command line with ``***`` in place of every argument that may hold a secret."""
    return " ".join("***" if _TELLING.search(argument) else argument for argument in arguments)
