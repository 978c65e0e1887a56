"""The interface of the script that bmastore came from, on top of a store."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bmastore.errors import BmastoreError, InputError
from bmastore.reports import queries
from bmastore.storage.session import open_reader
from bmastore.store import Store
from bmastore.training.options import PassOptions

if TYPE_CHECKING:
    import pandas as pd

    from bmastore.workers.dispatch import Progress

_TARGET = "target"


class MassiveStockBMAProcessor:
    """Trains an ensemble per stock from dicts of frames, and leaves JSON behind.

    Parameters
    ----------
    target_time_per_stock:
        Core-seconds per stock: the richest preset within it is taken.
    batch_size:
        Stocks whose results are committed together.
    max_memory_gb:
        What all processes together may hold.
    enable_checkpointing:
        Write ``checkpoint_batch_<n>.json`` after each batch.
    horizon:
        Trading days that the targets look ahead.

    Notes
    -----
    Everything lies in a store, ``bma.duckdb`` in ``save_dir``; a call after a
    crash goes on where it was, with or without the JSON checkpoints.
    """

    def __init__(
        self,
        target_time_per_stock: float = 1.0,
        batch_size: int = 50,
        max_memory_gb: float = 8.0,
        enable_checkpointing: bool = True,
        horizon: int = 5,
    ) -> None:
        self.target_time_per_stock = target_time_per_stock
        self.batch_size = batch_size
        self.max_memory_gb = max_memory_gb
        self.enable_checkpointing = enable_checkpointing
        self.horizon = horizon

    def process_all_stocks(
        self,
        stock_data: "Mapping[str, pd.DataFrame]",
        target_data: "Mapping[str, pd.Series]",
        save_dir: str | Path,
    ) -> dict[str, Any]:
        """Train all stocks and return what became of each.

        Parameters
        ----------
        stock_data:
            Features of each stock, shape (n, p); the index holds dates. An
            index of another kind counts weekdays from 2000-01-03 on.
        target_data:
            Forward return of each stock, aligned on the same index.
        save_dir:
            Folder of the store and the JSON files; made if need be.

        Returns
        -------
        dict with ``summary`` and ``results``: for each ticker ``status``,
        ``weights``, ``metrics``, ``seconds`` and ``error`` (``None`` if trained).

        Raises
        ------
        StoreLockedError
            If another process works in ``save_dir``.
        """
        folder = Path(save_dir)
        folder.mkdir(parents=True, exist_ok=True)
        store = Store(folder / "bma.duckdb")
        rejected = self._ingest(store, stock_data, target_data)
        summary = None
        if store.path.exists():
            options = PassOptions(
                batch_size=self.batch_size,
                max_memory=int(self.max_memory_gb * 2**30),
                time_per_stock=self.target_time_per_stock,
            )
            checkpoints = _Checkpoints(folder, self.batch_size)
            on_progress = checkpoints.write if self.enable_checkpointing else None
            summary = store.train(options=options, on_progress=on_progress)
        results = {ticker: rejected.get(ticker) or _failure("unknown") for ticker in stock_data}
        results |= {t: r for t, r in _results(store).items() if t in stock_data}
        trained = sum(result["status"] == "trained" for result in results.values())
        hours = summary.wall_s / 3600 if summary else 0.0
        content = {
            "summary": {
                "total_stocks": len(results),
                "successful_stocks": trained,
                "failed_stocks": len(results) - trained,
                "success_rate": trained / len(results) if results else 0.0,
                "total_training_time_hours": hours,
                "average_time_per_stock": hours * 3600 / len(results) if results else 0.0,
                "peak_memory_gb": summary.peak_rss_mb / 1024 if summary else 0.0,
            },
            "results": results,
        }
        stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
        path = folder / f"bma_{len(results)}_results_{stamp}.json"
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")
        return content

    def _ingest(
        self,
        store: Store,
        stock_data: "Mapping[str, pd.DataFrame]",
        target_data: "Mapping[str, pd.Series]",
    ) -> dict[str, dict[str, Any]]:
        """Put all usable stocks into the store; returns the failures of the others."""
        usable, rejected = {}, {}
        for ticker, frame in stock_data.items():
            try:
                usable[ticker] = _dated(frame, target_data.get(ticker))
            except BmastoreError as error:
                rejected[ticker] = _failure(str(error))
        if usable:
            store.ingest(usable, target=_TARGET, horizon=self.horizon)
        return rejected


class _Checkpoints:
    """Writes where a pass stands, once a batch is in the ledger."""

    def __init__(self, folder: Path, batch_size: int) -> None:
        self._folder = folder
        self._batch_size = batch_size
        self._written = 0

    def write(self, progress: "Progress") -> None:
        """Write ``checkpoint_batch_<n>.json`` for each batch that has been committed since."""
        totals, done = progress.totals, progress.committed
        if done < totals.trained + totals.failed + totals.skipped:
            return
        full, rest = divmod(done, self._batch_size)
        batches = full + 1 if rest and done == progress.selected else full
        while self._written < batches:
            self._written += 1
            content = {
                "batch": self._written,
                "selected": progress.selected,
                "done": done,
                **asdict(totals),
            }
            path = self._folder / f"checkpoint_batch_{self._written}.json"
            path.write_text(json.dumps(content), encoding="utf-8")


def _dated(frame: Any, target: Any) -> "pd.DataFrame":
    """A stock's features and target with dates as index.

    Raises
    ------
    InputError
        If there is nothing to train on.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame) or frame.empty:
        raise InputError("the frame of features is empty")
    if not isinstance(target, pd.Series) or target.empty:
        raise InputError("there is no target")
    dated = frame.select_dtypes("number").assign(**{_TARGET: target.reindex(frame.index)})
    if dated[_TARGET].notna().sum() == 0:
        raise InputError("features and target have no row in common")
    if not isinstance(dated.index, pd.DatetimeIndex):
        dated.index = pd.bdate_range("2000-01-03", periods=len(dated))
    return dated[~dated.index.duplicated(keep="last")]


def _failure(error: str) -> dict[str, Any]:
    return {"status": "failed", "weights": {}, "metrics": {}, "seconds": 0.0, "error": error}


def _results(store: Store) -> dict[str, dict[str, Any]]:
    if not store.path.exists():
        return {}
    with open_reader(store.path) as reader:
        records = queries.results(reader).records()
    return {
        stock["ticker"]: {
            "status": stock["status"],
            "weights": stock["weights"] or {},
            "metrics": stock["metrics"] or {},
            "seconds": stock["fit_s"] or 0.0,
            "error": f"{stock['error_type']}: {stock['error_message']}"
            if stock["error_type"]
            else None,
        }
        for stock in records
    }
