"""Rows go to PostgreSQL as text, and are the same there to the bit."""

import duckdb
import psycopg

from bmastore.storage.copying import copy_text

ROWS = """(
    select i, text, number, small::float as small, list, day, moment,
        [text, 'a,b', null, e'"{\\t}\\\\'] as texts, [i, null]::integer[] as counts
    from (values
        (1, 'plain', 0.1::double + 0.2::double, 0.1::float, [0.1, 3e-30]::float[],
            date '2024-02-29', timestamp '2024-02-29 12:00:00.000001'),
        (2, e'tab\\t line\\n back\\\\slash \\\\N return\\r', 'nan', 'inf', []::float[],
            date '1900-01-01', timestamp '2024-01-01'),
        (3, '', 1e-300, -1e30, null, null, null),
        (4, null, null, null, [0]::float[], null, null),
        (5, '\\N', 1.7976931348623157e308, 16777217, [1]::float[], date '2100-12-31', null)
    ) as rows(i, text, number, small, list, day, moment)
)"""
COLUMNS = ("moment", "i", "text", "number", "small", "list", "day", "texts", "counts")


def test_every_value_arrives_as_it_was(url):
    with duckdb.connect() as duck, psycopg.connect(url) as there:
        there.execute(
            "create table t (i integer, text varchar, number double precision, small real, "
            "list real[], day date, moment timestamp, texts varchar[], counts integer[])"
        )
        blocks = copy_text(duck, ROWS, COLUMNS)
        into = f"copy t ({', '.join(COLUMNS)}) from stdin"
        with there.cursor() as cursor, cursor.copy(into) as copying:
            for block in blocks:
                copying.write(block)
        # PostgreSQL writes single precision with fewer digits.
        listed = "moment, i, text, number, small::float8, list::float8[], day, texts, counts"
        found = there.execute(f"select {listed} from t order by i").fetchall()
        expected = duck.execute(f"select {listed} from {ROWS} order by i").fetchall()
    assert list(map(repr, found)) == list(map(repr, expected))


def test_what_postgresql_cannot_store_is_left_out_of_text(url):
    with duckdb.connect() as duck, psycopg.connect(url) as there:
        there.execute("create table t (text varchar)")
        with there.cursor() as cursor, cursor.copy("copy t (text) from stdin") as copying:
            for block in copy_text(duck, "(select 'a' || chr(0) || 'b' as text)", ("text",)):
                copying.write(block)
        assert there.execute("select text from t").fetchall() == [("ab",)]
