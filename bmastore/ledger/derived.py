"""What the ledger tells, kept in tables of its own: nobody looks through all of its history.

Which entries of a stock count (`standings`), how members were weighed by cutoff (`member_days`),
and how forecasts did by date (`outcome_days`) and by stock (`outcome_stocks`). Each is told anew
where something has changed, in the transaction that changes it, by SQL that could tell all of it:
:func:`tell_all` does.
"""

from collections.abc import Sequence
from datetime import date

from bmastore.errors import StoreDamagedError
from bmastore.storage.archive import history
from bmastore.storage.session import Writer
from bmastore.storage.statements import Part, among, ask, literal, statements
from bmastore.storage.views import LEDGER, NEWEST_FIRST, REVISED

_EVER = date(1, 1, 1)
_ALL = Part("true")
_TENTHS = 10


def tell_standings(writer: Writer, target: str, tickers: Sequence[str]) -> None:
    """After entries of some stocks."""
    if tickers:
        which = Part(f"target = {literal(target)} and {among('ticker', tickers).text}")
        writer.change_ledger("replace_standings", which=which, told=standings_told(which))


def standings_told(which: Part = _ALL) -> Part:
    """The query of what the ledger says about standings."""
    (told,) = statements("ledger/standings", which=which, newest_first=NEWEST_FIRST)
    return Part(told)


def tell_member_days(writer: Writer, target: str, run_id: str) -> None:
    """After a run: of its cutoffs, and of those of runs before it that were killed.

    While an archive cannot be read, cutoffs that were told before, of which it may hold entries,
    stay as they are.
    """
    rows = writer.ledger_rows("untold_cutoffs", target=target, run_id=run_id)
    cutoffs = {row["cutoff"] for row in rows}
    try:
        entries = all_entries(writer)
    except StoreDamagedError:
        entries = LEDGER
        told = "select cutoff from member_days where target = $target"
        cutoffs -= {cutoff for (cutoff,) in ask(writer.duck, told, target=target).fetchall()}
    if cutoffs:
        which = Part(f"target = {literal(target)} and {among('cutoff', sorted(cutoffs)).text}")
        writer.change_ledger("replace_member_days", which=which, history=entries)


def all_entries(writer: Writer) -> Part:
    """All entries: a ledger on a server has no archive."""
    return LEDGER if writer.server else history(writer.duck, writer.path)


def tell_outcomes(writer: Writer, since: date = _EVER) -> None:
    """After outcomes of some dates, the first of which is ``since``, were settled."""
    tenths = {
        name: Part(
            ", ".join(f"sum(case when {of} = {i} then 1 else 0 end)" for i in range(_TENTHS))
        )
        for name, of in (("pits", "tenth"), ("zero_pits", "zero_tenth"))
    }
    writer.change_ledger("replace_outcome_days", since=since, revised=REVISED, **tenths)
    writer.change_ledger("replace_outcome_stocks", revised=REVISED)


def tell_all(writer: Writer) -> None:
    """Tell all anew, inside a transaction."""
    writer.change_ledger("replace_standings", which=_ALL, told=standings_told())
    writer.change_ledger("replace_member_days", which=_ALL, history=all_entries(writer))
    tell_outcomes(writer)
