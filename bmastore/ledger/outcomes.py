"""Outcomes: forecasts as they were first made before their label was known, and what came.

A forecast waits in `awaited` from the commit of its entry on, if nobody has forecast its row
before and the panel has no label of it. Settling joins it with its label once that has come, and
scores it. It counts if the label became known on a later day than the newest of which the store
knew anything when the forecast was made: a look back, or a stock that is ingested after the
others, is judged by nothing that was there already.

The mixture's components wait with it, for density and CRPS cannot be told from quantiles, and the
members are gone when the next entry replaces them. They are kept of first forecasts alone, one
row per stock and day, where a pass writes one per day of the horizon. Should the label be revised,
an outcome is judged anew by what it has kept of them and its entry's weights and scales: all of
them would take 43 bytes, nearly half of an outcome. They are kept whole where the entry does not
tell the rest: it may be lost, or name its members in another order than they were forecast in, as
entries from before schema 0011 do.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from bmastore.calendar import utc_now
from bmastore.errors import StoreDamagedError
from bmastore.ledger.derived import all_entries, tell_outcomes
from bmastore.ledger.digits import by_size, lists_told, or_none, to_decimals, to_sum
from bmastore.ledger.entries import Columns, Made, Rows
from bmastore.models.mixture import QUANTILE_COLUMNS
from bmastore.storage import postgres
from bmastore.storage.columns import registered
from bmastore.storage.session import Writer
from bmastore.storage.statements import Part, among, run
from bmastore.storage.views import LEDGER, REVISED

_Row = Mapping[str, Any]
_Key = tuple[str, str, date]
# A label that moved by less than this share of its forecast's standard deviation is the same: an
# adjusted close that is rounded anew moves all labels of a stock's history a little.
_SAME = 1e-3
_FORECAST = ("mean", "sd", *QUANTILE_COLUMNS, "p_up")
_KEPT = ("entry_id", "ticker", "target", "date", "made_at", "known_until", *_FORECAST)
# Entries that are asked for at once.
_AT_ONCE = 5_000


def known_until(duck: duckdb.DuckDBPyConnection) -> date | None:
    """The newest date of which the panel knows anything; ``None`` where it is empty."""
    newest: date | None = run(duck, "outcomes/known_until").fetchall()[0][0]
    return newest


def await_labels(
    writer: Writer,
    made: Sequence[Made],
    forecasts: Rows,
    known: date,
) -> None:
    """Have first forecasts (at least one) wait for their labels, inside a transaction.

    Parameters
    ----------
    forecasts:
        The same as :func:`~bmastore.ledger.entries.forecast_rows` gives them.
    known:
        The newest date of which the panel knew anything.
    """
    known_until = [known] * len(forecasts["date"])
    rows = {**forecasts, "known_until": known_until, "components": _flat_components(made)}
    with registered(writer.duck, "new_forecasts", rows):
        run(writer.duck, "outcomes/await_labels")


def _flat_components(made: Sequence[Made]) -> list[NDArray[np.float64]]:
    """Components of each forecast in a row, in as many digits as they are worth."""
    # Ensembles have different numbers of members: those with fewer are filled up.
    parts = [row for one in made for row in one.forecasts.components]
    filled = np.zeros((len(parts), max(len(part) for part in parts), 3))
    for row, part in zip(filled, parts, strict=True):
        row[: len(part)] = part
    sd = np.concatenate([one.forecasts.sd for one in made])[:, None, None]
    filled[:, :, 0] = to_sum(filled[:, :, 0])
    filled[:, :, 1:] = by_size(filled[:, :, 1:], sd, digits=4)
    return [row[: len(part)].ravel() for row, part in zip(filled, parts, strict=True)]


def settle(writer: Writer) -> int:
    """Join forecasts with the labels that have come, inside a transaction; returns how many.

    A label that was revised, or became known on another day, makes a new row with the next
    ``revision``, unless its entry cannot be read. What is settled already is left alone: if the
    process died between the commit on a server and that of the panel, the next settling finds it
    there.
    """
    # Beside the labels of a first ingest, even joins with nothing would take seconds.
    waits = "select exists (from awaited) or exists (from relabelled)"
    if writer.duck.execute(waits).fetchall() == [(False,)]:
        return 0
    due, revised = _rows(writer.duck, "outcomes/due"), _rows(writer.duck, "outcomes/revised")
    if not due and not revised:
        return 0
    settled = _to_settle(due, revised, _newest(writer, [*due, *revised]))
    entries = _entries_of(writer, {row["entry_id"] for row in settled})
    settled = _with_components(settled, entries)
    if settled:
        writer.insert("outcomes", _judged(settled, entries, utc_now()))
        tell_outcomes(writer, since=min(row["date"] for row in settled))
    run(writer.duck, "outcomes/clear")
    return len(settled)


def settle_beside(writer: Writer, say: Callable[[str], None]) -> None:
    """Settle after an ingest whose ledger lies on a server, in a transaction of its own.

    The server commits first: in the ingest's transaction its outcomes could be there without the
    labels. Where it fails, the next pass settles, and the ingest stands.
    """
    try:
        with writer.transaction():
            settle(writer)
    except Exception as error:
        reason = postgres.reason_of(error)
        if reason is None:
            raise
        say(f"forecasts are not settled yet ({reason}); the next pass settles them")


def _rows(duck: duckdb.DuckDBPyConnection, name: str) -> list[_Row]:
    found = run(duck, name)
    columns = [column[0] for column in found.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def _newest(writer: Writer, labelled: Sequence[_Row]) -> dict[_Key, _Row]:
    """Outcomes that hold, among those of the dates of some labels."""
    days = [row["date"] for row in labelled]
    found = writer.ledger_rows("newest_outcomes", since=min(days), until=max(days), revised=REVISED)
    return {_key(row): row for row in found}


def _key(row: _Row) -> _Key:
    return row["ticker"], row["target"], row["date"]


def _to_settle(
    due: Sequence[_Row], revised: Sequence[_Row], newest: Mapping[_Key, _Row]
) -> list[_Row]:
    """What is to be recorded: forecasts with their labels and the number of their revision."""
    settled: list[_Row] = []
    for row in due:
        if row["is_ahead"] and _key(row) not in newest:
            settled.append({**row, "revision": 0})
    for key, row in {_key(row): row for row in [*due, *revised]}.items():
        before = newest.get(key)
        if before is None or (
            abs(row["actual"] - before["actual"]) <= _SAME * before["sd"]
            and row["label_end"] == before["label_end"]
        ):
            continue
        label = {"actual": row["actual"], "label_end": row["label_end"]}
        settled.append({**before, **label, "revision": before["revision"] + 1})
    return settled


def _with_components(settled: Sequence[_Row], entries: Mapping[str, _Row]) -> list[_Row]:
    """What is to be recorded and can be judged, with all components."""
    from bmastore.models.components import with_entry

    whole: list[_Row] = []
    for row in settled:
        components, entry = row["components"], entries.get(row["entry_id"])
        if components is None and entry is not None:
            components = with_entry(*_weighed(entry), row["centres"], row["scale"])
        if components is not None:
            whole.append({**row, "components": components})
    return whole


def _weighed(entry: _Row) -> tuple[Any, Any, Any]:
    return entry["members"], entry["weights"], entry["scales"]


def _entries_of(writer: Writer, ids: Collection[str]) -> dict[str, _Row]:
    """How some entries weigh their members; those of an archive that cannot be read are missing."""
    found = _read_entries(writer, ids, LEDGER)
    missing = set(ids) - set(found)
    if missing:
        with suppress(StoreDamagedError):
            found |= _read_entries(writer, missing, all_entries(writer))
    return found


def _read_entries(writer: Writer, ids: Collection[str], history: Part) -> dict[str, _Row]:
    found: dict[str, _Row] = {}
    asked = sorted(ids)
    for start in range(0, len(asked), _AT_ONCE):
        which = among("entry_id", asked[start : start + _AT_ONCE])
        rows = writer.ledger_rows("mixtures_of_entries", which=which, history=history)
        found |= {row["entry_id"]: row for row in rows}
    return found


def _judged(
    settled: Sequence[_Row], entries: Mapping[str, _Row], now: datetime
) -> dict[str, Sequence[Any]]:
    """Rows of `outcomes`, as columns: forecasts and labels with their scores."""
    # What scores needs SciPy, and most ingests settle nothing.
    from bmastore.models.components import judge, judge_zero, unpacked

    actual = np.array([row["actual"] for row in settled], dtype=np.float64)
    components = unpacked([row["components"] for row in settled])
    ours, zeros = judge(actual, components), judge_zero(actual, components)
    sd = [row["sd"] for row in settled]
    return {
        **{name: [row[name] for row in settled] for name in (*_KEPT, "label_end", "revision")},
        "settled_at": [now] * len(settled),
        "actual": by_size(actual, sd, digits=7).tolist(),
        "pit": to_decimals(ours.pit).tolist(),
        "crps": by_size(ours.crps, sd).tolist(),
        "log_score": to_decimals(ours.log_score).tolist(),
        "zero_pit": or_none(to_decimals(zeros.pit)),
        "zero_crps": or_none(by_size(zeros.crps, sd)),
        "zero_log_score": or_none(to_decimals(zeros.log_score)),
        **_kept_of_mixtures(settled, entries),
    }


def _kept_of_mixtures(settled: Sequence[_Row], entries: Mapping[str, _Row]) -> dict[str, list[Any]]:
    """Of each mixture what its entry does not say, or all of it where the entry is no help."""
    from bmastore.models.components import without_entry

    left = [
        without_entry(row["components"], *_weighed(entries[row["entry_id"]]))
        if row["entry_id"] in entries
        else None
        for row in settled
    ]
    told = [one or ([], 0.0) for one in left]
    sd = np.array([[row["sd"]] for row in settled])
    centres = lists_told([one for one, _ in told], lambda filled: by_size(filled, sd, digits=4))
    scales = by_size([scale for _, scale in told], digits=4).tolist()
    rows = Columns()
    for row, one, stand, scale in zip(settled, left, centres, scales, strict=True):
        if one is None:
            rows.add(centres=None, scale=None, components=row["components"])
        else:
            rows.add(centres=stand, scale=scale, components=None)
    return rows.values
