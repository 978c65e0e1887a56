"""The page of one stock."""

from datetime import timedelta
from math import exp
from shlex import quote
from typing import Any

from bmastore.dashboard.asked import Asked
from bmastore.dashboard.blocks import Block, Facts, HeatMap, Note, Page, Rows
from bmastore.dashboard.charts import Plot, plot, plot_long
from bmastore.dashboard.listing import one_record, read_listing, read_table
from bmastore.dashboard.source import Source
from bmastore.reports.explain import CAUSES
from bmastore.table import Table

# Targets of this name are log returns of prices: their forecasts are forecasts of prices.
_OF_PRICES = "log_return_"


def one_stock(source: Source, asked: Asked, ticker: str) -> Page | None:
    """A stock: forecast, price, what came, weights, entries; ``None`` if there is no such stock."""
    duck, target = source.duck, source.target(asked)
    status = one_record(read_table(duck, "stock", target=target, ticker=ticker))
    if status is None:
        return None
    newest = one_record(read_table(duck, "stock_forecast", target=target, ticker=ticker))
    blocks: list[Block] = [Note(_explanation(status))]
    if newest is not None:
        blocks.append(Facts("Newest forecast", list(newest.items())))
    prices = read_table(duck, "stock_prices", ticker=ticker)
    if prices.rows:
        blocks.append(_fan(prices, newest if target.startswith(_OF_PRICES) else None))
    blocks += _came(source, target, ticker)
    blocks += [
        Rows(
            "Members",
            "Weights sum to 1; scores are out of fold: the mean log density of the targets, and "
            "the root mean square error.",
            read_table(duck, "stock_members", target=target, ticker=ticker),
            {},
        ),
        *_reasons(source, target, ticker),
        plot_long(
            read_table(duck, "stock_weights", target=target, ticker=ticker),
            "finished_at",
            "member",
            "weight",
            title="Weights by entry",
            reading="How the weights have changed from training to training.",
        ),
        Rows(
            "Metrics",
            "Of the ensemble in use, out of fold.",
            read_table(duck, "stock_metrics", target=target, ticker=ticker),
            {},
        ),
        read_listing(
            duck,
            "stock_entries",
            asked,
            "finished_at",
            descending=True,
            title="Entries",
            links={"run_id": "runs/"},
            target=target,
            ticker=ticker,
        ),
    ]
    return Page(ticker, blocks, source.filters(asked))


def _came(source: Source, target: str, ticker: str) -> list[Block]:
    """Forecasts against what came, once anything has."""
    came = read_table(source.duck, "stock_outcomes", target=target, ticker=ticker)
    return [
        plot(
            came,
            "date",
            {
                "95 %": "q95",
                "5 %": "q05",
                "forecast": "mean",
                "came, inside": "inside",
                "came, outside": "outside",
            },
            title="Forecasts against what came",
            reading="Points are what came, the band is the 90 % interval as it was first "
            "forecast. One point in ten should lie outside.",
            bands=(("95 %", "5 %"),),
            points=("came, inside", "came, outside"),
        )
    ]


def _reasons(source: Source, target: str, ticker: str) -> list[Block]:
    """What members with trees look at, and the command that says what they made of it."""
    found = read_table(source.duck, "stock_importances", target=target, ticker=ticker)
    rows = found.records()
    if not rows:
        return []
    members = list(dict.fromkeys(row["member"] for row in rows))
    shares = {(row["feature"], row["member"]): row["share"] for row in rows}
    return [
        HeatMap(
            "Features",
            "Importance: the share of each feature in what the splits of a member's trees have "
            "gained, 1 in all. It says what a member looks at, not in which direction. Those of "
            "pooled are of its features relative to their date, and the same for all stocks. "
            "Features that weigh most in the ensemble come first.",
            members,
            [
                (feature, [shares.get((feature, member)) for member in members])
                for feature in dict.fromkeys(row["feature"] for row in rows)
            ],
            1.0,
        ),
        Note(
            "What each of them adds to the newest forecast, the store's models can tell:",
            f"bmastore explain {quote(ticker)} --store {source.store}",
        ),
    ]


def _explanation(status: dict[str, Any]) -> str:
    """Why it has the status that it has."""
    text = f"{status['ticker']} is {status['status']}"
    if status["cause"]:
        text += f"; cause {status['cause']}: {CAUSES[status['cause']]}"
    text += f". {status['n_rows']:,} labelled rows, the newest of {status['last_date']}."
    if status["error_type"]:
        text += f" {status['error_type']}: {status['error_message']}"
    return text


def _fan(prices: Table, newest: dict[str, Any] | None) -> Plot:
    """Closing prices, and the newest forecast as a fan from the price of its date on."""
    closes = {row["date"]: row["price"] for row in prices.records()}
    days = sorted(closes)
    fan: dict[Any, tuple[float, float, float]] = {}
    if newest is not None and newest["date"] in closes:
        start = closes[newest["date"]]
        fan[newest["date"]] = (start, start, start)
        low, middle, high = (start * exp(newest[name]) for name in ("q05", "q50", "q95"))
        fan[newest["for_date"]] = (low, middle, high)
        if newest["for_date"] not in closes:
            days = [*days, max(newest["for_date"], days[-1] + timedelta(days=1))]
    table = Table(
        ("date", "price", "low", "middle", "high"),
        ("DATE", "DOUBLE", "DOUBLE", "DOUBLE", "DOUBLE"),
        [(day, closes.get(day), *fan.get(day, (None, None, None))) for day in days],
    )
    return plot(
        table,
        "date",
        {"price": "price", "95 %": "high", "5 %": "low", "median": "middle"},
        title="Price of the newest 250 days",
        reading="The fan is the 90 % interval of the newest forecast, and its median.",
        bands=(("95 %", "5 %"),),
    )
