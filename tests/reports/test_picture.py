"""Pictures of a stock and of a backtest, as figures of matplotlib that a notebook shows."""

import pytest
from matplotlib.figure import Figure

from bmastore import PassOptions, Store
from bmastore.datasets import known_on
from bmastore.errors import ConfigError, UnknownTickerError
from tests.helpers import FAST, HORIZON, TARGET, make_prices


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def test_a_stock_that_is_not_trained_has_no_forecast_in_its_picture(filled):
    figure = filled.plot("DEMO00")
    assert isinstance(figure, Figure)
    assert "no forecast yet" in [text.get_text() for text in figure.axes[0].texts]


def test_a_stock_of_prices_has_its_price_forecasts_and_weights(tmp_path):
    store = Store(tmp_path / "bma.duckdb")
    store.ingest(make_prices(n_days=320))
    store.train(FAST, PassOptions(workers=1))
    figure = store.plot("T0")
    assert [title.split()[0] for title in titles(figure)] == ["Price", "Forecasts", "Weight"]
    last = store.sql("select max(date) as day from v_prices where ticker = 'T0'")["day"][0]
    assert figure.axes[0].lines[0].get_xdata()[-1] == last.date()
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_what_came_is_drawn_inside_and_outside_of_the_intervals(store, panel):
    days = sorted(panel["date"].unique())
    for day in (days[-30], days[-20], days[-10]):
        store.ingest(known_on(panel, day), target=TARGET, horizon=HORIZON)
        store.train(FAST)
    came = store.sql(
        "select date, actual, actual between q05 and q95 as held from v_outcomes "
        "where ticker = 'DEMO01' order by date"
    )
    assert len(came)
    axes = store.plot("DEMO01", TARGET).axes[0]
    drawn = {points.get_label(): len(points.get_offsets()) for points in axes.collections}
    inside, outside = drawn.get("came, inside", 0), drawn.get("outside", 0)
    assert (inside, outside) == (came["held"].sum(), (~came["held"]).sum())
    newest = store.sql("select max(date) as day from v_predictions where ticker = 'DEMO01'")
    assert axes.lines[0].get_xdata()[-1] == newest["day"][0].date()
    bars = store.plot("DEMO01").axes[1].patches
    assert sum(bar.get_height() for bar in bars) == pytest.approx(3)


def test_a_stock_or_target_that_is_not_there_is_an_error(trained):
    with pytest.raises(UnknownTickerError):
        trained.plot("NOBODY")
    with pytest.raises(ConfigError, match=TARGET):
        trained.plot("DEMO00", "other")


def test_a_backtest_draws_itself(filled):
    figure = filled.backtest(FAST, cutoffs=2, every=20).plot()
    assert len(figure.axes) == 3
    assert "2 cutoffs" in figure.get_suptitle()
