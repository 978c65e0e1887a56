"""A connection that follows renewals of the published results."""

import shutil
import threading

import duckdb
import pytest

import bmastore
from bmastore.errors import StoreNotFoundError
from bmastore.storage.paths import results_path


def renewed(store, number):
    """The results with a number in them, written aside and renamed, as a pass renews them."""
    target = results_path(store.path)
    aside = target.with_name(f"{number}.tmp")
    shutil.copyfile(target, aside)
    with duckdb.connect(str(aside)) as duck:
        duck.execute("delete from meta where name = 'number'")
        duck.execute("insert into meta values ('number', ?)", [str(number)])
    aside.replace(target)


def number_in(connection):
    ask = "select value from meta where name = 'number'"
    return int(connection.execute(ask).fetchall()[0][0])


def test_it_reads_views_by_name_and_cannot_write(trained):
    with bmastore.connect(trained.path) as connection:
        assert (
            connection.sql("from v_status").fetchall()
            == connection.execute("from v_status").fetchall()
        )
        for wrong in ("drop view v_status", "attach 'x.duckdb'", "copy v_runs to 'x.csv'"):
            with pytest.raises(duckdb.Error):
                connection.execute(wrong)
    with bmastore.connect(results_path(trained.path)) as connection:
        assert connection.execute("select count(*) from v_status").fetchall()[0][0] > 0


def test_before_anything_is_published_it_says_what_to_do(tmp_path):
    with pytest.raises(StoreNotFoundError, match="bmastore ingest"):
        bmastore.connect(tmp_path / "none.duckdb")


def test_rows_of_an_older_result_can_still_be_fetched(trained):
    with bmastore.connect(trained.path) as connection:
        renewed(trained, 1)
        old = connection.execute("select range from range(100000)")
        first = old.fetchmany(10)
        renewed(trained, 2)
        assert number_in(connection) == 2
        assert len(first) + len(old.fetchall()) == 100_000


def test_four_threads_never_see_a_stale_result_nor_fail(trained):
    """What a thread reads is at least as new as what had been published when it asked."""
    renewed(trained, 0)
    published, stop, faults, reads = [0], threading.Event(), [], []

    def read(connection):
        while not stop.is_set():
            least = published[0]
            try:
                seen = number_in(connection)
            except Exception as error:  # noqa: BLE001  whatever it is, it is a failure
                faults.append(repr(error))
                return
            reads.append(seen)
            if seen < least:
                faults.append(f"read {seen}, {least} had been published")

    with bmastore.connect(trained.path) as connection:
        threads = [threading.Thread(target=read, args=[connection]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(1, 201):
            renewed(trained, number)
            published[0] = number
        stop.set()
        for thread in threads:
            thread.join()
    assert faults == []
    assert len(reads) > 200
