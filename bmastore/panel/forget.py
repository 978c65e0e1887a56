"""Out again: stocks, targets and old rows that the panel is to forget."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from bmastore.calendar import as_day
from bmastore.errors import ConfigError, UnknownTickerError
from bmastore.panel.series import refresh_series, target_horizons
from bmastore.storage.session import Session, Writer
from bmastore.storage.statements import literal, run


@dataclass(frozen=True)
class Forgotten:
    """What was forgotten, or would be.

    Attributes
    ----------
    tickers:
        Stocks that lose rows.
    prices, features, labels:
        Rows of each.
    target, before:
        What it was narrowed down to.
    """

    tickers: tuple[str, ...]
    prices: int
    features: int
    labels: int
    target: str | None = None
    before: date | None = None

    def sentence(self, verb: str) -> str:
        """It in one line, for people."""
        some = ", ".join(self.tickers[:10])
        more = len(self.tickers) - 10
        listed = f" ({some}{f' and {more:,} more' if more > 0 else ''})" if self.tickers else ""
        rows = f"{self.prices:,} rows of prices, {self.features:,} of features and "
        of_target = f" of target {self.target}" if self.target else ""
        until = f" before {self.before}" if self.before else ""
        if self.target:
            rows = ""
        return (
            f"{verb} {rows}{self.labels:,} labels{of_target}{until} of "
            f"{len(self.tickers):,} stocks{listed}; the ledger keeps its history"
        )


def forget(
    session: Session,
    tickers: Sequence[str] = (),
    *,
    target: str | None = None,
    before: date | None = None,
) -> Forgotten:
    """Remove rows from the panel; see :meth:`bmastore.Store.forget`.

    A session that is no :class:`Writer` is told what would be removed, and no more.

    Raises
    ------
    ConfigError
        If nothing says what to forget, or there is no such target.
    UnknownTickerError
        If a named ticker is not in the store.
    """
    duck, before = session.duck, as_day("before", before)
    if not tickers and target is None and before is None:
        raise ConfigError("say what to forget: tickers, --target NAME or --before DATE")
    known = target_horizons(duck)
    if target is not None and target not in known:
        raise ConfigError(f"the store has no target {target!r}; it has {', '.join(known)}")
    stored = {
        ticker
        for (ticker,) in duck.execute(
            "select ticker from series union select ticker from prices "
            "union select ticker from features"
        ).fetchall()
    }
    unknown = sorted(set(tickers) - stored)
    if unknown:
        raise UnknownTickerError("ticker", unknown)
    which = "true" if not tickers else f"ticker in {_listed(tickers)}"
    rows = which if before is None else f"{which} and date < {literal(before)}"
    labels = rows if target is None else f"{rows} and target = {literal(target)}"
    found = _count(duck, rows, labels, target, before)
    if not isinstance(session, Writer):
        return found
    with session.transaction():
        _remove(duck, found, which, rows, labels)
    return found


def _listed(tickers: Sequence[str]) -> str:
    return "(" + ", ".join(literal(ticker) for ticker in tickers) + ")"


def _count(
    duck: duckdb.DuckDBPyConnection,
    rows: str,
    labels: str,
    target: str | None,
    before: date | None,
) -> Forgotten:
    tables = {"targets": labels}
    if target is None:
        tables |= {"prices": rows, "features": rows}
    counts = dict.fromkeys(("prices", "features", "targets"), 0)
    tickers: set[str] = set()
    for table, condition in tables.items():
        n, found = duck.execute(
            f"select count(*), list(distinct ticker) from {table} where {condition}"  # noqa: S608
        ).fetchall()[0]
        counts[table] = n
        tickers.update(found or ())
    return Forgotten(
        tuple(sorted(tickers)), counts["prices"], counts["features"], counts["targets"],
        target, before,
    )  # fmt: skip


def _remove(
    duck: duckdb.DuckDBPyConnection, found: Forgotten, which: str, rows: str, labels: str
) -> None:
    duck.execute(f"delete from targets where {labels}")  # noqa: S608
    if found.target is None:
        duck.execute(f"delete from prices where {rows}")  # noqa: S608
        duck.execute(f"delete from features where {rows}")  # noqa: S608
    if found.before is None:
        of_target = "" if found.target is None else f" and target = {literal(found.target)}"
        for table in ("series", "folds", "awaited", "relabelled"):
            duck.execute(f"delete from {table} where {which}{of_target}")  # noqa: S608
    else:
        # Of some stocks nothing may be left.
        for table in ("series", "folds", "awaited", "relabelled"):
            duck.execute(
                f"delete from {table} where ticker in {_listed(found.tickers or ('',))} "  # noqa: S608
                "and ticker not in (select ticker from features) "
                "and ticker not in (select ticker from prices)"
            )
        left = {t for (t,) in duck.execute("select distinct ticker from series").fetchall()}
        again = [ticker for ticker in found.tickers if ticker in left]
        for name in target_horizons(duck):
            refresh_series(duck, again, name)
    if found.target is not None and found.target not in target_horizons(duck):
        _forget_horizon(duck, found.target)


def _forget_horizon(duck: duckdb.DuckDBPyConnection, target: str) -> None:
    """The next prices make no labels of a computed target that is forgotten."""
    settings = dict(duck.execute("select name, value from settings").fetchall())
    targets = settings.get("target", "").split("\n")
    if target not in targets:
        return
    at = targets.index(target)
    days = settings["horizon"].split(",")
    changed = {
        "target": "\n".join(targets[:at] + targets[at + 1 :]),
        "horizon": ",".join(days[:at] + days[at + 1 :]),
    }
    run(duck, "ingest/replace_settings", names=list(changed), new_values=list(changed.values()))
