"""Feature SQL: a user's own is remembered, and reaches nothing but tables."""

import duckdb
import pytest

from bmastore.errors import InputError
from tests.helpers import digests, make_prices
from tests.panel.ingest.helpers import features


def test_features_of_ones_own_are_remembered(store, tmp_path):
    mine = """
    select ticker, date, close / lag(close) over w - 1 as simple_return,
        lead(close, $horizon) over w / close - 1 as target,
        lead(date, $horizon) over w as label_end
    from prices window w as (partition by ticker order by date)
    """
    prices = make_prices()
    last = prices["Date"].max()
    store.ingest(prices[prices["Date"] < last])
    store.ingest(prices[prices["Date"] < last], features_sql=mine)
    store.ingest(prices[prices["Date"] == last])
    assert features(store) == ["simple_return"]
    assert len(store.sql("from features")) == 360


def test_feature_sql_that_is_wrong_leaves_the_store_as_it_was(store):
    store.ingest(make_prices())
    before = digests(store)
    with pytest.raises(InputError, match="no column 'label_end'"):
        store.ingest(make_prices(), features_sql="select ticker, date, 1 as target from prices")
    with pytest.raises(InputError, match="syntax error"):
        store.ingest(make_prices(), features_sql="selekt")
    assert digests(store) == before


ROLES = "select ticker, date, date as label_end, 0 as target"


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        (f"{ROLES}, length(content) as f from prices, read_text('{{file}}')", "read_text"),
        (f"{ROLES}, x as f from prices, '{{file}}' t(x)", "secret.csv"),
        (f"with a as ({ROLES}, stolen() as f from prices) from a", "stolen"),
        (f"{ROLES}, x as f from prices, stolen_view", "stolen_view"),
        (f"{ROLES}, x as f from prices, stolen_table()", "stolen_table"),
        (f"{ROLES}, length(getenv('HOME')) as f from prices", "getenv"),
    ],
)
def test_feature_sql_reaches_no_file_whoever_stored_it(store, tmp_path, sql, name):
    file = tmp_path / "secret.csv"
    file.write_text("x\n1\n")
    store.ingest(make_prices())
    sql = sql.format(file=file)
    with duckdb.connect(str(store.path)) as duck:  # by somebody who passes the store on
        duck.execute(f"create view stolen_view as from '{file}'")
        duck.execute(f"create macro stolen() as (select x from '{file}')")
        duck.execute(f"create macro stolen_table() as table select x from '{file}'")
        duck.execute("update settings set value = ? where name = 'features_sql'", [sql])
    later = make_prices(n_days=61)
    for features_sql in (None, sql):
        with pytest.raises(InputError, match=f"feature SQL is refused.*{name}"):
            store.ingest(later, features_sql=features_sql)
