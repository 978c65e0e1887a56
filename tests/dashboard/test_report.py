"""The report of a backtest: the numbers of its tables, on one page that needs nothing else."""

import html
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from bmastore import Store
from bmastore.dashboard.look import shown
from bmastore.datasets import planted_panel
from bmastore.errors import ConfigError
from tests.helpers import FAST, HORIZON, TARGET, cli

SECTORS = ("Tech", "<b>Health & Care</b>")
WITHOUT_JINJA = """
import sys
sys.modules["jinja2"] = None
from bmastore.cli import main
main()
"""


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """A store with sectors, its backtest, and the file of its report."""
    folder = tmp_path_factory.mktemp("reported")
    store = Store(folder / "<i>&bma.duckdb")
    panel = planted_panel(n_stocks=12, n_days=420, seed=21)
    store.ingest(panel, target=TARGET, horizon=HORIZON)
    names = sorted(panel["ticker"].unique())
    sectors = pd.DataFrame({"ticker": names, "sector": [SECTORS[i % 2] for i in range(12)]})
    sectors.to_csv(folder / "sectors.csv", index=False)
    store.ingest_stocks(folder / "sectors.csv")
    return store, store.backtest(FAST, cutoffs=2, every=30, report=folder / "r.html"), folder


@pytest.fixture(scope="module")
def text(reported):
    return (reported[2] / "r.html").read_text(encoding="utf-8")


def table(text, title):
    """Cells of the table below a heading."""
    part = text.partition(f"<h2>{title}</h2>")[2].partition("</section>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", part, re.S)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
    return [[html.unescape(cell) for cell in row] for row in cells]


def lines(text, title):
    """Lines of the plot below a heading, by label."""
    part = text.partition(f"<h2>{title}</h2>")[2].partition("</figure>")[0]
    content = json.loads(re.search(r"application/json\">(.*?)</script>", part, re.S)[1])
    return {line["label"]: line["values"] for line in content["lines"]}


def of_ensemble(table):
    frame = table.frame()
    return frame[frame["forecaster"] == "ensemble"].drop(columns="forecaster")


def as_shown(frame):
    return [[shown(value) for value in row] for row in frame.astype(object).to_numpy().tolist()]


def test_its_scores_are_those_of_the_backtest(reported, text):
    _, report, _ = reported
    scores = report.scores.frame()
    every = {row[0]: row for row in table(text, "Forecasters")[1:]}
    whole = scores[scores["slice"] == "all"].set_index("forecaster")
    assert set(every) == set(whole.index)
    for name, row in every.items():
        assert row[3] == shown(None if np.isnan(whole["ic"][name]) else whole["ic"][name])
        assert row[6] == shown(whole["crps_vs_zero"][name])
    sliced = scores[(scores["slice"] != "all") & (scores["forecaster"] == "ensemble")]
    found = table(text, "By year, liquidity and sector, ensemble")[1:]
    parts = [tuple(part) for part in sliced[["slice", "part"]].to_numpy().tolist()]
    assert sorted(tuple(row[:2]) for row in found) == sorted(parts)
    assert {row[1] for row in found if row[0] == "sector"} == set(SECTORS)
    assert sum(int(row[2]) for row in found if row[0] == "sector") == whole["n_rows"].iloc[0]


def test_its_days_and_fifths_are_those_of_the_backtest(reported, text):
    _, report, _ = reported
    days = of_ensemble(report.days)
    assert lines(text, "IC by day, ensemble")["day"] == pytest.approx(days["ic"].tolist())
    covered = days["coverage_80"].rolling(20, min_periods=1).mean().tolist()
    assert lines(text, "Coverage, 20 days")["80 %"] == pytest.approx(covered)
    fifths = of_ensemble(report.fifths).pivot(index="date", columns="fifth", values="actual")
    found = lines(text, "What came, by fifth of the forecasts")
    for fifth in range(1, 6):
        assert found[f"fifth {fifth}"] == pytest.approx(fifths[fifth].cumsum().tolist())
    turnover = of_ensemble(report.fifths).pivot(index="date", columns="fifth", values="turnover")
    changed = lines(text, "Turnover of the highest and lowest fifth, ensemble")
    for label, fifth in (("lowest", 1), ("highest", 5)):
        assert changed[label][0] is None
        assert changed[label][1:] == pytest.approx(turnover[fifth].tolist()[1:])


