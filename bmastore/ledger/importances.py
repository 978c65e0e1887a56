"""Importances of features: what the splits of current ensembles on each of them have gained.

A stock's are replaced when it is trained again: they are no history, and a store does not grow by
them. Those of a pooled model are the same for all stocks, and lie with its universe.
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


def record_importances(
    writer: Writer, results: Sequence[tuple[str, str, FitResult]], config: FitConfig
) -> None:
    """Store those of entries that are in use now, inside the transaction that made them.

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
    replaced = []
    for ticker, entry_id, result in results:
        if entry_id not in in_use:
            continue
        replaced.append(ticker)
        found = [
            (member, feature, share)
            for member, shares in result.importances.items()
            for feature, share in shares_by_feature(config.features, shares)
        ]
        if found:
            members, features, shares = zip(*found, strict=True)
            columns.add(
                ticker=ticker,
                target=target,
                entry_id=entry_id,
                members=list(members),
                features=list(features),
                shares=list(shares),
            )
    if replaced:
        which = Part(f"target = {literal(target)} and {among('ticker', replaced).text}")
        writer.change_ledger("drop_importances", which=which)
    if columns.values:
        writer.insert("importances", columns.values)


def shares_by_feature(
    features: Sequence[str], shares: NDArray[np.float64]
) -> list[tuple[str, float]]:
    """Features with their share, rounded so that they still sum to 1; none without any gain.

    A feature with less than half of the last decimal is left out, so that a panel of a thousand
    features is stored by those that count.
    """
    told = to_sum(shares).tolist()
    return [(name, share) for name, share in zip(features, told, strict=True) if share]
