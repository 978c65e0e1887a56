"""What a page is asked for: the filters, order and page number in its address."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

PAGE_SIZE = 50


@dataclass(frozen=True)
class Asked:
    """An address of the dashboard, taken apart.

    Attributes
    ----------
    path:
        Without what a proxy puts before it.
    values:
        What follows the question mark.
    """

    path: str
    values: Mapping[str, str]

    def get(self, name: str) -> str | None:
        """A value; ``None`` where it is not given, or blank. NUL, which is no text, is left out."""
        return self.values.get(name, "").replace("\0", "").strip() or None

    @property
    def number(self) -> int:
        """Number of the page of a list, from 1."""
        text = self.values.get("page", "")
        return min(max(1, int(text)), 10**6) if text.isdecimal() and len(text) < 8 else 1

    def but(self, **changed: str | int | None) -> str:
        """The same address with some values changed; ``None`` leaves one out."""
        values = {**self.values, **changed}
        kept = {name: str(value) for name, value in values.items() if value not in (None, "")}
        return f"?{urlencode(kept)}"
