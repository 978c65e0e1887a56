"""Ingest: rows in, and at the end features, targets and digests that say what changed."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from bmastore.errors import ConfigError, InputError
from bmastore.panel.ingest.counts import Count, IngestReport
from bmastore.panel.ingest.panel import prepare_panel
from bmastore.panel.ingest.prices import prepare_prices
from bmastore.panel.ingest.sources import first_line, join_targets, open_source
from bmastore.storage.session import Writer

__all__ = ["Count", "IngestReport", "ingest", "read_features_sql"]


def ingest(
    writer: Writer,
    data: Any,
    *,
    target: str | Mapping[str, Any] | None = None,
    horizon: int | None = None,
    ticker_col: str | None = None,
    date_col: str | None = None,
    features_sql: str | None = None,
    dry_run: bool = False,
) -> IngestReport:
    """Take prices, or a panel if ``target`` is named, in one transaction.

    Parameters are those of :meth:`bmastore.Store.ingest`.

    Raises
    ------
    InputError
        If the input cannot be read. The store is then as it was before.
    """
    if horizon is not None and horizon < 1:
        raise ConfigError(f"the horizon is a number of trading days, at least 1, not {horizon}")
    if isinstance(target, Mapping):
        data, target = join_targets(data, target)
    duck = writer.duck
    with _readable_errors():
        source = open_source(duck, data, ticker_col, date_col)
        if target is None and not source.has_prices:
            absent = sorted({"open", "high", "low", "close", "volume"} - set(source.prices))
            raise InputError(
                f"this is neither prices (there is no {', '.join(absent)}) nor a panel "
                f"(no --target was named); columns: {', '.join(source.types)}"
            )
        if target is None:
            report, store = prepare_prices(duck, source, horizon, features_sql)
        else:
            report, store = prepare_panel(duck, source, target, horizon)
        if dry_run:
            return replace(report, dry_run=True)
        with writer.transaction():
            store()
    return report


@contextlib.contextmanager
def _readable_errors() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise InputError(f"cannot take this input: {first_line(error)}") from None


def read_features_sql(path: str | Path) -> str:
    """Text of a user's feature SQL.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read the feature SQL {path}: {error.strerror}") from None
