"""Ensembles in use: the file of each, and what its splits have gained by feature (importances).

A stock's row is replaced when it is trained again: it is no history, and a store does not grow by
it. Importances of a pooled model are the same for all stocks, and lie with its universe.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bmastore.ledger.digits import to_sum
from bmastore.ledger.entries import Columns
from bmastore.models.config import FitConfig
from bmastore.models.results import FitResult
from bmastore.storage.session import Writer
from bmastore.storage.statements import Part, among, literal


def record_ensembles(
    writer: Writer, results: Sequence[tuple[str, str, FitResult]], config: FitConfig
) -> None:
    """Record those that are in use now, inside the transaction of their entries.

    Parameters
    ----------
    results:
        Ticker, entry id and result of each trained stock.
    """
    if not results:
        return
    target = config.target
    which = Part(f"target = {literal(target)} and {among('ticker', [r[0] for r in results]).text}")
    in_use = {row["current_entry"] for row in writer.ledger_rows("entries_in_use", which=which)}
    columns = Columns()
    for ticker, entry_id, result in results:
        if entry_id not in in_use:
            continue
        found = [
            (member, feature, share)
            for member, shares in result.importances.items()
            for feature, share in shares_by_feature(config.features, shares)
        ]
        columns.add(
            ticker=ticker,
            target=target,
            entry_id=entry_id,
            artifact_sha256=result.artifact_sha256,
            members=[member for member, _, _ in found] or None,
            features=[feature for _, feature, _ in found] or None,
            shares=[share for _, _, share in found] or None,
        )
    if columns.values:
        replaced = among("ticker", columns.values["ticker"])
        which = Part(f"target = {literal(target)} and {replaced.text}")
        writer.change_ledger("drop_ensembles", which=which)
        writer.insert("ensembles", columns.values)


def shares_by_feature(
    features: Sequence[str], shares: NDArray[np.float64]
) -> list[tuple[str, float]]:
    """Features with their share, rounded so that they still sum to 1; none without any gain.

    A feature with less than half of the last decimal is left out, so that a panel of a thousand
    features is stored by those that count.
    """
    told = to_sum(shares).tolist()
    return [(name, share) for name, share in zip(features, told, strict=True) if share]
