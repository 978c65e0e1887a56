"""What can be set of a member: its parameters, what presets make of them, and their ranges."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from bmastore.errors import ConfigError
from bmastore.models.presets import PRESETS

# More than any stock has rows, and no more than the libraries take.
MANY = 1_000_000


@dataclass(frozen=True)
class Parameter:
    """A number that says how a member is fitted.

    Attributes
    ----------
    value:
        What it is where nobody sets it: one number, or one by preset.
    least, most:
        Ends of its range; both belong to it.
    is_whole:
        Whether it is a whole number.
    size:
        Its name in what a config's hash covers of a preset. Of those that presets set it stays as
        it is, for another would make all stocks stale; those that no preset sets have none.
    """

    value: float | Mapping[str, float]
    least: float
    most: float
    is_whole: bool = False
    size: str | None = None

    def of_preset(self, preset: str) -> float:
        """What it is in a preset where nobody sets it."""
        return self.value[preset] if isinstance(self.value, Mapping) else self.value

    def checked(self, name: str, value: Any) -> float:
        """A value that somebody gives it, as a plain number.

        Raises
        ------
        ConfigError
            If it is no number of its kind and range.
        """
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if is_number and math.isfinite(value) and self.least <= value <= self.most:
            if not self.is_whole:
                return float(value)
            if value == int(value):
                return int(value)
        kind = "a whole number" if self.is_whole else "a number"
        raise ConfigError(
            f"{name} must be {kind} from {self.least:,} to {self.most:,}, not {value!r}"
        )


def by_preset(*values: float) -> Mapping[str, float]:
    """A value for each preset, the cheapest first."""
    return dict(zip(PRESETS, values, strict=True))


def trees(value: float | Mapping[str, float], size: str | None = None) -> Parameter:
    """How many trees; of a booster that stops early, at most."""
    return Parameter(value, least=1, most=10_000, is_whole=True, size=size)


def share(value: float, most: float = 1.0) -> Parameter:
    """The share of rows or features that a tree or a node is given."""
    return Parameter(value, least=0.01, most=most)


def penalty(value: float) -> Parameter:
    """What holds the values of leaves back."""
    return Parameter(value, least=0, most=MANY)


def leaf_rows(value: int, least: int = 1) -> Parameter:
    """Rows in a leaf, at least."""
    return Parameter(value, least=least, most=MANY, is_whole=True)


def leaves(value: int) -> Parameter:
    """Leaves of a tree, at most."""
    return Parameter(value, least=2, most=131_072, is_whole=True)


def depth(value: float | Mapping[str, float], size: str | None = None) -> Parameter:
    """Splits from the root of a tree to a leaf, at most."""
    return Parameter(value, least=1, most=64, is_whole=True, size=size)


def bins(value: int) -> Parameter:
    """Bins into which the values of a feature are cut."""
    return Parameter(value, least=2, most=1024, is_whole=True)


def rate(value: float | Mapping[str, float], size: str | None = None) -> Parameter:
    """The share of each tree's answer that a booster takes."""
    return Parameter(value, least=0.0001, most=1, size=size)


# What the boosters of a stock have in common. They stop after so many rounds without gain.
LEARNING_RATE = rate(by_preset(0.2, 0.2, 0.2, 0.1), "learning_rate")
PATIENCE = Parameter(by_preset(15, 15, 15, 42), 1, 10_000, is_whole=True, size="patience")
