"""The pages of what came of forecasts: live, and in backtests."""

from collections import defaultdict
from datetime import date

from bmastore.dashboard.asked import Asked
from bmastore.dashboard.blocks import (
    Block,
    Facts,
    Filter,
    HeatMap,
    Note,
    Page,
    Rows,
    bars_of,
)
from bmastore.dashboard.charts import Plot, plot, plot_long
from bmastore.dashboard.listing import one_record, read_listing, read_table
from bmastore.dashboard.source import Source
from bmastore.table import Table

# The forecaster that is shown where none is asked for.
ENSEMBLE = "ensemble"
_IC = "Rank correlation of forecasts and what came over the stocks of a day"
_PIT = (
    "Share of targets in each tenth of their predictive distributions. All are 0.1 where forecasts "
    "are honest; high ends mean intervals that are too narrow."
)

# How many dates are looked at row by row.
_NEWEST_DAYS = 20


def live(source: Source, asked: Asked) -> Page:
    """How the forecasts that were really made have done."""
    duck, target = source.duck, source.target(asked)
    days = read_table(duck, "live_days", target=target)
    if not days.rows:
        text = (
            "No label of a forecast has come yet: a forecast is judged once its target is known, "
            "at the end of the next ingest or pass."
        )
        return Page("Live", [Note(text, "bmastore ingest FILE")], source.filters(asked))
    newest = [row["date"] for row in days.records()[-_NEWEST_DAYS:]]
    blocks = [*_days(days), *_by_group(source, target, newest[0])]
    blocks.append(
        read_listing(
            duck,
            "live_stocks",
            asked,
            "crps_vs_zero_60",
            descending=True,
            title="Stocks, worst first",
            links={"ticker": "stocks/"},
            target=target,
        )
    )
    return Page("Live", blocks, source.filters(asked))


def _days(days: Table) -> list[Block]:
    return [
        plot(
            days,
            "date",
            {"day": "ic", "20 days": "ic_20", "60 days": "ic_60"},
            title="Rank correlation (IC)",
            reading=f"{_IC}: one point per day, and its means. Above 0 is skill.",
            level=0.0,
            points=("day",),
        ),
        _by_month(days),
        _calibration(days),
        plot(
            days,
            "date",
            {"squared error": "mse_vs_zero_60", "CRPS": "crps_vs_zero_60"},
            title="Errors against always forecasting zero, 60 days",
            reading="Below 1, the forecasts are better than none.",
            level=1.0,
        ),
    ]


def _by_group(source: Source, target: str, since: date) -> list[Block]:
    duck = source.duck
    return [
        plot_fifths(read_table(duck, "quantile_returns", target=target)),
        bars_of(
            read_table(duck, "live_pit", target=target),
            "bin",
            "share",
            title="Where targets fell (PIT)",
            reading=_PIT,
            most=0.3,
        ),
        Rows(
            "By age of the entry",
            f"How forecasts of the newest {_NEWEST_DAYS} dates did by the days between the stock's "
            f"training and the forecast.",
            read_table(duck, "live_by_age", target=target, since=since),
            {},
        ),
        Rows(
            "What drifts most",
            "Features by how far their newest values lie from the training window (population "
            "stability index: above 0.25 is much).",
            read_table(duck, "drift"),
            {},
        ),
        Rows(
            "By sector",
            "How forecasts did by group, where `bmastore ingest --stocks` told of any.",
            read_table(duck, "live_sectors", target=target),
            {},
        ),
    ]


def plot_fifths(totals: Table) -> Plot:
    """A plot of what came by fifth of the forecasts, summed over days: ``date, fifth, total``."""
    return plot_long(
        totals,
        "date",
        "fifth",
        "total",
        title="What came, by fifth of the forecasts",
        reading="Sum of the mean targets of each day's fifths, 5 the highest forecasts. The "
        "lines should lie in the order of their numbers; targets overlap, so the sums are no "
        "returns of a portfolio.",
    )


