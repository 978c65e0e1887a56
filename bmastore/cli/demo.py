"""``bmastore demo``."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bmastore.cli import messages
from bmastore.cli.kinds import FILE
from bmastore.cli.options import Output, print_table, say

if TYPE_CHECKING:
    import pandas as pd

    from bmastore.models.config import TrainConfig
    from bmastore.store import Store


@click.command()
@click.option(
    "--store",
    type=FILE,
    default="bmastore-demo.duckdb",
    show_default=True,
    help="Where the made-up stocks go; an earlier demo there is replaced.",
)
@click.option("--dashboard", "shows", is_flag=True, help="Then show them in the browser.")
def demo(store: Path, shows: bool) -> None:
    """Ingest, train and show made-up stocks with a planted signal."""
    from bmastore.datasets import HORIZON, TARGET, planted_panel
    from bmastore.models.config import TrainConfig
    from bmastore.progress import progress
    from bmastore.reports.queries import named_query
    from bmastore.store import Store

    clear(store)
    opened, config, panel = Store(store), TrainConfig(preset="fast"), planted_panel()
    if shows:
        _show(opened, panel, config)
        return
    with progress(on_terminal=False) as show:
        say(["1. ingest a panel of made-up stocks, one of whose features drives returns"])
        say(messages.ingested(opened.ingest(panel, target=TARGET, horizon=HORIZON)))
        say(["2. train"])
        say(messages.trained(opened.train(config, on_progress=show), store))
        say(["3. train again: nothing is pending"])
        say(messages.trained(opened.train(config), store))
        say(["4. revise one stock and train: only that one"])
        revised = panel[panel["ticker"] == "DEMO03"].tail(20).copy()
        revised["momentum"] += 0.1
        opened.ingest(revised, target=TARGET, horizon=HORIZON)
        say(messages.trained(opened.train(config), store))
        say(["5. read the results with SQL: bmastore sql --named weights_by_member"])
        print_table(opened.query(named_query("weights_by_member")), Output())
    say([f"Look around: bmastore sql 'from v_predictions' --store {store}"])


def _show(opened: "Store", panel: "pd.DataFrame", config: "TrainConfig") -> None:
    """A few weeks of made-up passes and a backtest, in the browser."""
    from bmastore.cli.dashboard import serve
    from bmastore.datasets import HORIZON, TARGET, known_on

    days = sorted(panel["date"].unique())
    for day in (days[-24], days[-18], days[-12], days[-6], days[-1]):
        say([f"ingest what is known on {day:%Y-%m-%d}, and train"])
        opened.ingest(known_on(panel, day), target=TARGET, horizon=HORIZON)
        opened.train(config)
    say(["backtest"])
    opened.backtest(config, cutoffs=2, every=20)
    serve(opened.path, port=0, opens=True, has_sql=True)


def clear(path: Path) -> None:
    """Remove what an earlier demo left.

    Raises
    ------
    StoreError
        If the store at ``path`` holds other stocks than the demo's.
    """
    from bmastore.errors import StoreError
    from bmastore.storage.paths import models_path, remove_store, results_path
    from bmastore.store import Store

    if not path.exists():
        return
    others = Store(path).query("select count(*) from series where ticker not like 'DEMO%'")
    if others.rows != [(0,)]:
        raise StoreError(f"{path} holds real stocks; name another file for the demo with --store")
    remove_store(path)
    results_path(path).unlink(missing_ok=True)
    shutil.rmtree(models_path(path), ignore_errors=True)
