"""What a user asks of an ingest."""

import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from bmastore.errors import ConfigError

DECIMALS = (".", ",")
AGGREGATES = ("daily",)


@dataclass(frozen=True)
class IngestOptions:
    """How an input is to be read; what is ``None`` is found out from the input.

    Attributes
    ----------
    targets:
        Columns to forecast, as the user wrote them: ``"name"`` or ``"name:horizon"``.
    horizons:
        Trading days that targets look ahead: several for prices, one for a panel.
    ticker_col, date_col, exclude:
        Columns that hold the keys, and columns to leave out.
    keep_suspicious:
        Take features that look as if they knew the future.
    date_format:
        A ``strptime`` format of the dates, or ``"excel"`` for serial numbers.
    time_zone:
        Zone of the market, for dates that are instants.
    aggregate:
        ``"daily"`` makes one bar per day out of several.
    vendor, encoding, decimal:
        Whose layout it is, how text is encoded, and the decimal sign of its numbers.
    features_sql:
        SQL that computes features and target from prices.
    """

    targets: tuple[str, ...] = ()
    horizons: tuple[int, ...] | None = None
    ticker_col: str | None = None
    date_col: str | None = None
    exclude: tuple[str, ...] = ()
    keep_suspicious: bool = False
    date_format: str | None = None
    time_zone: str | None = None
    aggregate: str | None = None
    vendor: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    features_sql: str | None = None

    def __post_init__(self) -> None:
        from bmastore.panel.ingest.vendors import VENDORS

        for days in self.horizons or ():
            _check_horizon(days)
        _one_of("--aggregate", self.aggregate, AGGREGATES)
        _one_of("--decimal", self.decimal, DECIMALS)
        _one_of("--vendor", self.vendor, tuple(VENDORS))
        if self.time_zone is not None and self.time_zone not in zoneinfo.available_timezones():
            raise ConfigError(
                f"--time-zone {self.time_zone!r} is not a time zone; "
                f"write it like America/New_York or Asia/Kolkata"
            )
        if self.encoding is not None:
            try:
                "".encode(self.encoding)
            except LookupError:
                raise ConfigError(
                    f"--encoding {self.encoding!r} is not an encoding; "
                    f"write it like utf-8, latin-1, utf-16 or gbk"
                ) from None


class Asked(TypedDict, total=False):
    """How an input is to be read, where it does not tell.

    ``ticker_col``, ``date_col``: names of the key columns where they are not the usual ones.
    ``features_sql``: for prices, SQL in the manner of ``sql/features/ohlcv.sql`` that computes
    features and target; the store remembers it. ``exclude``: columns that are no features; the
    store remembers them. ``keep_suspicious``: take features that look as if they knew the future.
    ``vendor``: whose layout it is. ``date_format``: how dates are written, such as ``"%d/%m/%Y"``,
    or ``"excel"``. ``time_zone``: of the market, where dates are instants of UTC. ``aggregate``:
    ``"daily"`` makes one bar per day out of several. ``encoding``, ``decimal``: of text files,
    and the decimal sign in them. ``from_url``, ``query``: in place of data, the rows of a query to
    a database.
    """

    ticker_col: str | None
    date_col: str | None
    features_sql: str | None
    exclude: Sequence[str]
    keep_suspicious: bool
    vendor: str | None
    date_format: str | None
    time_zone: str | None
    aggregate: str | None
    encoding: str | None
    decimal: str | None
    from_url: str | None
    query: str | None


def read_options(data: Any, horizon: Any, asked: Asked) -> tuple[Any, IngestOptions]:
    """The data and the options of what a user asks.

    Raises
    ------
    ConfigError
        If an option has no such value, or there are two sources of data, or none.
    """
    from bmastore.panel.ingest.database import Query

    given = {**asked}
    url, query = given.pop("from_url", None), given.pop("query", None)
    if (url is None) != (query is None) or (data is None) == (url is None):
        raise ConfigError("give either data (files, frames), or a database's URL and a query")
    unknown = set(given) - Asked.__annotations__.keys()
    if unknown:
        raise ConfigError(
            f"ingest has no option {min(unknown)!r}; it has {', '.join(Asked.__annotations__)}"
        )
    exclude = given.pop("exclude", ())
    options = IngestOptions(
        horizons=as_horizons(horizon),
        exclude=(exclude,) if isinstance(exclude, str) else tuple(exclude),  # type: ignore[arg-type]
        **given,  # type: ignore[arg-type]
    )
    return (data if url is None else Query(str(url), str(query))), options


def as_horizons(given: Any) -> tuple[int, ...] | None:
    """Horizons out of a number, a sequence of numbers, or text like ``"1,5,20"``.

    Raises
    ------
    ConfigError
        If that is no list of whole numbers from 1 on.
    """
    if given is None:
        return None
    parts = given.split(",") if isinstance(given, str) else given
    parts = parts if isinstance(parts, Sequence) else [parts]
    try:
        days = tuple(dict.fromkeys(int(part) for part in parts))
        whole = all(int(part) == float(part) for part in parts)
    except (TypeError, ValueError, OverflowError):
        days, whole = (), False
    if not days or not whole:
        raise ConfigError(
            f"the horizon is a number of trading days, or several like 1,5,20; not {given!r}"
        )
    for one in days:
        _check_horizon(one)
    return days


def as_targets(given: Any) -> tuple[str, ...]:
    """Names of target columns out of one, several, or a mapping of names to horizons."""
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    if isinstance(given, Mapping):
        return tuple(f"{name}:{days}" for name, days in given.items())
    return tuple(item if isinstance(item, str) else f"{item[0]}:{item[1]}" for item in given)


def split_target(text: str, columns: Sequence[str]) -> tuple[str, int | None]:
    """The column and horizon in ``"name:horizon"``; a column's whole name goes first."""
    lower = {name.lower() for name in columns}
    found = re.fullmatch(r"(.+):(\d+)", text, re.DOTALL)
    if text.lower() in lower or not found:
        return text, None
    _check_horizon(int(found[2]))
    return found[1], int(found[2])


def _check_horizon(days: int) -> None:
    if not 1 <= days <= 10_000:
        raise ConfigError(f"the horizon is a number of trading days, from 1 to 10,000, not {days}")


def _one_of(option: str, value: str | None, known: tuple[str, ...]) -> None:
    if value is not None and value not in known:
        raise ConfigError(f"{option} {value!r} is unknown; choose from {', '.join(known)}")