def _calibration(days: Table) -> Plot:
    return plot(
        days,
        "date",
        {"50 %": "coverage_50_20", "80 %": "coverage_80_20", "90 %": "coverage_90_20"},
        title="Coverage, 20 days",
        reading="Share of targets inside their intervals: each line should lie at its name.",
    )


def _by_month(days: Table) -> HeatMap:
    """Mean IC of each month."""
    months: dict[tuple[int, int], list[float]] = defaultdict(list)
    for row in days.records():
        if row["ic"] is not None:
            months[row["date"].year, row["date"].month].append(row["ic"])
    means = {month: sum(values) / len(values) for month, values in months.items()}
    years = sorted({year for year, _ in means})
    return HeatMap(
        "IC by month",
        f"{_IC}, mean of each month; blue is right, red is wrong.",
        [f"{month:02d}" for month in range(1, 13)],
        [(str(year), [means.get((year, month)) for month in range(1, 13)]) for year in years],
        0.1,
    )


def backtests(source: Source, asked: Asked) -> Page:
    """All backtests."""
    listing = read_listing(
        source.duck,
        "backtests",
        asked,
        "finished_at",
        descending=True,
        title="Backtests",
        links={"backtest_id": "backtests/"},
        target=source.target(asked),
    )
    blocks: list[Block] = [listing]
    if not listing.total:
        blocks.insert(0, Note("There has been no backtest yet.", "bmastore backtest"))
    return Page("Backtests", blocks, source.filters(asked))


def one_backtest(source: Source, asked: Asked, backtest_id: str) -> Page | None:
    """A backtest, beside another one if that is asked for; ``None`` if there is none such."""
    duck = source.duck
    found = one_record(read_table(duck, "backtest", backtest_id=backtest_id))
    if found is None:
        return None
    others = read_table(duck, "other_backtests", backtest_id=backtest_id)
    other = asked.get("compare")
    choices = [("", "none"), *((key, f"{key[:8]} of {when:%Y-%m-%d}") for key, when in others.rows)]
    forecasters = [row[0] for row in read_table(duck, "forecasters", backtest_id=backtest_id).rows]
    chosen = asked.get("forecaster")
    forecaster = chosen if chosen is not None and chosen in forecasters else ENSEMBLE
    blocks: list[Block] = [
        Rows(
            "Forecasters",
            "Errors relative to always forecasting zero: below 1 is skill. IC is the rank "
            "correlation over the stocks of a day; in_80 should be 0.8.",
            read_table(duck, "backtest_scores", backtest_id=backtest_id, slice="all"),
            {},
        ),
    ]
    if other is not None:
        blocks.append(
            Rows(
                "Compared",
                "The same scores of both, and the other's less this one's.",
                read_table(duck, "compared", backtest_id=backtest_id, other=other),
                {},
            )
        )
    blocks += [*_of_forecaster(source, backtest_id, forecaster)]
    blocks.append(Facts("About it", list(found.items())))
    filters = [
        Filter("forecaster", "Forecaster", forecaster, [(one, one) for one in forecasters]),
        Filter("compare", "Compare with", other or "", choices),
    ]
    return Page(f"Backtest {backtest_id[:8]}", blocks, filters)


def _of_forecaster(source: Source, backtest_id: str, forecaster: str) -> list[Block]:
    duck = source.duck
    days = read_table(duck, "backtest_days", backtest_id=backtest_id, forecaster=forecaster)
    return [
        plot(
            days,
            "date",
            {"day": "ic", "20 days": "ic_20"},
            title=f"IC by day, {forecaster}",
            reading=f"{_IC}; the line is the mean of 20 days.",
            level=0.0,
            points=("day",),
        ),
        _by_month(days),
        _calibration(days),
        bars_of(
            read_table(duck, "backtest_pit", backtest_id=backtest_id, forecaster=forecaster),
            "bin",
            "share",
            title=f"Where targets fell (PIT), {forecaster}",
            reading=_PIT,
            most=0.3,
        ),
        Rows(
            f"By year, liquidity and sector, {forecaster}",
            "A skill that lies in the least liquid third alone can hardly be traded.",
            read_table(duck, "backtest_slices", backtest_id=backtest_id, forecaster=forecaster),
            {},
        ),
    ]
