"""Why a stock waits to be trained: the one rule, which the view ``v_status`` has as well.

A new cause of change is one line of :data:`bmastore.storage.views.INPUTS`.
"""

from dataclasses import dataclass
from datetime import date, datetime

from bmastore.storage.session import Session
from bmastore.storage.views import INPUTS


@dataclass(frozen=True)
class Inputs:
    """What an entry was made from: equal inputs give an equal entry."""

    data_digest: str
    config_hash: str
    code_version: str


@dataclass(frozen=True)
class NewestAttempt:
    """The newest attempt at a stock, by cutoff, and what there is of earlier ones.

    Attributes
    ----------
    status, inputs, cutoff:
        Of that attempt.
    attempts:
        How many there were in all.
    current_artifact:
        Hash of the ensemble that is in use, if there is one.
    finished_at:
        When it was made.
    has_decayed:
        Whether its intervals were found to hold no longer since.
    """

    status: str
    inputs: Inputs
    cutoff: date | None
    attempts: int
    current_artifact: str | None
    finished_at: datetime
    has_decayed: bool = False


def newest_attempts(session: Session, target: str) -> dict[str, NewestAttempt]:
    """The newest attempt at each stock of a target, by ticker."""
    return {
        row["ticker"]: NewestAttempt(
            row["status"],
            Inputs(**{column: row[column] for column in INPUTS.values()}),
            row["cutoff"],
            row["attempts"],
            row["current_artifact"],
            row["finished_at"],
            row["has_decayed"],
        )
        for row in session.ledger_rows("newest_attempts", target=target)
    }


def cause_of(
    newest: NewestAttempt | None, now: Inputs, oldest: datetime | None = None
) -> str | None:
    """Why a stock waits; ``None`` if its newest attempt was made from what there is now.

    And if, where it was trained, its intervals hold, and it was not made before ``oldest``.
    """
    if newest is None:
        return "new"
    changed = (
        cause
        for cause, column in INPUTS.items()
        if getattr(newest.inputs, column) != getattr(now, column)
    )
    cause = next(changed, None)
    if cause is None and newest.status == "trained":
        if newest.has_decayed:
            cause = "decay"
        elif oldest is not None and newest.finished_at < oldest:
            cause = "age"
    return cause


def select_cause(
    newest: NewestAttempt | None,
    now: Inputs,
    *,
    force: bool,
    retry_failed: bool,
    oldest: datetime | None = None,
) -> str | None:
    """Why a pass trains a stock; ``None`` if it does not."""
    cause = cause_of(newest, now, oldest)
    if cause is None and retry_failed and newest is not None and newest.status == "failed":
        return "retry"
    if cause is None and force:
        return "forced"
    return cause
