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
class History:
    """The labelled rows of a stock: how many, and since when rows have only been added to them."""

    n_rows: int
    since: datetime | None

    def goes_on_from(self, then: "History") -> bool:
        """Whether it is an earlier history with rows added, or none."""
        return then.since is not None and then.since == self.since and then.n_rows <= self.n_rows


@dataclass(frozen=True)
class StaleRules:
    """When a trained stock is stale, beside what its entry was made from.

    Attributes
    ----------
    stale_after:
        Labels that must have come before new rows make it stale; a revised one does at once.
    oldest:
        It is stale if its entry was made before; ``None`` means at no age.
    """

    stale_after: int = 1
    oldest: datetime | None = None


@dataclass(frozen=True)
class NewestAttempt:
    """The newest attempt at a stock, by cutoff, and what there is of earlier ones.

    Attributes
    ----------
    status, inputs, history, cutoff:
        Of that attempt.
    attempts:
        How many there were in all.
    current_entry, current_artifact, current_universe:
        Of the ensemble that is in use, if there is one: its entry, its hash and that of what it
        shares with other stocks.
    forecast_date, forecast_at:
        The newest date that has a forecast, and when it was made.
    finished_at:
        When it was made.
    has_decayed:
        Whether its intervals were found to hold no longer since.
    """

    status: str
    inputs: Inputs
    history: History
    cutoff: date | None
    attempts: int
    finished_at: datetime
    current_entry: str | None = None
    current_artifact: str | None = None
    current_universe: str | None = None
    forecast_date: date | None = None
    forecast_at: datetime | None = None
    has_decayed: bool = False


# Columns of `ledger/newest_attempts` that are attributes by the same name.
_AS_THEY_ARE = (
    *("cutoff", "attempts", "finished_at", "current_entry", "current_artifact"),
    *("current_universe", "forecast_date", "forecast_at", "has_decayed"),
)


def newest_attempts(session: Session, target: str) -> dict[str, NewestAttempt]:
    """The newest attempt at each stock of a target, by ticker."""
    return {
        row["ticker"]: NewestAttempt(
            row["status"],
            Inputs(**{column: row[column] for column in INPUTS.values()}),
            History(row["n_rows"], row["history_since"]),
            **{name: row[name] for name in _AS_THEY_ARE},
        )
        for row in session.ledger_rows("newest_attempts", target=target)
    }


def cause_of(
    newest: NewestAttempt | None, now: Inputs, history: History, rules: StaleRules
) -> str | None:
    """Why a stock waits; ``None`` if its newest attempt was made from what there is now.

    And if, where it was trained, its intervals hold, and its entry is not too old. Rows that came
    after a trained entry are let pass until there are labels enough.
    """
    if newest is None:
        return "new"
    changed = [
        cause
        for cause, column in INPUTS.items()
        if getattr(newest.inputs, column) != getattr(now, column)
    ]
    if newest.status == "trained":
        if "data" in changed and _may_pass(newest.history, history, rules):
            changed.remove("data")
        if newest.has_decayed:
            changed.append("decay")
        if rules.oldest is not None and newest.finished_at < rules.oldest:
            changed.append("age")
    return next(iter(changed), None)


def _may_pass(then: History, now: History, rules: StaleRules) -> bool:
    is_early = rules.stale_after > 1 and now.n_rows - then.n_rows < rules.stale_after
    return is_early and now.goes_on_from(then)


def select_cause(
    newest: NewestAttempt | None,
    now: Inputs,
    history: History,
    rules: StaleRules,
    *,
    force: bool,
    retry_failed: bool,
) -> str | None:
    """Why a pass trains a stock; ``None`` if it does not."""
    cause = cause_of(newest, now, history, rules)
    if cause is None and retry_failed and newest is not None and newest.status == "failed":
        return "retry"
    if cause is None and force:
        return "forced"
    return cause
