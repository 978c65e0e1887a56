"""One basis per stock: adjusted closes that are missing, and histories that are restated."""

import duckdb

from bmastore.errors import InputError
from bmastore.panel.ingest.report import Count
from bmastore.panel.ingest.steps import settle
from bmastore.storage.resources import sql
from bmastore.storage.statements import Part, run

_EXAMPLES = 50


def check_one_basis(duck: duckdb.DuckDBPyConnection) -> None:
    """See that rows of one stock and day do not come from files on two bases.

    Raises
    ------
    InputError
        If they do: one after the other such files can be joined, for then it is known which of
        them is the newer.
    """
    found = run(duck, "ingest/two_bases").fetchall()
    if found:
        ticker, factor = found[0]
        raise InputError(
            f"the input has stocks on two bases ({len(found):,}): prices of {ticker} on the same "
            f"days lie apart by the factor {factor:.4g}, as from before and after a split; ingest "
            f"the files one after another, the newest last"
        )


def one_basis(duck: duckdb.DuckDBPyConnection) -> tuple[list[Count], list[Count]]:
    """Bring the rows of ``incoming`` onto the basis of the store's; returns dropped and notes.

    An update without adjusted closes never overwrites stored ones: they stay where the close
    stays, and new rows are scaled by the newest known share of the close. Where it cannot be
    known on which basis an update is, its rows are dropped with the reason.
    """
    dropped: list[Count] = []
    notes: list[Count] = []
    has_stored = duck.execute("select exists (from main.prices)").fetchall() == [(True,)]
    if has_stored:
        run(duck, "ingest/stored_basis")
        dropped += _drop(
            duck,
            "given_adjusted = 0 and stored_adjusted > 0 and n_overlap = 0 and exists ("
            "from main.prices where prices.ticker = basis.ticker "
            "and abs(adj_close / close - 1) > 1e-6 and prices.date in "
            "(basis.stored_first, basis.stored_last))",
            "have no adjusted close, and no day that the store has, to tell on which basis "
            "they are; give adjusted closes, or a few days again",
        )
        notes += _adjusted_already(duck)
    filled = _fill(duck, has_stored)
    if has_stored:
        if filled or notes or dropped:
            run(duck, "ingest/stored_basis")
        run(duck, "ingest/restated")
        dropped += _drop(
            duck,
            "ticker in (select ticker from restated where is_behind)",
            "differ from the store's by one constant factor, as after a split, but newer rows "
            "are stored; ingest the whole history of the stock",
        )
        notes += _perhaps_restated(duck)
    return dropped, [*notes, *filled]


def carry_over(duck: duckdb.DuckDBPyConnection) -> list[Count]:
    """Add to ``changed`` the stored rows whose basis the input changes; returns notes."""
    if duck.execute("select exists (from main.prices)").fetchall() != [(True,)]:
        return []
    notes = []
    before = _changed(duck)
    run(duck, "ingest/rescaled")
    rescaled = _changed(duck) - before
    if rescaled:
        shown = _listed(
            duck,
            "select ticker || ' (' || format('{:.4g}', factor) || ')' from restated "
            "where not is_behind",
        )
        notes.append(
            Count(
                "older rows in the store were rescaled: the input restates their stock by one "
                "constant factor",
                rescaled,
                shown,
            )
        )
    before += rescaled
    run(duck, "ingest/adjusted_from_now")
    adjusted = _changed(duck) - before
    if adjusted:
        shown = _listed(
            duck,
            "select distinct changed.ticker from changed inner join basis using (ticker) "
            "where stored_adjusted = 0 and given_adjusted > 0",
        )
        notes.append(
            Count(
                "rows in the store without adjusted closes got them by the share of the close "
                "that the input's nearest row has",
                adjusted,
                shown,
            )
        )
    return notes


def _changed(duck: duckdb.DuckDBPyConnection) -> int:
    return int(duck.execute("select count(*) from changed").fetchall()[0][0])


