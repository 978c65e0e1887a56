"""A ledger in each place where it may lie: every promise is held in all of them."""

import pytest

from bmastore import Store
from tests.helpers import HORIZON, TARGET


@pytest.fixture(params=["duckdb", "postgresql"])
def blank(request, tmp_path):
    """A store that does not exist yet, whose ledger is to lie in DuckDB or on a server."""
    url = request.getfixturevalue("url") if request.param == "postgresql" else None
    return Store(tmp_path / "kept.duckdb", ledger=url)


@pytest.fixture
def kept(blank, panel):
    """A store with the made-up panel, not trained, whose ledger lies in either place."""
    blank.ingest(panel, target=TARGET, horizon=HORIZON)
    return blank
