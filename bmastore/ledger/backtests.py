"""Backtests: what was run, how each forecaster did, and which cutoffs are done already."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bmastore.calendar import utc_now
from bmastore.storage.session import Session, Writer


def finished_cutoff(session: Session, inputs_digest: str) -> str | None:
    """Artifact of a cutoff that a backtest of the same inputs has finished, if one has."""
    rows = session.ledger_rows("finished_cutoff", inputs_digest=inputs_digest)
    return str(rows[0]["artifact_sha256"]) if rows else None


def record_cutoff(
    writer: Writer,
    *,
    inputs_digest: str,
    target: str,
    cutoff: date,
    until: date,
    n_stocks: int,
    artifact_sha256: str,
) -> None:
    """Record that a cutoff is done."""
    row = {
        "inputs_digest": inputs_digest,
        "target": target,
        "cutoff": cutoff,
        "until": until,
        "n_stocks": n_stocks,
        "finished_at": utc_now(),
        "artifact_sha256": artifact_sha256,
    }
    with writer.transaction():
        writer.insert("backtest_cutoffs", {name: [value] for name, value in row.items()})


def record_backtest(
    writer: Writer,
    head: Mapping[str, Any],
    tables: Mapping[str, Mapping[str, Sequence[Any]]],
) -> None:
    """Record a backtest that is done, with its scores, in one transaction."""
    with writer.transaction():
        writer.insert("backtests", {name: [value] for name, value in head.items()})
        for name, columns in tables.items():
            writer.insert(name, columns)
