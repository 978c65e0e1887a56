"""What pooled models learn from: the labels of all stocks, however many there are."""

import numpy as np
import pandas as pd

from bmastore.panel.labels import read_labels
from bmastore.storage.session import open_reader
from tests.helpers import TARGET

# More than are looked at at once.
STOCKS, ROWS = 4_321, 9


def test_each_stock_has_the_typical_move_that_was_known_on_a_day(store):
    days = pd.bdate_range("2024-01-01", periods=ROWS)
    panel = pd.DataFrame(
        {
            "ticker": np.repeat([f"S{i:05}" for i in range(STOCKS)], ROWS),
            "date": np.tile(days, STOCKS),
            "f": np.arange(STOCKS * ROWS, dtype=float),
            TARGET: np.random.default_rng(0).normal(size=STOCKS * ROWS),
        }
    )
    store.ingest(panel, target=TARGET, horizon=1)
    known = days[6]
    with open_reader(store.path, needs_panel=True) as reader:
        found = read_labels(reader.duck, TARGET, 1, ("f",), days[-1], [known], 3)
    before = panel.assign(end=panel.groupby("ticker")["date"].shift(-1))
    moves = (
        before[before["end"] < known]
        .groupby("ticker")[TARGET]
        .apply(lambda values: values.abs().median())
    )
    assert found.n_stocks == STOCKS
    np.testing.assert_allclose(found.moves[0], moves.sort_index())
