"""``verify`` tells what is wrong with a store, and ``recover`` saves what is not."""

import json
import random
import shlex
import shutil

import duckdb
import psycopg
import pytest

from bmastore import PassOptions, Store
from bmastore.datasets import known_on
from bmastore.errors import (
    ConfigError,
    StoreError,
    StoreLockedError,
    StoreNotFoundError,
    UnknownTickerError,
)
from bmastore.storage.paths import models_path, results_path
from tests.helpers import (
    FAST,
    HORIZON,
    TARGET,
    cli,
    digests,
    files_below,
    make_prices,
    statuses,
)

BLOCK = 256 * 1024
HEADERS = 3 * 4096


def damage_block_of(store, table, column=None):
    """Flip a bit in a block that holds rows of a table, of this column alone if one is named."""
    alone = "group by block_id having count(*) = 1 and bool_and(column_name = $column)"
    with duckdb.connect(str(store.path), read_only=True) as duck:
        block = duck.execute(
            f"select block_id from pragma_storage_info('{table}') where block_id >= 0 "
            f"{alone if column else ''} order by block_id desc limit 1",
            {"column": column} if column else None,
        ).fetchall()[0][0]
    content = bytearray(store.path.read_bytes())
    content[HEADERS + block * BLOCK + 1000] ^= 1
    store.path.write_bytes(content)


def problems(store):
    return {(one.what, one.mended_by) for one in store.verify().findings}


def test_a_whole_store_is_whole_and_nothing_is_changed(trained):
    before = files_below(trained.path.parent)
    done = cli("verify", "--store", trained.path)
    assert "is whole" in done.stderr
    assert files_below(trained.path.parent) == before
    found = trained.verify()
    assert (found.findings, found.models) == ((), 6)
    assert found.rows > 2 * 1920


@pytest.mark.parametrize("table", ["features", "targets", "folds"])
def test_a_flipped_bit_is_found_in_its_table(trained, table):
    damage_block_of(trained, table)
    assert (table, "bmastore recover NEW") in problems(trained)
    done = cli("verify", "--store", trained.path, check=1)
    assert "checksum" in done.stdout
    assert "wrong" in done.stderr


def test_a_store_that_does_not_open_is_found_too(trained):
    trained.path.write_bytes(trained.path.read_bytes()[: BLOCK + HEADERS])
    assert ("bma.duckdb", "bmastore recover NEW") in problems(trained)
    done = cli("status", "--store", trained.path, check=2)
    assert "`bmastore verify` tells what is damaged" in done.stderr


def test_models_that_are_lost_or_damaged_are_found(trained):
    folder = models_path(trained.path)
    sha = dict(trained.sql("select ticker, artifact_sha256 from v_latest").itertuples(index=False))
    paths = {ticker: folder / one[:2] / f"{one}.bma" for ticker, one in sha.items()}
    paths["DEMO01"].unlink()
    paths["DEMO03"].write_bytes(paths["DEMO04"].read_bytes())
    assert problems(trained) == {
        (f"model of {ticker}", f"bmastore train --all --tickers {ticker}")
        for ticker in ("DEMO01", "DEMO03")
    }
    (folder / "store.id").write_text("0" * 32)
    assert "bma.models" in dict(problems(trained))


def test_a_stock_of_any_name_is_trained_again_by_the_command_that_is_told(store, panel):
    names = {"DEMO01": "Smith, Wesson & Co; touch bad", "DEMO02": 'O\'Neil "x"'}
    odd = panel[panel["ticker"].isin(names)].replace({"ticker": names})
    store.ingest(odd, target=TARGET, horizon=HORIZON)
    store.train(FAST)
    shutil.rmtree(models_path(store.path))
    remedies = {remedy for _, remedy in problems(store)}
    assert len(remedies) == len(names)
    for remedy in remedies:
        _, *typed = shlex.split(remedy)
        done = cli(*typed, "--json", "--preset", "ultrafast", "--store", store.path)
        assert json.loads(done.stdout)["trained"] == 1
    assert problems(store) == set()


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("insert into ledger from ledger where ticker = 'DEMO01'", "ledger"),
        ("update ledger set weights = list_transform(weights, lambda w: w * 0.9)", "ledger"),
        ("update standings set current_entry = null where ticker = 'DEMO02'", "standings"),
        ("delete from predictions where ticker = 'DEMO02'", "predictions"),
        ("update predictions set q05 = q95 + 1 where ticker = 'DEMO02'", "predictions"),
        ("delete from runs", "ledger"),
        ("update features set momentum = 7 where ticker = 'DEMO05'", "series"),
        ("delete from targets where ticker = 'DEMO05' and date < '2022-02-01'", "series"),
        ("insert into features from features where ticker = 'DEMO00' limit 1", "features"),
        ("update targets set label_end = date - 1 where ticker = 'DEMO00'", "targets"),
        ("update folds set n_test = n_test + 1 where ticker = 'DEMO00'", "folds"),
    ],
)
def test_rows_that_break_a_promise_are_found(trained, statement, what):
    with duckdb.connect(str(trained.path)) as duck:
        duck.execute(statement)
    assert what in {name for name, _ in problems(trained)}


