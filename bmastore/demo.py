"""A made-up universe with a planted signal: bmastore in under a minute, without any data."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bmastore import messages, report
from bmastore.config import TrainConfig
from bmastore.errors import StoreError
from bmastore.storage.session import models_path, open_reader, remove_store, results_path
from bmastore.store import Store
from bmastore.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from bmastore.dispatch import Progress

HORIZON = 5
TARGET = "forward_return"


def universe(
    n_stocks: int = 24, n_days: int = 420, signal: float = 0.5, seed: int = 7
) -> "pd.DataFrame":
    """A panel in which the feature ``momentum`` drives the next days' return and the others do not.

    Parameters
    ----------
    n_stocks, n_days:
        Size; dates are weekdays from 2022-01-03 on.
    signal:
        Correlation of the driving feature with the target, 0 to 1; 0 gives pure noise.
    seed:
        Of the random numbers.

    Returns
    -------
    Frame with ticker, date, five features, and the target ``forward_return``
    over five days, which the last five rows of each stock lack.
    """
    import pandas as pd

    random = np.random.default_rng(seed)
    days = pd.bdate_range("2022-01-03", periods=n_days).astype("datetime64[s]")
    parts = []
    for i in range(n_stocks):
        features = random.standard_normal((n_days, 5)).astype(np.float32)
        noise = random.standard_normal(n_days)
        target = 0.03 * (signal * features[:, 0] + np.sqrt(1 - signal**2) * noise)
        target[-HORIZON:] = np.nan
        names = ("momentum", "value", "carry", "size", "season")
        parts.append(
            pd.DataFrame(
                {
                    "ticker": f"DEMO{i:02d}",
                    "date": days,
                    **dict(zip(names, features.T, strict=True)),
                    TARGET: target,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def play(
    path: Path, say: Callable[[str], None], on_progress: "Callable[[Progress], None]"
) -> Table:
    """Ingest, train, train again, revise a stock, train; returns the members' mean weights.

    Raises
    ------
    StoreError
        If the store at ``path`` holds other stocks than the demo's.
    """
    clear(path)
    store, config, panel = Store(path), TrainConfig(preset="fast"), universe()

    def tell(lines: list[str]) -> None:
        for line in lines:
            say(line)

    say("1. ingest a panel of made-up stocks, one of whose features drives returns")
    tell(messages.ingested(store.ingest(panel, target=TARGET, horizon=HORIZON)))
    say("2. train")
    tell(messages.trained(store.train(config, on_progress=on_progress), path))
    say("3. train again: nothing is pending")
    tell(messages.trained(store.train(config), path))
    say("4. revise one stock and train: only that one")
    revised = panel[panel["ticker"] == "DEMO03"].tail(20).copy()
    revised["momentum"] += 0.1
    store.ingest(revised, target=TARGET, horizon=HORIZON)
    tell(messages.trained(store.train(config), path))
    say("5. read the results with SQL: bmastore sql --named weights_by_member")
    with open_reader(path) as reader:
        return report.query(reader, report.named_query("weights_by_member"))


def clear(path: Path) -> None:
    """Remove what an earlier demo left.

    Raises
    ------
    StoreError
        If the store at ``path`` holds other stocks than the demo's.
    """
    if not path.exists():
        return
    with open_reader(path) as reader:
        others = reader.duck.execute(
            "select count(*) from series where ticker not like 'DEMO%'"
        ).fetchall()[0][0]
    if others:
        raise StoreError(f"{path} holds real stocks; name another file for the demo with --store")
    remove_store(path)
    results_path(path).unlink(missing_ok=True)
    shutil.rmtree(models_path(path), ignore_errors=True)
