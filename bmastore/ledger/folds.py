"""Out-of-fold predictions in the store: written at checkpoints, read back by the next pass."""

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from bmastore.models.config import FitConfig
from bmastore.models.results import FitResult, FoldRecord, Remembered
from bmastore.storage.columns import registered
from bmastore.storage.statements import run, statements


def read_remembered(
    duck: duckdb.DuckDBPyConnection,
    config: FitConfig,
    tickers: Sequence[str],
) -> dict[str, Remembered]:
    """What is stored of some stocks' folds, by ticker, if the same config and code made it.

    Their artifacts are left to be filled in.
    """
    if not tickers:
        return {}
    found = run(
        duck,
        "panel/read_folds",
        tickers=tickers,
        target=config.target,
        config_hash=config.digest(),
        code_version=config.code_version(),
        members=config.members,
    ).fetchnumpy()
    folds: dict[str, list[tuple[FoldRecord, NDArray[np.float32]]]] = {}
    for i, ticker in enumerate(found["ticker"]):
        record = FoldRecord(
            int(found["fold"][i]),
            int(found["n_train"][i]),
            int(found["n_test"][i]),
            found["train_digest"][i],
            found["test_digest"][i],
            tuple(int(n) for n in found["rounds"][i].split(",") if n),
        )
        predictions = np.asarray(found["predictions"][i], dtype=np.float32)
        folds.setdefault(ticker, []).append((record, predictions))
    return {
        ticker: Remembered(
            tuple(record for record, _ in stored),
            np.concatenate([values for _, values in stored]).reshape(-1, len(config.members)),
            b"",
        )
        for ticker, stored in folds.items()
    }


def count_remembered(
    duck: duckdb.DuckDBPyConnection, config: FitConfig, tickers: Sequence[str]
) -> int:
    """How many folds of some stocks are stored that the same config and code made."""
    if not tickers:
        return 0
    found = run(
        duck,
        "panel/count_folds",
        tickers=tickers,
        target=config.target,
        config_hash=config.digest(),
        code_version=config.code_version(),
    )
    return int(found.fetchall()[0][0])


def write_folds(
    duck: duckdb.DuckDBPyConnection,
    results: Sequence[tuple[str, str, FitResult]],
    config: FitConfig,
) -> None:
    """Store the folds of trained stocks that differ from those that are stored.

    Parameters
    ----------
    results:
        Ticker, entry id and result of each stock.
    """
    if not results:
        return
    config_hash, code = config.digest(), config.code_version()
    rows: list[dict[str, Any]] = []
    for ticker, entry_id, result in results:
        folds, start = result.folds, 0
        for record in folds.records:
            stop = start + record.n_test
            rows.append(
                {
                    "ticker": ticker,
                    "target": config.target,
                    "fold": record.number,
                    "entry_id": entry_id,
                    "config_hash": config_hash,
                    "code_version": code,
                    "n_train": record.n_train,
                    "n_test": record.n_test,
                    "train_digest": record.train_digest,
                    "test_digest": record.test_digest,
                    "rounds": ",".join(map(str, record.rounds)),
                    "members": list(folds.members),
                    "dates": folds.dates[start:stop].astype(np.int64),
                    "predictions": folds.predictions[start:stop].ravel(),
                }
            )
            start = stop
    attempted: dict[str, list[Any]] = {
        "ticker": [ticker for ticker, _, _ in results],
        "target": [config.target] * len(results),
        "kept": [np.asarray(result.folds.kept, dtype=np.int64) for _, _, result in results],
    }
    delete, insert = statements("panel/replace_folds")
    with registered(duck, "attempted", attempted):
        duck.execute(delete)
    if rows:
        with registered(duck, "new_folds", {name: [row[name] for row in rows] for name in rows[0]}):
            duck.execute(insert)
