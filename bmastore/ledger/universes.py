"""Universes: which there are, and what the ledger records of a new one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from bmastore.calendar import utc_now
from bmastore.ledger.ensembles import shares_by_feature
from bmastore.ledger.entries import Columns, new_id
from bmastore.models.config import FitConfig
from bmastore.models.prior import Prior
from bmastore.storage.session import Session, Writer


@dataclass(frozen=True)
class UniverseRecord:
    """What the ledger records of a universe; ``fit_s`` are the CPU seconds that it took.

    ``importances`` are, by pooled member, the shares of the features in what the splits of its
    newest model have gained, shape (p,).
    """

    artifact_sha256: str
    anchor: date
    n_rows: int
    n_stocks: int
    fit_s: float
    prior: Prior
    features: tuple[str, ...]
    importances: Mapping[str, NDArray[np.float64]]


def find_universe(session: Session, config: FitConfig, anchor: date) -> str | None:
    """Artifact of the newest universe of this config, this code and anchor, if there is one."""
    rows = session.ledger_rows(
        "find_universe",
        target=config.target,
        config_hash=config.digest(),
        code_version=config.code_version(),
        anchor=anchor,
    )
    return str(rows[0]["artifact_sha256"]) if rows else None


def record_universe(writer: Writer, made: UniverseRecord, run_id: str, config: FitConfig) -> None:
    """Record a new universe, one row per member, inside a transaction."""
    columns = Columns()
    universe_id, finished_at, prior = new_id(), utc_now(), made.prior
    for i, member in enumerate(prior.members):
        shares = made.importances.get(member)
        named = [] if shares is None else shares_by_feature(made.features, shares)
        columns.add(
            universe_id=universe_id,
            run_id=run_id,
            target=config.target,
            anchor=made.anchor,
            config_hash=config.digest(),
            code_version=config.code_version(),
            n_rows=made.n_rows,
            n_stocks=made.n_stocks,
            fit_s=made.fit_s,
            finished_at=finished_at,
            artifact_sha256=made.artifact_sha256,
            member=member,
            prior_weight=float(prior.weights[i]),
            advantage=float(prior.advantage[i]),
            spread=float(prior.spread[i]),
            features=[feature for feature, _ in named] or None,
            shares=[share for _, share in named] or None,
        )
    writer.insert("universes", columns.values)
