"""Entries: one immutable record per attempt at a stock, and what it forecasts."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmastore.ledger.causes import History, Inputs
from bmastore.ledger.derived import tell_standings
from bmastore.ledger.digits import by_size, lists_told, or_none, to_decimals, to_sum
from bmastore.models.config import FitConfig
from bmastore.models.mixture import QUANTILE_COLUMNS
from bmastore.models.results import FitResult, Forecasts, OofScores
from bmastore.storage.session import Session, Writer
from bmastore.storage.statements import Part, among, literal
from bmastore.storage.views import NEWEST_FIRST
from bmastore.workers.chunks import Outcome

# Rows of a table, as equally long columns.
Rows = Mapping[str, Sequence[Any]]

_FORECAST = ("mean", "sd", *QUANTILE_COLUMNS, "p_up")
# What an entry says of its ensemble.
_OF_RESULT = (
    *("members", "weights", "oof_log_scores", "oof_rmses", "scales", "rounds"),
    "member_errors",
    *(field.name for field in fields(OofScores)),
)
# In how many digits the numbers among that are told.
_DIGITS: dict[str, Callable[[Any], NDArray[np.float64]]] = {
    "weights": to_sum,
    "oof_log_scores": to_decimals,
    **dict.fromkeys(("oof_rmses", "oof_rmse"), partial(by_size, digits=5)),
    "scales": partial(by_size, digits=4),
    **{
        field.name: to_decimals
        for field in fields(OofScores)
        if field.name not in ("oof_rows", "oof_rmse")
    },
}


@dataclass(frozen=True)
class Planned:
    """A stock that a pass is to train, and why.

    Attributes
    ----------
    ticker, cause:
        Which stock, and why.
    attempt:
        Number of this attempt at it.
    inputs:
        What its entry is made from.
    history:
        Its labelled rows.
    cutoff:
        The last date that the fit may see.
    current_artifact:
        Hash of the ensemble that is in use, if there is one.
    is_look_back:
        Whether a newer cutoff has been tried: the entry then replaces nothing.
    """

    ticker: str
    cause: str
    attempt: int
    inputs: Inputs
    history: History
    cutoff: date | None
    current_artifact: str | None
    is_look_back: bool = False


@dataclass(frozen=True)
class Made:
    """What the ensemble of an entry forecast of its stock."""

    entry_id: str
    ticker: str
    forecasts: Forecasts


def artifacts_in_use(session: Session) -> set[str]:
    """Hashes of the artifacts that something refers to: all others may be deleted."""
    return {row["artifact_sha256"] for row in session.ledger_rows("artifacts_in_use")}


def record(
    writer: Writer,
    attempts: Sequence[tuple[str, Planned, Outcome[FitResult]]],
    forecasts: Rows,
    run_id: str,
    config: FitConfig,
) -> None:
    """Record some attempts (entry id, what was planned, outcome), inside a transaction.

    What they forecast, as :func:`forecast_rows` gives it, takes the place of older forecasts of the
    same stock and dates, unless it is a look back at a date that a newer cutoff has forecast.
    """
    writer.insert("ledger", _ledger_rows(attempts, run_id, config))
    if forecasts:
        _insert_forecasts(writer, forecasts, config.target)
    tell_standings(writer, config.target, [outcome.ticker for _, _, outcome in attempts])


def record_forecasts(writer: Writer, rows: Rows, target: str) -> None:
    """Record what ensembles in use (at least one) forecast anew, inside a transaction.

    A forecast that is the same as the stored one is not stored again, but for the newest: it tells
    when the stock was last forecast.
    """
    since = min(rows["date"])
    which = among("entry_id", sorted(set(rows["entry_id"])))
    stored = {
        (row["entry_id"], row["date"]): row
        for row in writer.ledger_rows("forecasts_of_entries", since=since, which=which)
    }
    keys = list(zip(rows["entry_id"], rows["date"], strict=True))
    newest = dict(keys)
    changed = [
        i
        for i, key in enumerate(keys)
        if newest[key[0]] == key[1] or _is_other(rows, i, stored.get(key))
    ]
    again = [keys[i] for i in changed if keys[i] in stored]
    if again:
        listed = ", ".join(f"({literal(entry)}, date {literal(str(day))})" for entry, day in again)
        writer.change_ledger("drop_forecasts", which=Part(f"(entry_id, date) in ({listed})"))
    some = {name: [column[i] for i in changed] for name, column in rows.items()}
    _insert_forecasts(writer, some, target)
    tell_standings(writer, target, sorted(set(rows["ticker"])))


def _is_other(rows: Rows, i: int, stored: Mapping[str, Any] | None) -> bool:
    return stored is None or any(stored[name] != rows[name][i] for name in _FORECAST)


def _insert_forecasts(writer: Writer, rows: Rows, target: str) -> None:
    """Store forecasts (at least one), which take the place of those by older entries."""
    writer.insert("predictions", rows)
    tickers = among("predictions.ticker", sorted(set(rows["ticker"])))
    writer.change_ledger(
        "drop_superseded_forecasts",
        since=min(rows["date"]),
        which=Part(f"predictions.target = {literal(target)} and {tickers.text}"),
        newest_first=NEWEST_FIRST,
    )


def _ledger_rows(
    attempts: Iterable[tuple[str, Planned, Outcome[FitResult]]], run_id: str, config: FitConfig
) -> dict[str, list[Any]]:
    rows = Columns()
    for entry_id, planned, outcome in attempts:
        result = outcome.result
        rows.add(
            entry_id=entry_id,
            run_id=run_id,
            ticker=outcome.ticker,
            target=config.target,
            status=outcome.status,
            cause=planned.cause,
            data_digest=planned.inputs.data_digest,
            config_hash=planned.inputs.config_hash,
            code_version=planned.inputs.code_version,
            preset=config.preset,
            n_rows=outcome.n_rows,
            first_date=_as_date(outcome.first_date),
            last_date=_as_date(outcome.last_date),
            cutoff=planned.cutoff,
            attempt=planned.attempt,
            history_since=planned.history.since,
            fit_s=round(outcome.fit_s, 4),
            started_at=outcome.started_at,
            finished_at=outcome.finished_at,
            error_type=outcome.error_type,
            error_message=outcome.error_message,
            universe_sha256=result.universe_sha256 if result else None,
            **(_of_members(result) if result else dict.fromkeys(_OF_RESULT)),
        )
    return _in_digits(rows.values)


def _of_members(result: FitResult) -> dict[str, Any]:
    scores = result.scores
    return {
        "members": [score.member for score in scores],
        "weights": [score.weight for score in scores],
        "oof_log_scores": [score.oof_log_score for score in scores],
        "oof_rmses": [score.oof_rmse for score in scores],
        "scales": [score.scale for score in scores],
        "rounds": [score.rounds for score in scores],
        # Most have none.
        "member_errors": errors if any(errors := [score.error for score in scores]) else None,
        **vars(result.oof_scores),
    }


def _in_digits(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Columns with their numbers as they are told; all stocks at once, for each call costs."""
    told = {}
    for name, tell in _DIGITS.items():
        there = [value for value in columns.get(name, ()) if value is not None]
        if there:
            found = iter(_told(there, tell))
            told[name] = [None if value is None else next(found) for value in columns[name]]
    return {**columns, **told}


