"""Features that look as if they knew the future, and would make forecasts far too sure."""

import re
from collections.abc import Collection, Sequence

import duckdb

from bmastore.errors import InputError
from bmastore.storage.statements import Part, run

# A stock tells something if it has so many rows; a column is suspect if in so large a share of
# these stocks it is missing in the newest rows alone, at most a year of them.
_FEWEST_ROWS = 10
_MOST_STOCKS = 0.8
_LONGEST_HORIZON = 260
# Daily returns are forecast with correlations of a few hundredths. A signal planted in made-up
# data may reach 0.85; a copy of the target that is cut, scaled or shifted by a day is above 0.9.
_COPY = 0.9
# A column with the name of a forward return, or one that tells the next label as well as its
# own, needs less.
_NAMED = 0.3
_BOTH = 0.55
_NAME = re.compile(r"(^|_)(fwd|forward|future|fut|next|lead|target|label|tgt)(_|\d|$)|^y\d*$")
# Correlations are of at most so many rows, which is precise to a hundredth.
_ROWS = 200_000


def check_suspects(
    duck: duckdb.DuckDBPyConnection,
    targets: dict[str, int],
    features: Sequence[str],
    keep: Collection[str] | None,
    kept: Collection[str],
) -> list[str]:
    """The features in ``incoming`` that look like the future.

    Parameters
    ----------
    keep:
        ``None`` refuses them; otherwise they are taken.
    kept:
        Features that the user has told to keep before.

    Raises
    ------
    InputError
        If there are some that are not to be kept; it names them.
    """
    found = _by_correlation(duck, targets, features)
    found |= _by_absence(duck, features)
    names = [name for name in found if name not in kept]
    if names and keep is None:
        some = "; ".join(f"column {name!r} {found[name]}" for name in names[:5])
        more = f" (and {len(names) - 5} more columns)" if len(names) > 5 else ""
        raise InputError(
            f"{some}{more}. A column that holds the future makes every forecast wrong: leave it "
            f"out (--exclude {','.join(names[:3])}), make it a target (--target "
            f"{names[0]}:HORIZON), or take it all the same (--keep-suspicious)"
        )
    return names


def _by_absence(duck: duckdb.DuckDBPyConnection, features: Sequence[str]) -> dict[str, str]:
    """Features that are missing just in the newest rows of nearly every stock."""
    values = [f"x{i}" for i in range(len(features))]
    # Only columns with missing values at all are looked at stock by stock.
    n, *filled = duck.execute(
        "select count(*), " + ", ".join(f"count({x})" for x in values) + " from incoming"
    ).fetchall()[0]
    open_ones = [i for i, there in enumerate(filled) if 0 < there < n]
    if not open_ones:
        return {}
    last = ", ".join(f"max(date) filter (x{i} is not null) as last{i}" for i in open_ones)
    first = ", ".join(f"min(date) filter (x{i} is not null) as first{i}" for i in open_ones)
    tests = []
    for i in open_ones:
        tests += [
            f"count(*) filter (trailing{i} between 1 and least({_LONGEST_HORIZON}, n / 2) "
            f"and inside{i} = 0)",
            f"max(trailing{i})",
            f"count(*) filter (trailing{i} < n)",
        ]
    trailing = ", ".join(
        f"count(*) filter (date > last{i}) as trailing{i}, "
        f"count(*) filter (x{i} is null and date between first{i} and last{i}) as inside{i}"
        for i in open_ones
    )
    found = run(
        duck,
        "ingest/missing_in_newest",
        spans=Part(f"{first}, {last}"),
        counts=Part(trailing),
        tests=Part(", ".join(tests)),
        fewest=_FEWEST_ROWS,
    ).fetchall()
    stocks, *numbers = found[0]
    suspects = {}
    for k, i in enumerate(open_ones):
        hit, longest, known = numbers[3 * k : 3 * k + 3]
        if not stocks or hit < _MOST_STOCKS * max(known, 1) or known < _MOST_STOCKS * stocks:
            continue
        if stocks < 3 and longest < 2:
            continue  # one cell
        suspects[features[i]] = (
            f"looks like the future: it is missing in just the newest rows of {hit:,} of "
            f"{stocks:,} stocks"
        )
    return suspects


def _by_correlation(
    duck: duckdb.DuckDBPyConnection, targets: dict[str, int], features: Sequence[str]
) -> dict[str, str]:
    """Features that agree with a target far better than what is known beforehand can."""
    suspects: dict[str, str] = {}
    values = [f"x{i}" for i in range(len(features))]
    for k, (target, horizon) in enumerate(targets.items()):
        own = ", ".join(f"corr({x}, y)" for x in values)
        later = ", ".join(f"corr({x}, y_next)" for x in values)
        n, n_later, *found = run(
            duck,
            "ingest/correlations",
            y=Part(f"y{k}"),
            values=Part(", ".join(values)),
            horizon=horizon,
            rows=_ROWS,
            correlations=Part(f"{own}, {later}"),
        ).fetchall()[0]
        if n < 30:
            continue
        for i, name in enumerate(features):
            now = abs(found[i] or 0)
            then = abs(found[len(features) + i] or 0) if n_later >= 30 else 0
            why = None
            if now >= _COPY:
                why = f"is nearly the target {target!r} (correlation {now:.2f})"
            elif now >= _NAMED and _NAME.search(name.lower()):
                why = f"has a name of the future and agrees with {target!r} (correlation {now:.2f})"
            elif now >= _BOTH and then >= _BOTH:
                why = (
                    f"agrees with {target!r} ({now:.2f}) and with its value {horizon} rows later "
                    f"({then:.2f})"
                )
            if why is not None:
                suspects[name] = why
    return suspects
