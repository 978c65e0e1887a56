"""Passwords are shown nowhere."""

import pytest

from bmastore.errors import BmastoreError, ConfigError
from bmastore.storage.urls import masked, masked_command, parse_url, shown
from tests.helpers import HORIZON, TARGET

SHOWN = "PW"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:xPWx@localhost:1/none",
        "postgresql://me:x%40PWx@localhost:1/none",
        "postgresql://me:x@PWx@localhost:1/none",
        "postgresql://me:x PW@localhost:1/none",
        "postgresql://me:x/PW@localhost:1/none",
        "postgresql://localhost:1/none?user=me&password=xPWx",
        "postgresql://localhost:xPWx/none",
        "postgresql://localhost:1/none?sslpassword=PW&connect_timeout=PW",
        "me:xPWx@localhost/none",
        "nonsense PW",
    ],
)
def test_no_message_about_a_database_shows_a_password(store, panel, url):
    def ingest_into_ledger():
        store.ledger = url
        store.ingest(panel, target=TARGET, horizon=HORIZON)

    for attempt in (ingest_into_ledger, lambda: store.ingest(from_url=url, query="select 1")):
        with pytest.raises(BmastoreError) as caught:
            attempt()
        assert SHOWN not in str(caught.value)


def test_a_secret_is_masked_as_it_is_and_as_it_is_quoted():
    url = parse_url("postgresql://me:a%40b c@localhost/d?sslpassword=s3")
    text = "could not use a@b c, a%40b+c, a%40b%20c or s3"
    assert masked(text, url) == "could not use ***, ***, *** or ***"


def test_a_password_with_an_at_sign_is_told_how_to_write_it():
    with pytest.raises(ConfigError, match="%40"):
        parse_url("postgresql://me:a@b@host/d")


def test_the_command_of_another_process_shows_no_url():
    command = [
        "bmastore",
        "train",
        "--ledger",
        "postgresql://me:x PW@host/d",
        "--store",
        "a.duckdb",
    ]
    assert masked_command(command) == "bmastore train --ledger *** --store a.duckdb"
    assert masked_command(["x", "me:PW@host/d", "password=PW"]) == "x *** ***"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("local:4", "local:4"),
        ("tcp://scheduler:8786", "tcp://scheduler:8786"),
        ("tls://me:hush@scheduler:8786", "tls://me:***@scheduler:8786"),
        ("postgresql://me@host/db?sslpassword=hush", "postgresql://me@host/db?sslpassword=***"),
        ("postgresql://me:hu@sh@host/db", "***"),
        ("host=db password=hush", "***"),
    ],
)
def test_what_is_shown_of_a_setting_has_no_secret(text, seen):
    assert shown(text) == seen
