"""Published results hold little room that is free, and packing them changes nothing else."""

import duckdb
import pytest

from bmastore.storage.packing import pack_if_scattered
from bmastore.storage.versions import IN_FORMAT

# Rows of a full row group of DuckDB's.
FULL = 122_880
ROWS = "select i, hash(i) / 7 as x, [i, i % 5] as xs, 'of ' || i as name from range({}, {}) as t(i)"


@pytest.fixture
def duck(tmp_path):
    with duckdb.connect() as connection:
        connection.execute(f"attach '{tmp_path}/a.duckdb' as published (type duckdb, {IN_FORMAT})")
        yield connection


def free_share(duck):
    sizes = "select free_blocks, total_blocks from pragma_database_size() where database_name = "
    ((free, total),) = duck.execute(f"{sizes} 'published'").fetchall()
    return free / total


def nights(duck, table, numbers):
    """A table to which rows are added night by night."""
    duck.execute(f"create table published.{table} as {ROWS.format(0, 0)}")
    for first, last in zip([0, *numbers], numbers, strict=False):
        duck.execute(f"insert into published.{table} {ROWS.format(first, last)}")
        duck.execute("checkpoint published")


@pytest.mark.parametrize(
    "numbers",
    [
        range(4_000, 60_000, 4_000),
        [FULL, FULL + 10_000, FULL + 30_000, FULL + 50_000],
        [FULL - 1, 2 * FULL + 1, 2 * FULL + 90_000, 2 * FULL + 100_000],
        [0, 1],
    ],
    ids=["less than a row group", "one more", "several", "a row"],
)
def test_rows_stay_the_same_and_in_their_order(duck, numbers):
    nights(duck, "grown", list(numbers))
    duck.execute("create table published.replaced as select range as i from range(200000)")
    duck.execute("checkpoint published")
    duck.execute("delete from published.replaced where i % 3 > 0 or i > 150000")
    duck.execute("delete from published.grown where i between 100 and 20000")
    duck.execute("checkpoint published")
    before = {
        table: duck.execute(f"from published.{table}").fetchall() for table in ("grown", "replaced")
    }
    pack_if_scattered(duck)
    for table, rows in before.items():
        assert duck.execute(f"from published.{table}").fetchall() == rows
    assert free_share(duck) <= 1 / 16


def test_packed_again_it_stays_as_it_is(duck, tmp_path):
    nights(duck, "grown", list(range(4_000, 60_000, 4_000)))
    assert free_share(duck) > 1 / 16
    pack_if_scattered(duck)
    packed = (tmp_path / "a.duckdb").read_bytes()
    pack_if_scattered(duck)
    assert (tmp_path / "a.duckdb").read_bytes() == packed


def test_what_is_packed_is_as_small_as_what_is_written_at_once(duck, tmp_path):
    nights(duck, "grown", list(range(4_000, 60_000, 4_000)))
    pack_if_scattered(duck)
    duck.execute(f"attach '{tmp_path}/b.duckdb' as anew (type duckdb, {IN_FORMAT})")
    duck.execute("create table anew.grown as from published.grown")
    duck.execute("checkpoint anew")
    sizes = [(tmp_path / name).stat().st_size for name in ("a.duckdb", "b.duckdb")]
    assert sizes[0] <= 1.1 * sizes[1]