def _drop(duck: duckdb.DuckDBPyConnection, condition: str, why: str) -> list[Count]:
    """Drop the rows of stocks of ``basis`` to which a condition applies."""
    n, shown = duck.execute(
        f"select count(*), list(distinct incoming.ticker) from incoming "
        f"where ticker in (select ticker from basis where {condition})"
    ).fetchall()[0]
    if not n:
        return []
    settle(
        duck,
        f"from incoming where ticker not in (select ticker from basis where {condition})",
    )
    if duck.execute("select count(*) from incoming").fetchall() == [(0,)]:
        raise InputError(f"the rows of {', '.join(sorted(shown)[:5])} {why}")
    return [Count(why, n, tuple(sorted(shown)))]


def _perhaps_restated(duck: duckdb.DuckDBPyConnection) -> list[Count]:
    """Say where older rows may be on another basis than the input's, and stay as they are."""
    found = run(duck, "ingest/perhaps_restated").fetchall()
    if not found:
        return []
    what = (
        "stocks have another price than the store on the first day that both have, and not by "
        "one factor on two days or more; older rows stay: if the input is adjusted for dividends "
        "since, ingest their whole history"
    )
    return [Count(what, len(found), tuple(f"{ticker} ({ratio:.4g})" for ticker, ratio in found))]


def _adjusted_already(duck: duckdb.DuckDBPyConnection) -> list[Count]:
    """Closes that are the store's adjusted ones are taken as such."""
    condition = (
        "select ticker from basis where given_adjusted = 0 and stored_adjusted > 0 "
        "and n_overlap > 0 and close_is_adjusted and not same_close"
    )
    n, shown = duck.execute(
        f"select count(*), list(distinct ticker) from incoming where ticker in ({condition})"
    ).fetchall()[0]
    if not n:
        return []
    settle(
        duck,
        "select incoming.* replace ("
        f"case when incoming.ticker in ({condition}) then coalesce(prices.adj_close, "
        "incoming.close) else incoming.adj_close end as adj_close, "
        f"case when incoming.ticker in ({condition}) then coalesce(prices.close, incoming.close) "
        "else incoming.close end as close) from incoming left join main.prices "
        "on prices.ticker = incoming.ticker and prices.date = incoming.date "
        "order by incoming.ticker, incoming.date",
    )
    return [
        Count("closes agree with the store's adjusted ones and are taken as such", n,
              tuple(sorted(shown)))
    ]  # fmt: skip


def _fill(duck: duckdb.DuckDBPyConnection, has_stored: bool) -> list[Count]:
    wanting = (
        "(select ticker from incoming group by ticker "
        "having count(adj_close) between 1 and count(*) - 1"
    )
    if has_stored:
        wanting += " union select ticker from basis where stored_adjusted > 0 "
        wanting += "and given_adjusted < given_rows"
    wanting += ")"
    if duck.execute(f"select exists (from {wanting})").fetchall() != [(True,)]:
        return []
    run(duck, "ingest/filled_adjusted", wanting=Part(wanting))
    scaled, kept, shown = duck.execute(
        "select count(*) filter (is_scaled), count(*) filter (not is_scaled), "
        "list(distinct ticker) from filled where adj_close is not null"
    ).fetchall()[0]
    settle(duck, sql("ingest/with_filled"))
    notes = []
    if kept:
        notes.append(
            Count("rows have no adjusted close; the store's is kept", kept, tuple(sorted(shown)))
        )
    if scaled:
        notes.append(
            Count(
                "rows have no adjusted close; it is their close by the newest known share",
                scaled,
                tuple(sorted(shown)),
            )
        )
    return notes


def _listed(duck: duckdb.DuckDBPyConnection, query: str) -> tuple[str, ...]:
    rows = duck.execute(f"{query} order by 1 limit {_EXAMPLES}").fetchall()
    return tuple(text for (text,) in rows)
