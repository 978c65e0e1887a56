"""A ledger in each place where it may lie: every promise is held in all of them."""

import pytest

from bmastore import Store
from tests.helpers import HORIZON, TARGET


@pytest.fixture(params=["duckdb", "postgresql"])
def kept(request, tmp_path, panel):
    """A store with the made-up panel, not trained, whose ledger lies in DuckDB or on a server."""
    url = request.getfixturevalue("url") if request.param == "postgresql" else None
    store = Store(tmp_path / "kept.duckdb", ledger=url)
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    return store
