"""Schema 0003: prices come out of an older store as they were given to it."""

import duckdb

from bmastore import Store
from bmastore.storage.migrate import upgrade_store
from bmastore.storage.session import connected
from tests.helpers import digests, make_prices


def test_a_price_of_seven_digits_is_what_was_given_after_a_migration(tmp_path):
    path = tmp_path / "bma.duckdb"
    with connected(path) as writer:
        upgrade_store(writer, "0002")
        writer.duck.execute(
            "insert into prices values "
            "('A', date '2023-01-02', 123.45, 0.1, 1e-5, 98765.43, 7, null)"
        )
        upgrade_store(writer)
    with duckdb.connect(str(path)) as duck:
        row = duck.execute("select open, high, low, close, volume, adj_close from prices")
        assert row.fetchall() == [(123.45, 0.1, 1e-5, 98765.43, 7.0, None)]


def test_what_was_given_as_float_computes_the_features_that_it_always_did(store, tmp_path):
    as_float = make_prices().astype(dict.fromkeys(["Open", "High", "Low", "Close"], "float32"))
    as_float["Adj Close"] = as_float["Close"]
    store.ingest(as_float)
    wide = Store(tmp_path / "wide.duckdb")
    wide.ingest(as_float.astype(dict.fromkeys(["Open", "High", "Low", "Close"], "float64")))
    assert digests(wide) == digests(store)