def test_its_months_and_spreads_are_those_of_the_backtest(reported, text):
    _, report, _ = reported
    months = of_ensemble(report.months).assign(month=lambda frame: frame["month"].dt.date)
    months = months.astype(object).where(months.notna(), None)
    assert table(text, "IC by month, ensemble")[1:] == as_shown(months)
    by_month = of_ensemble(report.days).groupby(lambda i: report.days.frame()["date"][i].month)
    assert months["ic"].tolist() == pytest.approx(by_month["ic"].mean().tolist())
    spreads = report.spreads.frame()
    assert table(text, "Highest less lowest fifth")[1:] == as_shown(spreads)
    means = of_ensemble(report.fifths).groupby("fifth")["actual"].mean()
    (ours,) = of_ensemble(report.spreads).to_dict("records")
    assert ours["highest_less_lowest"] == pytest.approx(means[5] - means[1])
    assert ours["highest_less_lowest"] > 3 * ours["error"] > 0  # the signal is planted
    bars = table(text, "Mean target by fifth of the forecasts, ensemble")[1:]
    assert [row[1] for row in bars] == [shown(value) for value in means]


def test_bars_go_from_one_zero_to_the_left_or_to_the_right(text):
    section = text.partition("Mean target by fifth of the forecasts, ensemble</h2>")[2]
    bars = re.findall(
        r'class="number">([^<]*)</td>\s*<td class="bar two-sided"><span class="\w+" '
        r'style="margin-left: ([\d.]+)%; width: ([\d.]+)%"',
        section.partition("</section>")[0],
    )
    assert len(bars) == 5
    longest = max(abs(float(value)) for value, _, _ in bars)
    for value, start, width in bars:
        share = float(value) / longest
        assert float(width) == pytest.approx(50 * abs(share), abs=0.3)
        zero = float(start) + float(width) if share < 0 else float(start)
        assert zero == pytest.approx(50, abs=0.1)


def test_it_is_drawn_from_disk_without_an_error_or_a_request(browser, reported):
    from axe_playwright_python.sync_playwright import Axe

    file = (reported[2] / "r.html").as_uri()
    context = browser.new_context(viewport={"width": 1000, "height": 900}, offline=True)
    page, faults, asked = context.new_page(), [], []
    page.on("console", lambda said: faults.append(said.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file)
    plots, drawn = page.locator("figure.plot"), page.locator("figure.plot canvas")
    assert drawn.count() == plots.count() == 5
    assert page.evaluate("document.documentElement.scrollWidth") <= 1000
    assert page.title() == f"{page.locator('h1').inner_text()} · <i>&bma.duckdb"
    context.close()
    assert faults == []
    assert asked == [file]
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(file)
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    context.close()


def test_it_is_renewed_and_nothing_else_is_written_over(reported, tmp_path):
    store, _, _ = reported
    file, args = tmp_path / "r.html", ("--preset", "ultrafast", "--cutoffs", 1, "--every", 20)
    command = ("backtest", *args, "--tickers", "DEMO01,DEMO02,DEMO03,DEMO04,DEMO05,DEMO06",
               "--store", store.path, "--report", file)  # fmt: skip
    for _ in range(2):
        cli(*command)
        newest = store.sql("select backtest_id from v_backtests where is_newest").iloc[0, 0]
        assert f"<h1>Backtest {newest[:8]}</h1>" in file.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
    file.write_text("<!doctype html>\n<title>My thesis</title>\n")
    refused = cli(*command, check=2).stderr
    assert "text is there already, and is not written over" in refused
    assert "My thesis" in file.read_text()
    with pytest.raises(ConfigError, match="there is no folder"):
        store.backtest(FAST, report=tmp_path / "no" / "r.html")
    assert store.sql("select count(*) from backtests").iloc[0, 0] == 3


def test_without_the_extra_it_says_so_before_the_work(reported, tmp_path):
    store, _, _ = reported
    before = store.sql("from backtests")
    command = ("backtest", "--store", store.path, "--report", tmp_path / "r.html")
    refused = subprocess.run(
        [sys.executable, "-c", WITHOUT_JINJA, *command], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr == (
        "bmastore: a report needs jinja2; run: pip install 'bmastore[dashboard]'\n"
    )
    pd.testing.assert_frame_equal(store.sql("from backtests"), before)
    assert list(tmp_path.iterdir()) == []
