"""The panel as a file: prices as they were given, or features and targets by date."""

from pathlib import Path

import duckdb

from bmastore.errors import BmastoreError, ConfigError, StoreError
from bmastore.panel.series import feature_columns, target_horizons
from bmastore.storage.session import open_reader
from bmastore.storage.statements import literal, quoted

PARTS = ("prices", "features")


def export_panel(store: Path, what: str, output: Path, fmt: str = "parquet") -> int:
    """Write a part of the panel to a file, row by row; returns how many rows.

    Raises
    ------
    ConfigError
        If there is no such part or format.
    StoreLockedError
        If another process holds the store: the panel is not published.
    BmastoreError
        If the file cannot be written.
    """
    if what not in PARTS or fmt not in ("parquet", "csv"):
        raise ConfigError(f"export gives {' or '.join(PARTS)}, as parquet or csv")
    with open_reader(store, needs_panel=True) as reader:
        features, targets = feature_columns(reader.duck), list(target_horizons(reader.duck))
    query = "from panel.prices order by ticker, date"
    if what == "features":
        query = _features(features, targets)
    options = "format parquet, compression zstd" if fmt == "parquet" else "format csv, header"
    with duckdb.connect() as duck:
        try:
            duck.execute(f"attach {literal(str(store))} as panel (read_only)")
            duck.execute(f"copy ({query}) to {literal(str(output))} ({options})")
            return int(duck.execute(f"select count(*) from panel.{what}").fetchall()[0][0])  # noqa: S608
        except duckdb.IOException as error:
            reason = str(error).splitlines()[0]
            if "lock" in reason.lower():
                raise StoreError(f"cannot read {store} now: {reason}") from None
            raise BmastoreError(f"cannot write {output}: {reason}") from None


def _features(features: tuple[str, ...], targets: list[str]) -> str:
    columns = ["f.ticker", "f.date", *(f"f.{quoted(name)}" for name in features)]
    joins = []
    for i, target in enumerate(targets):
        columns.append(f"t{i}.value as {quoted(target)}")
        joins.append(
            f"left join panel.targets as t{i} on t{i}.ticker = f.ticker "
            f"and t{i}.date = f.date and t{i}.target = {literal(target)}"
        )
    return (
        f"select {', '.join(columns)} from panel.features as f {' '.join(joins)} "  # noqa: S608
        "order by f.ticker, f.date"
    )