def test_results_that_are_not_those_of_the_store_are_found(trained):
    with duckdb.connect(str(results_path(trained.path))) as duck:
        duck.execute("update ledger set oof_rows = 1 - oof_rows")
    assert problems(trained) == {("bma.results.duckdb", "delete it, then bmastore train")}
    results_path(trained.path).unlink()
    trained.train(FAST)
    assert problems(trained) == set()
    results_path(trained.path).unlink()
    results_path(trained.path).write_bytes(b"garbage")
    assert problems(trained) == {("bma.results.duckdb", "move it away, then bmastore train")}
    trained.train(FAST)
    assert problems(trained) == set()


def test_a_ledger_on_a_server_is_verified_where_it_is(tmp_path, url, panel):
    store = Store(tmp_path / "bma.duckdb", ledger=url)
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    store.train(FAST)
    assert store.verify().findings == ()
    assert {one.mended_by for one in Store(store.path).verify().findings} == {
        "bmastore verify --ledger URL"
    }
    with psycopg.connect(url, autocommit=True) as there:
        there.execute("delete from predictions where ticker = 'DEMO02'")
    wrong = {"predictions", "standings", "bma.results.duckdb"}
    assert {what for what, _ in problems(store)} == wrong


def test_a_ledger_is_looked_for_where_it_lies_and_nowhere_else(tmp_path, url, panel, trained):
    elsewhere = "postgresql://me@127.0.0.1:1/db"
    store = Store(tmp_path / "bma.duckdb", ledger=url)
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    for path in (store.path, trained.path):
        with pytest.raises(StoreError, match=r"the ledger of .* lies in"):
            Store(path, ledger=elsewhere).verify()


def test_results_that_a_killed_pass_has_left_behind_its_ledger_are_not_damaged(
    tmp_path, url, panel
):
    store = Store(tmp_path / "bma.duckdb", ledger=url)
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    store.train(FAST)
    with psycopg.connect(url, autocommit=True) as there:
        there.execute("update runs set status = 'running', trained = trained - 1")
    assert problems(store) == set()


# --- recover ------------------------------------------------------------------------------


def recovered(store, name="new"):
    return Store(store.path.parent.parent / f"{name}.duckdb")


def test_a_whole_store_is_recovered_whole(trained):
    before = files_below(trained.path.parent)
    found = trained.recover(recovered(trained).path)
    assert found.lost == ()
    assert files_below(trained.path.parent) == before
    new = recovered(trained)
    assert new.verify().findings == ()
    assert digests(new) == digests(trained)
    assert new.train(FAST).selected == 0
    assert new.predict().frame.equals(trained.predict().frame)


@pytest.mark.parametrize(
    "table", ["features", "targets", "folds", "predictions", "ledger", "series"]
)
def test_after_a_flipped_bit_only_what_is_lost_is_to_be_done_again(trained, panel, table):
    before = digests(trained)
    damage_block_of(trained, table)
    done = cli("recover", recovered(trained).path, "--store", trained.path, check=None)
    assert done.returncode in (0, 1), done.stderr
    new = recovered(trained)
    kept = digests(new)
    # What is kept is what was there; a stock of which a row is lost is left out.
    assert kept.items() <= before.items()
    if kept != before:
        assert "again" in done.stderr
    if kept:
        assert new.train(FAST).selected == 0
    new.ingest(panel, target=TARGET, horizon=HORIZON)
    assert digests(new) == before
    assert new.train(FAST).selected == 0
    assert new.verify().findings == ()
    assert set(statuses(new).values()) == {"trained"}


@pytest.mark.parametrize(
    ("table", "column"), [("prices", "close"), ("features", "vol_20"), ("targets", "value")]
)
def test_stocks_of_which_no_row_is_lost_stay_as_they_are(tmp_path, table, column):
    (tmp_path / "s").mkdir()
    store = Store(tmp_path / "s" / "bma.duckdb")
    prices = make_prices(n_stocks=500, n_days=300)
    store.ingest(prices)
    before = digests(store)
    damage_block_of(store, table, column)
    (said,) = store.recover(tmp_path / "new.duckdb").lost
    new = Store(tmp_path / "new.duckdb")
    kept = digests(new)
    assert kept.items() <= before.items()
    assert 0 < len(kept) < 500
    assert f"rows of {500 - len(kept):,} stocks" in said
    per_stock = "select count(*) as n from prices group by ticker"
    assert set(new.sql(per_stock)["n"]) == {300}
    new.ingest(prices)
    assert digests(new) == before
    assert new.verify().findings == ()


