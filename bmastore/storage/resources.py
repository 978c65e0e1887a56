"""The SQL files and migrations that come with the package.

In a wheel they lie inside the package, in a checkout beside it.
"""

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def resource_dir(name: str) -> Path:
    """Path of the shipped folder ``name`` (``"sql"`` or ``"migrations"``)."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


@cache
def sql(name: str) -> str:
    """Text of ``sql/<name>.sql``, for instance ``sql("panel/read_rows")``."""
    return (resource_dir("sql") / f"{name}.sql").read_text(encoding="utf-8")


def sql_names(folder: str) -> list[str]:
    """Names, without ending, of the files of ``sql/<folder>/``, sorted."""
    return sorted(path.stem for path in (resource_dir("sql") / folder).glob("*.sql"))
