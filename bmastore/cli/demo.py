"""``bmastore demo``."""

import shutil
from pathlib import Path

import click

from bmastore.cli import messages
from bmastore.cli.options import FILE, Output, print_table, say


@click.command()
@click.option(
    "--store",
    type=FILE,
    default="bmastore-demo.duckdb",
    show_default=True,
    help="Where the made-up stocks go; an earlier demo there is replaced.",
)
def demo(store: Path) -> None:
    """Ingest, train and show made-up stocks with a planted signal."""
    from bmastore.cli.progress import progress
    from bmastore.datasets import HORIZON, TARGET, planted_panel
    from bmastore.models.config import TrainConfig
    from bmastore.reports.queries import named_query
    from bmastore.store import Store

    clear(store)
    opened, config, panel = Store(store), TrainConfig(preset="fast"), planted_panel()
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
