"""Reads what workers are given: stocks' rows, and what is remembered of them, chunk by chunk."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from bmastore.arrays import PanelArrays
from bmastore.errors import ArtifactError
from bmastore.ledger.entries import Planned
from bmastore.ledger.folds import read_remembered
from bmastore.models.config import FitConfig
from bmastore.models.results import Remembered
from bmastore.panel.read import read_rows
from bmastore.storage import artifacts
from bmastore.storage.session import Session
from bmastore.workers.chunks import Chunk

# Stocks read from the panel in one scan.
_READ_BATCH = 200
# Stocks sent to a worker at once. Each time costs 3 ms, so this keeps it below one percent of
# the fits; less toward the end, so that no worker is left alone with many.
_CHUNK = 16

# What is remembered of some stocks, by ticker.
Recall = Callable[[Sequence[str]], Mapping[str, Remembered]]


def read_chunks(
    session: Session,
    config: FitConfig,
    tickers: Sequence[str],
    workers: Callable[[], int],
    *,
    as_of: date | None = None,
    until: date | None = None,
    most: int = _CHUNK,
    recall: Recall = lambda tickers: {},
) -> Iterator[Chunk]:
    """Chunks of stocks, each read only when it is asked for.

    Parameters
    ----------
    workers:
        Tells how many there are.
    as_of:
        Only rows and labels known on this date; ``None`` means all.
    until:
        Only rows of dates up to this one; ``None`` means all.
    most:
        Stocks in a chunk at most.
    """
    for start in range(0, len(tickers), _READ_BATCH):
        batch = tickers[start : start + _READ_BATCH]
        rows = _known(read_rows(session.duck, batch, config.target, config.features), as_of, until)
        known = recall(batch)
        remembered = tuple(known.get(ticker) for ticker in batch)
        first = 0
        while first < len(batch):
            left = len(tickers) - start - first
            size = max(1, min(most, _CHUNK, left // (4 * workers())))
            last = min(first + size, len(batch))
            yield Chunk(rows.part(first, last), remembered[first:last])
            first = last


def recall_folds(
    session: Session, config: FitConfig, stocks: Sequence[Planned], *, by_hash: bool
) -> Recall:
    """Recalls folds of the stocks whose rows alone have changed.

    With ``by_hash`` workers read the artifacts themselves.
    """
    hashes = {
        stock.ticker: stock.current_artifact
        for stock in stocks
        if stock.current_artifact and stock.cause == "data"
    }

    def recall(tickers: Sequence[str]) -> Mapping[str, Remembered]:
        asked = [ticker for ticker in tickers if ticker in hashes]
        found = read_remembered(session.duck, config, asked)
        if by_hash:
            return {
                ticker: replace(one, artifact_sha256=hashes[ticker])
                for ticker, one in found.items()
            }
        models = {}
        for ticker, one in found.items():
            try:
                blob = artifacts.read(session.models, hashes[ticker])
            except ArtifactError:  # a damaged one is not needed: its folds are fitted again
                continue
            models[ticker] = replace(one, artifact=blob)
        return models

    return recall


def _known(rows: PanelArrays, as_of: date | None, until: date | None) -> PanelArrays:
    if as_of is not None:
        rows = rows.as_of(np.datetime64(as_of, "D"))
    return rows if until is None else rows.up_to(np.datetime64(until, "D"))