def test_stocks_whose_models_are_lost_are_pending_and_no_others(trained):
    folder = models_path(trained.path)
    sha = dict(trained.sql("select ticker, artifact_sha256 from v_latest").itertuples(index=False))
    (folder / sha["DEMO01"][:2] / f"{sha['DEMO01']}.bma").unlink()
    found = trained.recover(recovered(trained).path)
    assert found.lost == ("models of 1 stocks, which are pending now: DEMO01",)
    new = recovered(trained)
    assert [ticker for ticker, now in statuses(new).items() if now != "trained"] == ["DEMO01"]
    assert new.train(FAST).trained == 1
    assert new.verify().findings == ()


def test_an_older_entry_does_not_stand_in_for_a_lost_model(filled, panel):
    days = sorted(panel["date"].unique())
    for day in days[-3:-1]:
        filled.ingest(known_on(panel, day), target=TARGET, horizon=HORIZON)
        filled.train(FAST)
    sha = dict(filled.sql("select ticker, artifact_sha256 from v_latest").itertuples(index=False))
    (models_path(filled.path) / sha["DEMO01"][:2] / f"{sha['DEMO01']}.bma").unlink()
    filled.recover(recovered(filled).path)
    new = recovered(filled)
    assert problems(new) == {("model of DEMO01", "bmastore train --all --tickers DEMO01")}
    with pytest.raises(UnknownTickerError, match="DEMO01"):
        new.predict(tickers=["DEMO01"])
    assert new.train(FAST, PassOptions(stale_after=5)).trained == 1
    assert new.predict().failures == {}
    assert new.verify().findings == ()


def test_a_store_that_does_not_open_gives_its_ledger_from_what_was_published(trained, panel):
    trained.path.write_bytes(trained.path.read_bytes()[: BLOCK + HEADERS])
    done = cli("recover", recovered(trained).path, "--store", trained.path, check=1)
    assert "everything" in done.stderr
    new = recovered(trained)
    new.ingest(panel, target=TARGET, horizon=HORIZON)
    assert new.train(FAST).selected == 0
    assert new.predict().failures == {}
    assert new.verify().findings == ()


def test_a_store_that_is_gone_gives_its_ledger_too(trained, panel):
    trained.path.unlink()
    assert trained.recover(recovered(trained).path).lost
    new = recovered(trained)
    new.ingest(panel, target=TARGET, horizon=HORIZON)
    assert new.train(FAST).selected == 0


def test_bits_flipped_anywhere_leave_a_store_that_can_be_recovered(trained, panel):
    whole, before = trained.path.read_bytes(), digests(trained)
    chance = random.Random(7)
    for i in range(12):
        content = bytearray(whole)
        for _ in range(3):
            content[chance.randrange(HEADERS, len(content))] ^= 1 << chance.randrange(8)
        trained.path.write_bytes(content)
        new = recovered(trained, f"new{i}")
        trained.recover(new.path)
        assert digests(new).items() <= before.items()
        new.ingest(panel, target=TARGET, horizon=HORIZON)
        assert new.train(FAST).selected == 0
        assert new.verify().findings == ()


def test_a_ledger_on_a_server_that_is_gone_is_recovered_into_the_store(tmp_path, url, panel):
    (tmp_path / "s").mkdir()
    store = Store(tmp_path / "s" / "bma.duckdb", ledger=url)
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    store.train(FAST)
    (lost,) = Store(store.path).recover(tmp_path / "new.duckdb").lost
    assert "holds what was published" in lost
    assert Store(tmp_path / "new.duckdb").train(FAST).selected == 0
    with pytest.raises(StoreError, match=r"lies in postgresql://.*, not in"):
        Store(store.path, ledger=f"{url}_of_another").recover(tmp_path / "wrong.duckdb")
    assert not (tmp_path / "wrong.duckdb").exists()
    assert store.recover(tmp_path / "kept.duckdb").lost == ()
    assert Store(tmp_path / "kept.duckdb", ledger=url).train(FAST).selected == 0


def test_nothing_is_written_over_and_nothing_recovered_from_nothing(tmp_path, trained):
    with pytest.raises(ConfigError, match="is there already"):
        trained.recover(trained.path)
    with pytest.raises(StoreNotFoundError):
        Store(tmp_path / "none.duckdb").recover(tmp_path / "new.duckdb")
    trained.path.write_bytes(b"x" * 10_000)
    results_path(trained.path).unlink()
    with pytest.raises(StoreError, match="neither"):
        trained.recover(tmp_path / "new.duckdb")
    assert not (tmp_path / "new.duckdb").exists()


def test_a_store_that_is_being_written_is_left_alone(tmp_path, trained):
    with duckdb.connect(str(trained.path)):
        cli("recover", tmp_path / "new.duckdb", "--store", trained.path, check=3)
        cli("verify", "--store", trained.path, check=3)
    with pytest.raises(StoreLockedError), duckdb.connect(str(trained.path)):
        trained.verify()
