"""Dates: the market's own day, however it is written; what may be two days is refused."""

import datetime as dt
from datetime import UTC

import pandas as pd
import pytest

from bmastore.errors import InputError
from tests.panel.ingest.helpers import note, span, take

DAYS = pd.bdate_range("2023-01-02", periods=30)
WHOLE = {"A": (30, "2023-01-02", "2023-02-10")}


def bars(dates, ticker="A", close=1.0):
    return pd.DataFrame({"ticker": ticker, "date": dates, "close": close})


WRITTEN = [
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y",
    "%d/%m/%y", "%m/%d/%y", "%y/%m/%d", "%d-%b-%Y", "%d-%b-%y", "%d%b%Y", "%Y-%b-%d", "%d %B %Y",
    "%b %d, %Y", "%A, %d %B %Y", "%Y年%m月%d日", "%Y-%m-%dT00:00:00Z", "%Y-%m-%d 00:00:00+05:30",
    "%Y-%m-%d 00:00:00-05:00", "%m/%d/%Y 4:00 PM", "%m/%d/%Y 12:00:00 AM", "%Y%m%d.0",
]  # fmt: skip


@pytest.mark.parametrize("form", WRITTEN)
def test_dates_are_told_by_the_whole_column(store, form):
    take(store, bars(DAYS.strftime(form)))
    assert span(store) == WHOLE


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m-%d-%Y"])
def test_a_column_that_does_not_tell_days_from_months_is_refused_until_told(store, form):
    few = bars(DAYS[:6].strftime(form))
    with pytest.raises(InputError, match="--date-format"):
        store.ingest(few)
    take(store, few, date_format=form)
    assert span(store) == {"A": (6, "2023-01-02", "2023-01-09")}


def test_days_first_and_months_first_in_one_column_are_refused(store):
    both = [*DAYS.strftime("%d/%m/%Y"), *(DAYS + pd.Timedelta(days=60)).strftime("%m/%d/%Y")]
    with pytest.raises(InputError, match="more than one way"):
        store.ingest(bars(both))


def test_years_of_fewer_than_four_digits_are_never_taken_as_they_stand(store):
    with pytest.raises(InputError, match="none of the 5 rows"):
        store.ingest(bars([f"23-0{i}" for i in range(1, 6)]))
    with pytest.raises(InputError, match="none of the 2 rows"):
        store.ingest(bars(["01/02/23", "05/06/23"]), date_format="%d/%m/%Y")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", [int, float, str])
def test_epochs_in_any_unit(store, unit, kind):
    if unit == "ns" and kind is float:
        pytest.skip("a float has too few digits")
    midnight = DAYS.tz_localize("America/New_York").tz_convert(UTC).as_unit(unit).asi8
    take(store, bars([kind(moment) for moment in midnight]))
    assert span(store) == WHOLE


def test_excel_serials_only_on_request(store):
    serials = (DAYS - pd.Timestamp("1899-12-30")).days
    with pytest.raises(InputError, match="--date-format excel"):
        store.ingest(bars(serials))
    take(store, bars(serials), date_format="excel")
    assert span(store) == WHOLE


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Asia/Kolkata", "America/New_York", "+05:30"])
@pytest.mark.parametrize("how", ["pandas", "polars", "arrow", "parquet", "polars parquet", "csv"])
def test_the_markets_own_date_in_every_kind_of_table(store, tmp_path, zone, how):
    pl = pytest.importorskip("polars")
    pa = pytest.importorskip("pyarrow")
    if zone == "+05:30":
        if how.startswith("polars"):
            pytest.skip("Polars knows no offsets")
        zone = dt.timezone(dt.timedelta(hours=5, minutes=30))
    frame = bars(DAYS.tz_localize(zone))
    if how == "parquet":
        frame.to_parquet(tmp_path / "p.parquet")
    if how == "polars parquet":
        pl.from_pandas(frame).write_parquet(tmp_path / "p.parquet")
    if how == "csv":
        frame.to_csv(tmp_path / "p.csv", index=False)
    data = {
        "pandas": lambda: frame,
        "polars": lambda: pl.from_pandas(frame),
        "arrow": lambda: pa.Table.from_pandas(frame),
        "csv": lambda: tmp_path / "p.csv",
    }.get(how, lambda: tmp_path / "p.parquet")()
    take(store, data)
    assert span(store) == WHOLE