def _told(values: list[Any], tell: Callable[[Any], NDArray[np.float64]]) -> list[Any]:
    """Numbers, or lists of them, of which each is as long as its ensemble has members."""
    return lists_told(values, tell) if isinstance(values[0], list) else or_none(tell(values))


def forecast_rows(made: Sequence[Made], target: str, now: datetime) -> Rows:
    """What ensembles have forecast, as columns of the ledger; none if there are no ensembles."""
    if not made:
        return {}
    rows = Columns()
    for one in made:
        n = len(one.forecasts.dates)
        rows.extend(
            entry_id=[one.entry_id] * n,
            ticker=[one.ticker] * n,
            date=one.forecasts.dates.tolist(),
            target=[target] * n,
            made_at=[now] * n,
        )
    return {**rows.values, **_forecast_columns([one.forecasts for one in made])}


def _forecast_columns(forecasts: Sequence[Forecasts]) -> dict[str, list[Any]]:
    mean, sd, p_up, quantiles = (
        np.concatenate([getattr(one, name) for one in forecasts])
        for name in ("mean", "sd", "p_up", "quantiles")
    )
    levels = by_size(quantiles, sd[:, None], digits=5).T.tolist()
    return {
        # Stocks are ranked by it, and means lie closer together than they are wide.
        "mean": by_size(mean, sd, digits=7).tolist(),
        "sd": by_size(sd, digits=5).tolist(),
        **dict(zip(QUANTILE_COLUMNS, levels, strict=True)),
        "p_up": to_decimals(p_up, decimals=6).tolist(),
    }


def entry_id(run_id: str, number: int) -> str:
    """The id of a run's entry, in hex. What entries of a run have in common is stored once."""
    return f"{run_id}-{number:x}"


def new_id() -> str:
    """A fresh id: 12 hex digits. Of ten thousand, two are the same once in five million."""
    return secrets.token_hex(6)


class Columns:
    """Rows of one table, gathered column by column."""

    def __init__(self) -> None:
        self.values: dict[str, list[Any]] = {}

    def add(self, **row: Any) -> None:
        """Add a row."""
        for name, value in row.items():
            self.values.setdefault(name, []).append(value)

    def extend(self, **columns: Iterable[Any]) -> None:
        """Add rows, given as columns."""
        for name, values in columns.items():
            self.values.setdefault(name, []).extend(values)


def _as_date(day: np.datetime64 | None) -> date | None:
    return None if day is None else day.astype("datetime64[D]").item()
