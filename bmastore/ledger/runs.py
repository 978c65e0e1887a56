"""Runs: what a pass was, how far it has come, what it cost."""

import secrets
from datetime import date

from bmastore.calendar import utc_now
from bmastore.models.config import FitConfig
from bmastore.storage.session import Session, Writer
from bmastore.workers.chunks import Totals


def preset_for_budget(session: Session, target: str, time_per_stock: float) -> str | None:
    """Preset of the last run of a target that had this time budget, if any."""
    rows = session.ledger_rows("preset_for_budget", target=target, time_per_stock=time_per_stock)
    return str(rows[0]["preset"]) if rows else None


def cost_per_stock(session: Session, target: str, preset: str) -> float | None:
    """CPU seconds per stock in the last run of a preset that trained any."""
    rows = session.ledger_rows("cost_per_stock", target=target, preset=preset)
    return float(rows[0]["seconds"]) if rows else None


def interrupt_dead_runs(writer: Writer) -> None:
    """Mark runs that never finished; the caller holds the store, so they are dead."""
    writer.change_ledger("interrupt_dead_runs")


def start_run(
    writer: Writer,
    config: FitConfig,
    *,
    as_of: date | None,
    time_per_stock: float | None,
    max_age: float | None,
    stale_after: int,
    workers: int,
    selected: int,
) -> str:
    """Record that a run begins; returns its id."""
    run_id = _new_id(writer)
    writer.change_ledger(
        "start_run",
        run_id=run_id,
        started_at=utc_now(),
        target=config.target,
        horizon=config.horizon,
        as_of=as_of,
        time_per_stock=time_per_stock,
        max_age=max_age,
        stale_after=stale_after,
        preset=config.preset,
        config_hash=config.digest(),
        config=config.to_json(),
        code_version=config.code_version(),
        workers=workers,
        selected=selected,
    )
    return run_id


def _new_id(writer: Writer) -> str:
    """Six hex digits that no run of this ledger has.

    They are in the id of each of its entries, which forecasts and outcomes repeat: with twice as
    many, ids took more room than anything else there. That two stores, of which one is a copy from
    before, give their next thirty runs an id in common has a probability of 5e-5.
    """
    while True:
        run_id = secrets.token_hex(3)
        if not writer.ledger_rows("run_of_id", run_id=run_id):
            return run_id


def update_run(
    writer: Writer,
    run_id: str,
    totals: Totals,
    *,
    only_forecast: int,
    wall_s: float,
    peak_rss_mb: float,
    status: str = "running",
) -> None:
    """Record how far a run has come, or with another status that it has ended."""
    writer.change_ledger(
        "update_run",
        run_id=run_id,
        status=status,
        finished_at=None if status == "running" else utc_now(),
        trained=totals.trained,
        failed=totals.failed,
        skipped=totals.skipped,
        only_forecast=only_forecast,
        fit_cpu_s=totals.fit_cpu_s,
        wall_s=wall_s,
        peak_rss_mb=peak_rss_mb,
    )