def test_instants_after_noon_of_utc_need_the_markets_zone_unless_weekdays_tell(store):
    pa = pytest.importorskip("pyarrow")
    tokyo = bars(DAYS.tz_localize("Asia/Tokyo").tz_convert(UTC))
    with pytest.raises(InputError, match="--time-zone"):
        store.ingest(pa.Table.from_pandas(tokyo))
    take(store, pa.Table.from_pandas(tokyo), time_zone="Asia/Tokyo")
    closing = (DAYS + pd.Timedelta(hours=16)).tz_localize("America/New_York").tz_convert(UTC)
    assert take(store, bars(closing.as_unit("s").asi8)).rows_unchanged == 30
    assert span(store) == WHOLE


def test_a_mistyped_year_is_dropped_by_ticker_and_the_stock_is_still_whole(store):
    days = list(DAYS)
    days[7] = pd.Timestamp("2206-01-11")
    days[9] = pd.Timestamp("1903-01-13")
    report = take(store, pd.concat([bars(days, "A"), bars(DAYS, "B")]))
    assert note(report, "years from all others").examples == ("A 1903-01-13", "A 2206-01-11")
    assert span(store)["A"] == (28, "2023-01-02", "2023-02-10")


def test_a_mistyped_year_in_an_update_is_dropped_as_well(store):
    take(store, bars(DAYS))
    late = [DAYS[-1] + pd.Timedelta(days=1), pd.Timestamp("2203-02-14")]
    assert note(take(store, bars(late)), "years from all others").n == 1
    assert span(store) == {"A": (31, "2023-01-02", "2023-02-11")}


def test_dates_to_come_beside_their_neighbours_are_kept_and_noted(store):
    ahead = pd.bdate_range(pd.Timestamp.now().normalize() - pd.Timedelta(days=9), periods=30)
    assert note(take(store, bars(ahead)), "lie in the future").examples == ("A",)


@pytest.mark.parametrize("how", ["timestamps", "text", "time column", "epoch"])
def test_several_bars_per_day_are_refused_or_made_one(store, how):
    hours = [10, 11, 12]
    moments = [day + pd.Timedelta(hours=h) for day in DAYS[:6] for h in hours]
    frame = pd.DataFrame(
        {"ticker": "A", "date": moments, "open": [1.0, 2.0, 3.0] * 6, "high": [5.0, 9.0, 6.0] * 6,
         "low": [0.5, 0.2, 0.4] * 6, "close": [2.0, 3.0, 4.0] * 6, "volume": [10, 20, 30] * 6}
    )  # fmt: skip
    if how == "text":
        frame["date"] = frame["date"].astype(str)
    elif how == "epoch":
        frame["date"] = frame["date"].dt.as_unit("s").astype("int64")
    elif how == "time column":
        frame["time"] = frame["date"].dt.strftime("%H%M%S").astype(int)
        frame["date"] = frame["date"].dt.normalize()
    with pytest.raises(InputError, match="--aggregate daily"):
        store.ingest(frame)
    report = take(store, frame.sample(frac=1, random_state=1), aggregate="daily")
    assert (report.rows_read, report.rows_new, report.rows_repeated) == (18, 6, 12)
    bar = store.sql("select distinct open, high, low, close, volume from prices")
    assert bar.values.tolist() == [[1.0, 9.0, 0.2, 4.0, 60.0]]


def test_minutes_in_a_column_of_the_period_are_refused(store):
    with pytest.raises(InputError, match=r"bars of 60 \(<PER>\)"):
        store.ingest(bars(DAYS).assign(**{"<PER>": "60"}))
    assert take(store, bars(DAYS).assign(**{"<PER>": "D"})).rows_new == 30


def test_a_format_reads_whole_numbers_as_well(store):
    digits = DAYS.strftime("%d%m%Y").astype(int)
    take(store, bars(digits), date_format="%d%m%Y")
    assert span(store) == WHOLE


def test_a_time_zone_moves_no_date_that_has_none(store):
    report = take(store, bars(DAYS), time_zone="America/New_York")
    assert span(store) == WHOLE
    assert note(report, "--time-zone is for instants")
