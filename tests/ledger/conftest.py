"""A ledger in each place where it may lie: every promise is held in all of them."""

import shutil

import pytest

from bmastore import Store
from bmastore.datasets import known_on
from tests.helpers import FAST, HORIZON, TARGET

# How many days before the newest one the stores that live through nights begin.
BEGIN = -20


@pytest.fixture(params=["duckdb", "postgresql"])
def place(request):
    """Where the ledger lies: beside the panel, or on a server."""
    return request.param


@pytest.fixture
def blank(request, place, tmp_path):
    """A store that does not exist yet, whose ledger is to lie in either place."""
    url = request.getfixturevalue("url") if place == "postgresql" else None
    return Store(tmp_path / "kept" / "bma.duckdb", ledger=url)


def as_copy(blank, of):
    """A blank store as a copy of another; one with its ledger on a server could be no copy."""
    shutil.copytree(of.path.parent, blank.path.parent)
    return blank


@pytest.fixture
def kept(place, blank, panel, _filled_once):
    """A store with the made-up panel, not trained, whose ledger lies in either place."""
    if place == "duckdb":
        return as_copy(blank, _filled_once)
    blank.path.parent.mkdir()
    blank.ingest(panel, target=TARGET, horizon=HORIZON)
    return blank


def begin(store, panel):
    day = sorted(panel["date"].unique())[BEGIN]
    store.ingest(known_on(panel, day), target=TARGET, horizon=HORIZON)
    store.train(FAST)
    return store


@pytest.fixture(scope="session")
def _begun_once(tmp_path_factory, panel):
    return begin(Store(tmp_path_factory.mktemp("begun") / "bma.duckdb"), panel)


@pytest.fixture
def begun(place, blank, panel, _begun_once):
    """A store that was trained on a day of the panel, whose ledger lies in either place."""
    if place == "duckdb":
        return as_copy(blank, _begun_once)
    blank.path.parent.mkdir()
    return begin(blank, panel)
