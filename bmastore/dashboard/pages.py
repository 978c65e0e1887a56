"""The pages about the store as a whole: overview, stocks, forecasts, runs, universe, failures."""

from datetime import date

from bmastore.calendar import utc_now
from bmastore.dashboard.asked import Asked
from bmastore.dashboard.blocks import (
    Block,
    Facts,
    Filter,
    Note,
    Page,
    Rows,
    Running,
    Tile,
    Tiles,
    bars_of,
)
from bmastore.dashboard.charts import plot, plot_long
from bmastore.dashboard.listing import one_record, read_listing, read_table
from bmastore.dashboard.source import Source
from bmastore.reports.queries import STATUSES
from bmastore.storage.statements import Part

_STOCK = {"ticker": "stocks/"}
_ASCENDING, _DESCENDING = Part("asc"), Part("desc")
_CAUSES = ("new", "data", "config", "code", "age", "decay", "retry", "forced")


def overview(source: Source, asked: Asked) -> Page:
    """Where everything stands."""
    duck, target = source.duck, source.target(asked)
    fresh = one_record(read_table(duck, "freshness", target=target))
    if fresh is None:
        return Page("Overview", [Note("The store has no stocks yet.", "bmastore ingest FILE")])
    counts = dict(read_table(duck, "status_counts", target=target).rows)
    blocks: list[Block] = [
        Tiles(
            [
                Tile("stocks", fresh["stocks"], "stocks"),
                *(Tile(one, counts.get(one, 0), f"stocks?status={one}") for one in STATUSES),
                Tile("newest date", fresh["newest_date"]),
                Tile("stocks behind it", fresh["stocks_behind"], "stocks?sort=last_date"),
            ]
        )
    ]
    if fresh["is_running"]:
        blocks.append(
            _running(
                fresh["last_run"],
                fresh["done"] or 0,
                fresh["selected"] or 0,
                (utc_now() - fresh["last_run_started_at"]).total_seconds(),
            )
        )
    elif not counts.get("trained"):
        blocks.append(Note("No stock has been trained yet.", "bmastore train"))
    blocks += [*_over_time(source, target), *_extremes(source, target)]
    return Page("Overview", blocks, source.filters(asked))


def _over_time(source: Source, target: str) -> list[Block]:
    duck = source.duck
    live_days = read_table(duck, "live_days", target=target)
    return [
        plot(
            live_days,
            "date",
            {"IC, 60 days": "ic_60", "IC, 20 days": "ic_20"},
            title="Live rank correlation",
            reading="Rank correlation of forecasts and what came, over the stocks of each day. "
            "Above 0 the forecasts order stocks rightly more often than not; 0.03 is much.",
            level=0.0,
        ),
        plot(
            live_days,
            "date",
            {"held, 60 days": "coverage_80_60", "held, 20 days": "coverage_80_20"},
            title="Live coverage of the 80 % interval",
            reading="Share of targets inside their 80 % interval. Below 0.8, forecasts are too "
            "sure of themselves; above, too unsure.",
            level=0.8,
        ),
        plot_long(
            read_table(duck, "member_days", target=target),
            "date",
            "member",
            "weight",
            title="Mean weight of each member",
            reading="How much each member counts, over the stocks that were trained as of a date. "
            "Where zero and mean have most of it, there is little to be known.",
        ),
        plot(
            read_table(duck, "runs_in_time", target=target),
            "started_at",
            {"trained": "trained", "failed": "failed", "skipped": "skipped"},
            title="Stocks of each run",
            reading="One point per run, at the time at which it began.",
            points=("trained", "failed", "skipped"),
        ),
    ]


def _extremes(source: Source, target: str) -> list[Block]:
    duck = source.duck
    return [
        bars_of(
            read_table(duck, "extreme_forecasts", target=target, direction=_DESCENDING),
            "ticker",
            "mean",
            title="Highest forecasts",
            reading="Mean forecast of the newest date, in units of the target.",
            href="stocks/",
        ),
        bars_of(
            read_table(duck, "extreme_forecasts", target=target, direction=_ASCENDING),
            "ticker",
            "mean",
            title="Lowest forecasts",
            reading="Mean forecast of the newest date, in units of the target.",
            href="stocks/",
        ),
        bars_of(
            read_table(duck, "failure_types", target=target),
            "error_type",
            "stocks",
            title="Failures by type",
            reading="Stocks whose last attempt failed or was skipped, by the kind of error.",
            href="failures?type=",
        ),
    ]


def _running(run_id: str, done: int, selected: int, seconds: float) -> Running:
    left = seconds * (selected - done) / done if done else None
    return Running(run_id, done, selected, left)


def stocks(source: Source, asked: Asked) -> Page:
    """All stocks: their status and newest forecast."""
    listing = read_listing(
        source.duck,
        "stocks",
        asked,
        "ticker",
        title="Stocks",
        links=_STOCK,
        target=source.target(asked),
        search=asked.get("search"),
        status=asked.get("status"),
        cause=asked.get("cause"),
        sector=asked.get("sector"),
    )
    filters = [
        Filter("search", "Ticker", asked.get("search") or ""),
        _choice(asked, "status", "Status", STATUSES),
        _choice(asked, "cause", "Cause", _CAUSES),
    ]
    sectors = [name for (name,) in read_table(source.duck, "sectors").rows]
    if sectors:
        filters.append(_choice(asked, "sector", "Sector", sectors))
    return Page("Stocks", [listing], [*filters, *source.filters(asked)])


