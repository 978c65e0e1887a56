"""Fifths of the forecasts, against the SQL that tells them live."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from bmastore.evaluation.fifths import fifths
from tests.evaluation.test_scores import NAMES, scored

DAYS = 7


def some_rows(seed=0, n_stocks=43, share=0.8):
    """Rows of some of the stocks on each day, in any order, with equal forecasts among them."""
    random = np.random.default_rng(seed)
    stocks, days = (part.ravel() for part in np.meshgrid(np.arange(n_stocks), np.arange(DAYS)))
    kept = random.permutation(np.flatnonzero(random.random(len(days)) < share))
    stocks, days = stocks[kept], days[kept]
    means = np.column_stack([random.normal(size=(len(days), 2)).round(1), 0 * days])
    return scored(random.normal(size=len(days)), means, days=days), stocks, means


def test_fifths_and_their_turnover_are_those_of_sql():
    rows, stocks, means = some_rows()
    found = fifths(rows, stocks)
    given = pd.DataFrame({"date": rows.dates, "stock": stocks, "y": rows.y, "mean": means[:, 0]})
    duck = duckdb.connect()
    duck.register("given", given)
    duck.execute(
        "create table ranked as select *, "
        "ntile(5) over (partition by date order by mean, stock) as fifth, "
        "dense_rank() over (order by date) as day from given"
    )
    told = duck.sql(
        "select avg(mean) as forecast, avg(y) as actual, count(*) as n from ranked "
        "group by date, fifth order by date, fifth"
    ).df()
    assert found.actuals[:, 0].ravel() == pytest.approx(told["actual"].to_numpy())
    assert found.forecasts[:, 0].ravel() == pytest.approx(told["forecast"].to_numpy(), abs=1e-6)
    assert found.n.ravel().tolist() == told["n"].tolist()
    changed = duck.sql(
        "select avg((today.fifth <> before.fifth)::int) as share from ranked as today "
        "join ranked as before on before.stock = today.stock and before.day = today.day - 1 "
        "group by today.date, today.fifth order by today.date, today.fifth"
    ).df()
    assert found.turnover[1:, 0].ravel() == pytest.approx(changed["share"].to_numpy())
    assert np.isnan(found.turnover[0]).all()


def test_who_tells_no_stock_from_another_has_no_fifths():
    rows, stocks, _ = some_rows()
    found = fifths(rows, stocks)
    silent = NAMES.index("always_zero")
    for numbers in (found.actuals, found.forecasts, found.turnover):
        assert np.isnan(numbers[:, silent]).all()


def test_a_day_of_four_stocks_has_no_fifths_and_the_next_no_turnover():
    rows, stocks, _ = some_rows(share=1.1)
    kept = (rows.dates != rows.dates.min() + 2) | (stocks < 4)
    found = fifths(rows.take(kept), stocks[kept])
    missing = np.isnan(found.actuals[:, 0]).all(axis=1)
    assert missing.tolist() == [False, False, True, False, False, False, False]
    assert np.isnan(found.turnover[:, 0]).all(axis=1).tolist() == [
        True, False, True, True, False, False, False,
    ]  # fmt: skip


def test_a_forecaster_that_knows_the_order_has_its_fifths_in_order():
    y = np.random.default_rng(1).normal(size=100)
    rows = scored(y, np.column_stack([y, -y, 0 * y]), days=np.zeros(100, int))
    found = fifths(rows, np.arange(100))
    assert (np.diff(found.actuals[0, 0]) > 0).all()
    assert (np.diff(found.actuals[0, 1]) < 0).all()
