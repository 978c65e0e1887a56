"""The panel as a file: prices as they were given, or features and targets by date."""

from pathlib import Path

import duckdb

from bmastore.errors import BmastoreError, ConfigError
from bmastore.panel.series import feature_columns, target_horizons
from bmastore.storage.outputs import Kind, written_whole
from bmastore.storage.session import not_found, open_dry
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
    if not store.exists():
        raise not_found(store)
    options = "format parquet, compression zstd" if fmt == "parquet" else "format csv, header"
    kind: Kind = "parquet" if fmt == "parquet" else "text"
    with open_dry(store) as session, written_whole(output, kind) as file:
        duck = session.duck
        query = "from prices order by ticker, date"
        if what == "features":
            query = _features(feature_columns(duck), list(target_horizons(duck)))
        try:
            duck.execute(f"copy ({query}) to {literal(str(file))} ({options})")
        except duckdb.IOException as error:
            if str(store) in str(error):
                raise
            raise BmastoreError(f"cannot write {output}: {str(error).splitlines()[0]}") from None
        return int(duck.execute(f"select count(*) from {what}").fetchall()[0][0])  # noqa: S608


def _features(features: tuple[str, ...], targets: list[str]) -> str:
    columns = ["f.ticker", "f.date", *(f"f.{quoted(name)}" for name in features)]
    joins = []
    for i, target in enumerate(targets):
        columns.append(f"t{i}.value as {quoted(target)}")
        joins.append(
            f"left join targets as t{i} on t{i}.ticker = f.ticker "
            f"and t{i}.date = f.date and t{i}.target = {literal(target)}"
        )
    return (
        f"select {', '.join(columns)} from features as f {' '.join(joins)} "  # noqa: S608
        "order by f.ticker, f.date"
    )
