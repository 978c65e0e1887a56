"""A backtest as one page that needs nothing else: that of the dashboard, and what traders ask."""

from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

from bmastore.dashboard.asked import Asked
from bmastore.dashboard.blocks import Block, Page, Rows, bars_of
from bmastore.dashboard.charts import Plot, plot_long
from bmastore.dashboard.scores import ENSEMBLE, one_backtest, plot_fifths
from bmastore.dashboard.source import Source
from bmastore.errors import ConfigError, StoreError
from bmastore.evaluation.report import BacktestReport
from bmastore.storage.connect import read_published
from bmastore.storage.outputs import check_output, written_whole
from bmastore.storage.paths import results_path
from bmastore.table import Table

_ERROR = "Errors are those of Newey and West: targets of neighbouring days overlap."


def check_report(path: Path) -> None:
    """See that a report can be written, before hours of work are to end in one.

    Raises
    ------
    ConfigError
        If a library is missing, there is no such folder, or anything but a report at this path.
    """
    if find_spec("jinja2") is None:
        raise ConfigError("a report needs jinja2; run: pip install 'bmastore[dashboard]'")
    check_output(path, "report")


def write_report(store: Path, report: BacktestReport, path: Path) -> None:
    """Write the page of a backtest of a store, from its published results and its report.

    Raises
    ------
    StoreError
        If the published results do not have the backtest.
    BmastoreError
        If the file cannot be written.
    """
    from bmastore.dashboard.shell import by_itself

    with read_published(results_path(store)) as duck:
        page = one_backtest(Source(store, duck), Asked("", {}), report.backtest_id)
    if page is None:
        raise StoreError(
            f"{results_path(store)} does not have backtest {report.backtest_id}; "
            f"`bmastore verify --store {store}` tells what is wrong"
        )
    *blocks, about = page.blocks
    whole = Page(page.title, [*blocks, *_asked_by_traders(report), about])
    with written_whole(path, "report") as file:
        file.write_text(by_itself(whole, store.name), encoding="utf-8")


def _asked_by_traders(report: BacktestReport) -> list[Block]:
    """What is computed while the rows are at hand, and is not stored."""
    return [
        bars_of(
            _means_of_fifths(report.spreads),
            "fifth",
            "actual",
            title=f"Mean target by fifth of the forecasts, {ENSEMBLE}",
            reading="Means over days of what came, 5 the highest forecasts of a day; where "
            "forecasts order the stocks, the bars grow.",
        ),
        plot_fifths(_totals(report.fifths)),
        Rows(
            "Highest less lowest fifth",
            f"What came of the fifths by each forecaster, and how many of their stocks were in "
            f"another the day before. {_ERROR} No costs are taken off.",
            report.spreads,
            {},
        ),
        _turnover(report.fifths),
        Rows(
            f"IC by month, {ENSEMBLE}",
            f"Mean of the days of a month, and its standard error. {_ERROR} None where a month "
            f"has too few days for its horizon.",
            _of_ensemble(report.months),
            {},
        ),
        plot_long(
            report.weights,
            "cutoff",
            "member",
            "weight",
            title="Weights by cutoff",
            reading="Mean weight of each member over the stocks; they sum to 1.",
        ),
        Rows(
            "Failures",
            "Stocks that failed, and why.",
            Table(("ticker", "reason"), ("VARCHAR", "VARCHAR"), list(report.failures.items())),
            {},
        ),
    ]


def _of_ensemble(table: Table) -> Table:
    """Rows of the ensemble, without its name."""
    at = table.columns.index("forecaster")
    return Table(
        table.columns[:at] + table.columns[at + 1 :],
        table.types[:at] + table.types[at + 1 :],
        [row[:at] + row[at + 1 :] for row in table.rows if row[at] == ENSEMBLE],
    )


def _means_of_fifths(spreads: Table) -> Table:
    rows = [
        (name.removeprefix("fifth_"), value)
        for row in _of_ensemble(spreads).records()
        for name, value in row.items()
        if name.startswith("fifth_")
    ]
    return Table(("fifth", "actual"), ("VARCHAR", "DOUBLE"), rows)


def _totals(fifths: Table) -> Table:
    """Sums of what came by fifth, up to each day."""
    total: dict[int, float] = defaultdict(float)
    rows = []
    for row in _of_ensemble(fifths).records():
        total[row["fifth"]] += row["actual"]
        rows.append((row["date"], f"fifth {row['fifth']}", total[row["fifth"]]))
    return Table(("date", "fifth", "total"), ("DATE", "VARCHAR", "DOUBLE"), rows)


def _turnover(fifths: Table) -> Plot:
    ends = {1: "lowest", 5: "highest"}
    rows = [
        (row["date"], ends[row["fifth"]], row["turnover"])
        for row in _of_ensemble(fifths).records()
        if row["fifth"] in ends
    ]
    return plot_long(
        Table(("date", "fifth", "turnover"), ("DATE", "VARCHAR", "DOUBLE"), rows),
        "date",
        "fifth",
        "turnover",
        title=f"Turnover of the highest and lowest fifth, {ENSEMBLE}",
        reading="Share of the fifth's stocks that were in another the day before: whoever holds "
        "them trades so much of it in a day.",
    )
