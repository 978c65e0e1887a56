"""The ledger: runs and entries, what is pending and why, and what happened."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, insert, select, update

from bmastore.calendar import utc_now
from bmastore.config import FitConfig
from bmastore.exchange import QUANTILE_COLUMNS, FitOutcome, FitResult
from bmastore.shared import NewUniverse
from bmastore.storage.schema import ledger as ledger_table
from bmastore.storage.schema import runs, universes
from bmastore.storage.statements import execute


@dataclass(frozen=True)
class Inputs:
    """What an entry was made from: equal inputs give an equal entry."""

    data_digest: str
    config_hash: str
    code_version: str


@dataclass(frozen=True)
class NewestEntry:
    """The last attempt at a stock, and the trained one that ``predict`` uses, if any."""

    status: str
    attempt: int
    inputs: Inputs
    trained_artifact: str | None


@dataclass(frozen=True)
class Pending:
    """A stock that a pass is to train, and why."""

    ticker: str
    cause: str
    attempt: int
    inputs: Inputs
    n_rows: int
    cutoff: date | None
    superseded_artifact: str | None


@dataclass(frozen=True)
class Totals:
    """What a run has done so far."""

    trained: int = 0
    failed: int = 0
    skipped: int = 0
    fit_cpu_s: float = 0.0

    def plus(self, outcomes: Sequence[FitOutcome[Any]]) -> "Totals":
        """These totals and some more outcomes."""
        return Totals(
            self.trained + sum(outcome.status == "trained" for outcome in outcomes),
            self.failed + sum(outcome.status == "failed" for outcome in outcomes),
            self.skipped + sum(outcome.status == "skipped" for outcome in outcomes),
            self.fit_cpu_s + sum(outcome.fit_s for outcome in outcomes),
        )


def classify(newest: NewestEntry | None, inputs: Inputs) -> tuple[str, str | None]:
    """Status of a stock with these inputs now, and the cause where it is to be trained.

    The view ``v_status`` follows the same rule.
    """
    if newest is None:
        return "pending", "new"
    changed = {
        "data": newest.inputs.data_digest != inputs.data_digest,
        "config": newest.inputs.config_hash != inputs.config_hash,
        "code": newest.inputs.code_version != inputs.code_version,
    }
    cause = next((name for name, differs in changed.items() if differs), None)
    if cause is None:
        return newest.status, None
    return ("stale" if newest.trained_artifact else "pending"), cause


def select_cause(
    newest: NewestEntry | None, inputs: Inputs, *, force: bool, retry_failed: bool
) -> str | None:
    """Why a pass trains a stock; ``None`` if it does not."""
    status, cause = classify(newest, inputs)
    if cause is None and retry_failed and status == "failed":
        return "retry"
    if cause is None and force:
        return "forced"
    return cause


def newest_entries(connection: Connection, target: str) -> dict[str, NewestEntry]:
    """The last attempt at each stock of a target, by ticker."""
    last = (
        func.row_number()
        .over(partition_by=ledger_table.c.ticker, order_by=ledger_table.c.attempt.desc())
        .label("age")
    )
    mine = ledger_table.c.target == target
    newest = select(ledger_table, last).where(mine).subquery()
    trained = (
        select(ledger_table.c.ticker, ledger_table.c.artifact_sha256, last)
        .where(mine, ledger_table.c.status == "trained")
        .subquery()
    )
    query = (
        select(
            newest.c.ticker,
            newest.c.status,
            newest.c.attempt,
            newest.c.data_digest,
            newest.c.config_hash,
            newest.c.code_version,
            trained.c.artifact_sha256,
        )
        .outerjoin_from(
            newest, trained, (trained.c.ticker == newest.c.ticker) & (trained.c.age == 1)
        )
        .where(newest.c.age == 1)
    )
    entries = {}
    for row in execute(connection, query).mappings():
        inputs = Inputs(row["data_digest"], row["config_hash"], row["code_version"])
        artifact = row["artifact_sha256"]
        entries[row["ticker"]] = NewestEntry(row["status"], row["attempt"], inputs, artifact)
    return entries


def current_artifacts(connection: Connection) -> set[str]:
    """Hashes of the artifacts that the newest trained entries and newer passes refer to."""
    age = func.row_number().over(
        partition_by=(ledger_table.c.ticker, ledger_table.c.target),
        order_by=ledger_table.c.attempt.desc(),
    )
    trained = (
        select(ledger_table.c.artifact_sha256, ledger_table.c.universe_sha256, age.label("age"))
        .where(ledger_table.c.status == "trained")
        .subquery()
    )
    query = select(trained.c.artifact_sha256, trained.c.universe_sha256).where(trained.c.age == 1)
    used = {sha256 for row in execute(connection, query) for sha256 in row if sha256}
    latest = (
        select(universes.c.target, func.max(universes.c.finished_at).label("finished_at"))
        .group_by(universes.c.target)
        .subquery()
    )
    newest = select(universes.c.artifact_sha256).join(
        latest,
        (universes.c.target == latest.c.target) & (universes.c.finished_at == latest.c.finished_at),
    )
    return used | set(execute(connection, newest).scalars())


def find_universe(
    connection: Connection, config: FitConfig, code_version: str, anchor: date
) -> str | None:
    """Artifact of the newest universe of this config, code and anchor, if there is one."""
    query = (
        select(universes.c.artifact_sha256)
        .where(
            universes.c.target == config.target,
            universes.c.config_hash == config.digest(),
            universes.c.code_version == code_version,
            universes.c.anchor == anchor,
        )
        .order_by(universes.c.finished_at.desc())
        .limit(1)
    )
    return execute(connection, query).scalar()


def universe_columns(
    made: NewUniverse, run_id: str, config: FitConfig, code_version: str
) -> dict[str, list[Any]]:
    """The rows of a new universe, a member each, as columns of ``universes``."""
    columns = _Columns()
    universe_id, finished_at, prior = new_id(), utc_now(), made.prior
    for i, member in enumerate(prior.members):
        columns.add(
            universe_id=universe_id,
            run_id=run_id,
            target=config.target,
            anchor=made.anchor,
            config_hash=config.digest(),
            code_version=code_version,
            n_rows=made.n_rows,
            n_stocks=made.n_stocks,
            fit_s=made.fit_s,
            finished_at=finished_at,
            artifact_sha256=made.sha256,
            member=member,
            prior_weight=float(prior.weights[i]),
            advantage=float(prior.advantage[i]),
            spread=float(prior.spread[i]),
        )
    return columns.values


def preset_for_budget(connection: Connection, target: str, time_per_stock: float) -> str | None:
    """Preset of the last run of a target that had this time budget, if any."""
    query = (
        select(runs.c.preset)
        .where(runs.c.target == target, runs.c.time_per_stock == time_per_stock)
        .order_by(runs.c.started_at.desc())
        .limit(1)
    )
    return execute(connection, query).scalar()


def interrupt_dead_runs(connection: Connection) -> None:
    """Mark runs that never finished; the caller holds the store, so they are dead."""
    running = runs.c.status == "running"
    execute(connection, update(runs).where(running).values(status="interrupted"))


def start_run(
    connection: Connection,
    config: FitConfig,
    code_version: str,
    *,
    as_of: date | None,
    time_per_stock: float | None,
    workers: int,
    selected: int,
) -> str:
    """Record that a run begins; returns its id."""
    run_id = new_id()
    execute(
        connection,
        insert(runs).values(
            run_id=run_id,
            status="running",
            started_at=utc_now(),
            target=config.target,
            horizon=config.horizon,
            as_of=as_of,
            time_per_stock=time_per_stock,
            preset=config.preset_name,
            config_hash=config.digest(),
            config=config.to_json(),
            code_version=code_version,
            workers=workers,
            selected=selected,
            trained=0,
            failed=0,
            skipped=0,
        ),
    )
    return run_id


def update_run(
    connection: Connection,
    run_id: str,
    totals: Totals,
    *,
    wall_s: float,
    peak_rss_mb: float,
    status: str = "running",
) -> None:
    """Record how far a run has come, or with another status that it has ended."""
    values: dict[str, Any] = {
        "status": status,
        "trained": totals.trained,
        "failed": totals.failed,
        "skipped": totals.skipped,
        "fit_cpu_s": totals.fit_cpu_s,
        "wall_s": wall_s,
        "peak_rss_mb": peak_rss_mb,
    }
    if status != "running":
        values["finished_at"] = utc_now()
    execute(connection, update(runs).where(runs.c.run_id == run_id).values(**values))


def entry_tables(
    attempts: Iterable[tuple[str, Pending, FitOutcome[FitResult]]], run_id: str, config: FitConfig
) -> dict[str, dict[str, list[Any]]]:
    """The rows of some attempts (entry id, plan, outcome), as columns of each ledger table."""
    tables = {name: _Columns() for name in ("ledger", "weights", "metrics", "predictions")}
    for entry_id, pending, outcome in attempts:
        result = outcome.result
        tables["ledger"].add(
            entry_id=entry_id,
            run_id=run_id,
            ticker=outcome.ticker,
            target=config.target,
            status=outcome.status,
            cause=pending.cause,
            data_digest=pending.inputs.data_digest,
            config_hash=pending.inputs.config_hash,
            code_version=pending.inputs.code_version,
            preset=config.preset_name,
            n_rows=outcome.n_rows,
            first_date=_as_date(outcome.first_date),
            last_date=_as_date(outcome.last_date),
            cutoff=pending.cutoff,
            attempt=pending.attempt,
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
        )
    return {name: columns.values for name, columns in tables.items() if columns.values}


def new_id() -> str:
    """A fresh id: 32 hex digits."""
    return uuid.uuid4().hex


class _Columns:
    """Rows of one table, gathered column by column."""

    def __init__(self) -> None:
        self.values: dict[str, list[Any]] = {}

    def add(self, **row: Any) -> None:
        for name, value in row.items():
            self.values.setdefault(name, []).append(value)

    def extend(self, **columns: Iterable[Any]) -> None:
        for name, values in columns.items():
            self.values.setdefault(name, []).extend(values)


def _as_date(day: np.datetime64 | None) -> date | None:
    return None if day is None else day.astype("datetime64[D]").item()
