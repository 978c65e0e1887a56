"""Monitoring: settles, compares live forecasts with the newest backtest, and marks decay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import numpy as np

from bmastore.evaluation import alarms
from bmastore.evaluation.alarms import Days, Skill
from bmastore.ledger import drift, outcomes
from bmastore.ledger.decays import Decay, record_decays
from bmastore.panel.series import choose_target, target_horizons
from bmastore.storage.publish import publish
from bmastore.storage.session import Writer
from bmastore.storage.views import create_views
from bmastore.table import Table, Tabular

# Days of features that are compared with the newest ones.
_FEATURE_DAYS = 250


@dataclass(frozen=True)
class Drift:
    """A feature that is far from its training window, on its newest day."""

    feature: str
    date: date
    stability: float


@dataclass(frozen=True)
class MonitorReport(Tabular):
    """How forecasts of a target do live.

    Attributes
    ----------
    target:
        What is forecast.
    settled:
        Forecasts that were joined with their labels now, of all targets.
    days, last_date:
        Days with outcomes, and the newest of them.
    reference:
        What live days are compared with: ``"backtest"``, ``"earlier days"`` or ``"nothing"``.
    skill:
        Scores over the newest 20 and 60 days.
    drifting:
        Features that have drifted.
    stocks, decayed:
        Stocks with outcomes enough to be judged, and those whose intervals no longer hold.
    alarms:
        What is alarming, in sentences; none where all is well.
    """

    target: str
    settled: int
    days: int
    last_date: date | None
    reference: str
    skill: tuple[Skill, ...]
    drifting: tuple[Drift, ...]
    stocks: int
    decayed: tuple[Decay, ...]
    alarms: tuple[str, ...]

    @property
    def table(self) -> Table:
        """The scores as a table."""
        names = ("measure", "days", "live", "error", "reference", "z")
        rows = [(self.target, *(getattr(one, name) for name in names)) for one in self.skill]
        return Table(("target", *names), ("VARCHAR", "VARCHAR", "INTEGER", *["DOUBLE"] * 4), rows)


def monitor(
    writer: Writer, target: str | tuple[str, ...] | None = None
) -> tuple[MonitorReport, ...]:
    """Settle, and judge each target, or those that are named; marks stocks that have decayed.

    Raises
    ------
    ConfigError, StoreError
        If the store has no such target, or none at all.
    """
    named: tuple[str | None, ...] = (target,) if isinstance(target, str | None) else target
    if target is None:
        named = tuple(target_horizons(writer.duck)) or (None,)
    chosen = [choose_target(writer.duck, name) for name in named]
    with writer.transaction():
        settled = outcomes.settle(writer)
        drift.measure_new_days(writer)
    # What is ours comes before what is stored.
    create_views(writer.duck.execute, are_temporary=True)
    reports = []
    for name, horizon in chosen:
        report = _judge(writer, name, horizon, settled)
        with writer.transaction():
            record_decays(writer, name, report.decayed)
        reports.append(report)
    publish(writer)
    return tuple(reports)


def _judge(writer: Writer, target: str, horizon: int, settled: int) -> MonitorReport:
    rows = writer.ledger_rows("live_days", target=target)
    live = _days(rows)
    tested = _days(writer.ledger_rows("tested_days", target=target))
    reference = alarms.reference_of(live, tested)
    skill = tuple(alarms.skills(live, reference, horizon))
    drifting = _drifting(writer.ledger_rows("stability_days", days=_FEATURE_DAYS))
    pits = writer.ledger_rows("newest_pits", target=target, n=alarms.OUTCOMES)
    judged, is_decayed = _decays(pits, horizon)
    decayed = tuple(one for one, has in zip(judged, is_decayed, strict=True) if has)
    said = [_sentence(one) for one in skill if one.is_alarming]
    if drifting:
        listed = ", ".join(f"{one.feature} ({one.stability:.2f})" for one in drifting)
        said.append(f"features are far from what models learnt from: {listed}")
    if alarms.many_decayed(is_decayed):
        said.append(
            f"intervals of {len(decayed):,} of {len(judged):,} stocks no longer hold: it is not "
            f"about single stocks"
        )
    compared = "backtest" if reference is tested else "earlier days"
    return MonitorReport(
        target,
        settled,
        len(rows),
        rows[-1]["date"] if rows else None,
        "nothing" if reference is None else compared,
        skill,
        drifting,
        len(judged),
        decayed,
        tuple(said),
    )


def _sentence(skill: Skill) -> str:
    return (
        f"{skill.measure} over the last {skill.days} days is {skill.live:.3f}, and was "
        f"{skill.reference:.3f}: {-(skill.z or 0.0):.1f} standard errors less"
    )


def _days(rows: Sequence[dict[str, Any]]) -> Days:
    names = ("ic", "squared_error", "zero_squared_error", "coverage_80")
    return Days(
        *(
            np.array([np.nan if row[name] is None else row[name] for row in rows], dtype=np.float64)
            for name in names
        )
    )


def _drifting(rows: Sequence[dict[str, Any]]) -> tuple[Drift, ...]:
    days = sorted({row["date"] for row in rows})
    features = sorted({row["feature"] for row in rows if row["date"] == days[-1]})
    at = {day: i for i, day in enumerate(days)}
    stability = np.full((len(days), len(features)), np.nan)
    for row in rows:
        if row["feature"] in features and row["stability"] is not None:
            stability[at[row["date"]], features.index(row["feature"])] = row["stability"]
    return tuple(
        Drift(features[i], days[-1], float(stability[-1, i]))
        for i in np.flatnonzero(alarms.drifting(stability))
    )


def _decays(
    pits: Sequence[dict[str, Any]], horizon: int
) -> tuple[list[Decay], "np.ndarray[Any, np.dtype[np.bool_]]"]:
    """Stocks with outcomes enough, and which of them have decayed."""
    judged = []
    for ticker, group in groupby(pits, key=lambda row: str(row["ticker"])):
        mine = list(group)
        if len(mine) < alarms.FEWEST_OUTCOMES:
            continue
        pit = np.array([row["pit"] for row in mine])
        held = float(np.mean(np.abs(pit - 0.5) <= 0.4))
        p = alarms.interval_p(pit, horizon)
        judged.append(Decay(ticker, len(pit), mine[0]["date"], held, p))
    return judged, alarms.decayed(np.array([one.p for one in judged]))
