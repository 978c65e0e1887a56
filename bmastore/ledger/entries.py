"""Entries: one immutable record per attempt at a stock, with weights, metrics and forecasts."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from bmastore.ledger.causes import Inputs
from bmastore.models.config import FitConfig
from bmastore.models.mixture import QUANTILE_COLUMNS
from bmastore.models.results import FitResult
from bmastore.storage.session import Session
from bmastore.workers.chunks import Outcome


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
    n_rows:
        Labelled rows.
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
    n_rows: int
    cutoff: date | None
    current_artifact: str | None
    is_look_back: bool = False


def artifacts_in_use(session: Session) -> set[str]:
    """Hashes of the artifacts that something refers to: all others may be deleted."""
    return {row["artifact_sha256"] for row in session.ledger_rows("artifacts_in_use")}


def entry_tables(
    attempts: Iterable[tuple[str, Planned, Outcome[FitResult]]], run_id: str, config: FitConfig
) -> dict[str, dict[str, list[Any]]]:
    """Rows of some attempts (entry id, what was planned, outcome): columns of each table."""
    tables = {name: Columns() for name in ("ledger", "weights", "metrics", "predictions")}
    for entry_id, planned, outcome in attempts:
        result = outcome.result
        tables["ledger"].add(
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
            fit_s=outcome.fit_s,
            started_at=outcome.started_at,
            finished_at=outcome.finished_at,
            error_type=outcome.error_type,
            error_message=outcome.error_message,
            artifact_sha256=result.artifact_sha256 if result else None,
            universe_sha256=result.universe_sha256 if result else None,
        )
        if result is None:
            continue
        for score in result.scores:
            tables["weights"].add(
                entry_id=entry_id,
                member=score.member,
                weight=score.weight,
                oof_log_score=score.oof_log_score,
                oof_rmse=score.oof_rmse,
                scale=score.scale,
            )
        for name, value in result.metrics:
            tables["metrics"].add(entry_id=entry_id, name=name, value=value)
        forecasts = result.forecasts
        n = len(forecasts.dates)
        tables["predictions"].extend(
            entry_id=[entry_id] * n,
            ticker=[outcome.ticker] * n,
            date=forecasts.dates.tolist(),
            target=[config.target] * n,
            mean=forecasts.mean.tolist(),
            sd=forecasts.sd.tolist(),
            **{name: forecasts.quantiles[:, i].tolist() for i, name in enumerate(QUANTILE_COLUMNS)},
            p_up=forecasts.p_up.tolist(),
        )
    return {name: columns.values for name, columns in tables.items() if columns.values}


def new_id() -> str:
    """A fresh id: 32 hex digits."""
    return uuid.uuid4().hex


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