def forecasts(source: Source, asked: Asked) -> Page:
    """The forecasts of a day: ranking, distribution, tenths."""
    duck, target = source.duck, source.target(asked)
    days = [row[0] for row in read_table(duck, "forecast_days", target=target).rows]
    if not days:
        return Page("Forecasts", [Note("There are no forecasts yet.", "bmastore train")])
    day = _day(asked.get("date")) or days[0]
    blocks: list[Block] = [
        read_listing(
            duck,
            "forecasts",
            asked,
            "mean",
            descending=True,
            title=f"Forecasts of {day}",
            links=_STOCK,
            target=target,
            day=day,
        ),
        bars_of(
            read_table(duck, "forecast_histogram", target=target, day=day),
            "mean",
            "stocks",
            title="Distribution of mean forecasts",
            reading="How many stocks have a mean forecast near each value. Wide means that the "
            "ensemble tells stocks apart.",
        ),
        Rows(
            "Tenths",
            "The day's stocks in ten groups by their mean forecast, 10 the highest; what came, "
            "where it is known. In honest forecasts it rises from group to group.",
            read_table(duck, "forecast_tenths", target=target, day=day),
            {},
        ),
    ]
    options = [(str(one), str(one)) for one in days]
    return Page(
        "Forecasts", blocks, [Filter("date", "Date", str(day), options), *source.filters(asked)]
    )


def runs(source: Source, asked: Asked) -> Page:
    """All runs, newest first."""
    listing = read_listing(
        source.duck,
        "runs",
        asked,
        "started_at",
        descending=True,
        title="Runs",
        links={"run_id": "runs/"},
        target=source.target(asked),
    )
    blocks: list[Block] = [listing]
    if not listing.total:
        blocks.insert(0, Note("There has been no run yet.", "bmastore train"))
    return Page("Runs", blocks, source.filters(asked))


def one_run(source: Source, asked: Asked, run_id: str) -> Page | None:
    """A run and its entries; ``None`` if there is no such run."""
    found = one_record(read_table(source.duck, "run", run_id=run_id))
    if found is None:
        return None
    blocks: list[Block] = [Facts("Run", list(found.items()))]
    if found["status"] == "running":
        seconds = (utc_now() - found["started_at"]).total_seconds()
        done = sum(found[name] or 0 for name in ("trained", "failed", "skipped"))
        blocks.insert(0, _running(run_id, done, found["selected"] or 0, seconds))
    blocks.append(
        read_listing(
            source.duck,
            "entries_of_run",
            asked,
            "ticker",
            title="Entries",
            links=_STOCK,
            run_id=run_id,
            status=asked.get("status"),
        )
    )
    return Page(
        f"Run {run_id[:8]}",
        blocks,
        [_choice(asked, "status", "Status", ("trained", "failed", "skipped"))],
    )


def universe(source: Source, asked: Asked) -> Page:
    """What stocks borrow from each other."""
    target = source.target(asked)
    found = read_table(source.duck, "universe_days", target=target)
    blocks: list[Block] = [
        plot_long(
            found,
            "anchor",
            "member",
            "prior_weight",
            title="Prior weights",
            reading="How much each member counts before a stock's own evidence, universe by "
            "universe. A stock's weights are drawn toward these.",
        ),
        read_listing(
            source.duck,
            "universes",
            asked,
            "finished_at",
            descending=True,
            title="Universes",
            target=target,
        ),
    ]
    if not found.rows:
        blocks.insert(0, Note("No universe has been made yet.", "bmastore train"))
    return Page("Universe", blocks, source.filters(asked))


def failures(source: Source, asked: Asked) -> Page:
    """Stocks that failed or were skipped, and what to do."""
    duck, target = source.duck, source.target(asked)
    types = read_table(duck, "failure_types", target=target)
    if not types.rows:
        return Page("Failures", [Note("No stock has failed.")], source.filters(asked))
    blocks: list[Block] = [
        Note("To try them again:", f"bmastore train --retry-failed --store {source.store}"),
        bars_of(
            types,
            "error_type",
            "stocks",
            title="By type",
            reading="How many stocks each kind of error keeps from a forecast.",
            href="failures?type=",
        ),
        read_listing(
            duck,
            "failures",
            asked,
            "ticker",
            title="Failures",
            links=_STOCK,
            target=target,
            type=asked.get("type"),
        ),
    ]
    names = [row[0] for row in types.rows]
    return Page("Failures", blocks, [_choice(asked, "type", "Type", names), *source.filters(asked)])


def _choice(asked: Asked, name: str, label: str, options: "tuple[str, ...] | list[str]") -> Filter:
    choices = [("", "any"), *((one, one) for one in options)]
    return Filter(name, label, asked.get(name) or "", choices)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
