"""What views show of the panel, on a server: `series`, and the prices of the newest dates.

A server has no panel, and the views are to be the same there. What has changed is sent, and
nothing else.
"""

from typing import TYPE_CHECKING

import duckdb

from bmastore.storage.columns import registered
from bmastore.storage.copying import copy_text
from bmastore.storage.statements import run

if TYPE_CHECKING:
    from bmastore.storage.postgres import Server

# What a server was last sent, as `server/panel_stamp` tells it.
_STAMP = "panel_stamp"


def send_panel(duck: duckdb.DuckDBPyConnection, server: "Server") -> None:
    """Bring a server up to what a store's panel shows, in one transaction, if it is behind."""
    stamp = str(run(duck, "server/panel_stamp").fetchall()[0][0])
    if server.marks().get(_STAMP) == stamp:
        return
    with server.transaction():
        replace_changed(duck, server)
        server.mark(_STAMP, stamp)


def replace_changed(duck: duckdb.DuckDBPyConnection, server: "Server") -> dict[str, int]:
    """Send `series` and prices of stocks of which a server has others, inside a transaction.

    A stock's prices are sent whole where its `series` have changed or its dates are others: the
    250 newest are, whenever there is a newer one. Returns how many rows of each were sent.
    """
    from bmastore.storage.panel_schema import prices, series

    of_series = _changed(duck, server, "server/series_now", 2)
    of_prices = _changed(duck, server, "server/price_spans", 1) | {key[:1] for key in of_series}
    server.execute("server/name_changed")
    sent = {"series": 0, "prices": 0}
    for table, shown, keys, changed in (
        (series, "series", ("ticker", "target"), of_series),
        (prices, "v_prices", ("ticker",), of_prices),
    ):
        if not changed:
            continue
        named = dict(zip(keys, map(list, zip(*sorted(changed), strict=True)), strict=True))
        with registered(duck, "changed_stocks", named):
            server.copy(f"changed_{table.name}", keys, copy_text(duck, "changed_stocks", keys))
            server.execute(f"server/drop_changed_{table.name}")
            rows = f"(from {shown} semi join changed_stocks using ({', '.join(keys)}))"
            columns = table.columns.keys()
            sent[table.name] = server.copy(table.name, columns, copy_text(duck, rows, columns))
    return sent


def _changed(
    duck: duckdb.DuckDBPyConnection, server: "Server", name: str, n_keys: int
) -> set[tuple[str, ...]]:
    """Keys, the first columns of a query, of which the two databases have unlike rows."""
    here = set(run(duck, name).fetchall())
    there = {tuple(row.values()) for row in server.rows(name)}
    return {row[:n_keys] for row in here ^ there}
