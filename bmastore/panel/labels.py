"""Reads what pooled models learn from: the labels of all stocks, once for all models."""

from collections.abc import Iterable, Sequence
from datetime import date

import duckdb
import numpy as np

from bmastore.arrays import Labels
from bmastore.panel.read import feature_columns_sql
from bmastore.storage.statements import Part, Value, literal, run

# Rows that a pooled model learns from at most: more take memory and time, and with labels
# that overlap and move together hardly add anything.
_MOST_ROWS = 600_000
# Stocks whose typical moves are computed at once: DuckDB holds all values of a median in memory,
# whatever its limit.
_STOCKS_AT_ONCE = 4000


def read_labels(
    duck: duckdb.DuckDBPyConnection,
    target: str,
    horizon: int,
    features: Sequence[str],
    anchor: date,
    days: Iterable[date],
    min_moves: int,
) -> Labels:
    """What was known before ``anchor``, for pooled models of ``days``, none of them later.

    Parameters
    ----------
    horizon:
        Trading days that the target looks ahead: labels of neighbouring days overlap.
    min_moves:
        Labels that a stock's typical move needs.
    """
    known: dict[str, Value] = {"target": target, "anchor": anchor}
    distinct = sorted({anchor, *days})
    moves = "".join(
        f", case when count(*) filter (label_end < {literal(day)}) >= {min_moves} "
        f"then median(abs(value)) filter (label_end < {literal(day)}) end as move{i}"
        for i, day in enumerate(distinct)
    )
    typical = [
        run(
            duck, "universe/typical_moves", **known, moves=Part(moves), first=first, below=below
        ).fetchnumpy()
        for first, below in _ranges(duck)
    ]
    by_day = [
        np.concatenate(
            [np.ma.filled(part[f"move{i}"], np.nan).astype(np.float64) for part in typical]
        )
        for i in range(len(distinct))
    ]
    counts = np.concatenate([part["n"] for part in typical])
    # Labels of neighbouring days overlap: a few days of each horizon hold nearly all they say.
    stride = max(1, horizon // 2, -(-int(counts.sum()) // _MOST_ROWS))
    columns = feature_columns_sql(features)
    rows = run(
        duck, "universe/read_rows", **known, stride=stride, feature_columns=columns
    ).fetchnumpy()
    return Labels(
        np.asarray(counts, np.int64),
        np.array(distinct, "datetime64[D]"),
        np.stack(by_day),
        np.asarray(rows["date"]).astype("datetime64[D]"),
        np.asarray(rows["label_end"]).astype("datetime64[D]"),
        np.column_stack([rows[f"x{i}"] for i in range(len(features))]),
        np.asarray(rows["value"], dtype=np.float64),
        np.asarray(rows["day"], np.int64),
        np.asarray(rows["stock"], np.int64),
    )


def _ranges(duck: duckdb.DuckDBPyConnection) -> list[tuple[str, str | None]]:
    """Ranges of tickers, each from one to before another, that hold all stocks together."""
    found = duck.execute("select distinct ticker from series order by ticker").fetchall()
    bounds = [ticker for (ticker,) in found[_STOCKS_AT_ONCE::_STOCKS_AT_ONCE]]
    return list(zip(["", *bounds], [*bounds, None], strict=True))
