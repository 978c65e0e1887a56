"""The dashboard in a real Chromium."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bmastore import PassOptions
from bmastore.dashboard.app import PAGES
from tests.helpers import FAST

playwright_sync = pytest.importorskip("playwright.sync_api", reason="needs playwright")
expect = playwright_sync.expect
ROWS = ".listing tbody tr"
ONES = ("stocks/DEMO03", "sql?query=from+v_runs")


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("width", [1400, 400])
def test_every_page_is_drawn_without_an_error_or_a_foreign_request(
    browser, address, tmp_path, width
):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page, faults, asked = context.new_page(), [], set()
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    folder = Path(os.environ.get("BMASTORE_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    for path in (*PAGES, *ONES):
        page.goto(address + path)
        plots, drawn = page.locator("figure.plot"), page.locator("figure.plot canvas")
        assert drawn.count() == plots.count()
        # What is wide scrolls in its own place.
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        name = "".join(letter if letter.isalnum() else "_" for letter in path) or "overview"
        page.screenshot(path=folder / f"{name}_{width}.png", full_page=True)
    context.close()
    assert faults == []
    assert asked <= {urlsplit(address).netloc, ""}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, address, scheme):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    for path in (*PAGES, *ONES):
        page.goto(address + path)
        found = Axe().run(page).response["violations"]
        serious = [
            (one["id"], one["nodes"][0]["html"])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == [], path
    context.close()


def test_typing_filters_the_list_and_the_address_can_be_kept(page, address):
    page.goto(f"{address}stocks")
    page.keyboard.press("/")
    page.keyboard.type("MO03")
    expect(page.locator(ROWS)).to_have_count(1, timeout=60_000)
    page.wait_for_url("**search=MO03**")
    page.reload()
    assert page.locator(ROWS).count() == 1
    assert page.locator("input[type=search]").input_value() == "MO03"


def test_sorting_and_paging_by_clicks(page, address, shown_store):
    page.goto(f"{address}stocks")
    page.get_by_role("link", name="mean", exact=True).click()
    best = shown_store.sql("select ticker from v_newest_forecasts order by mean desc limit 1")
    assert page.locator(".listing tbody td").first.inner_text() == best["ticker"][0]
    page.get_by_role("link", name="Next").click()
    assert page.get_by_text("page 2 of 2").is_visible()


def test_a_plot_tells_its_newest_values_until_others_are_pointed_at(page, address):
    page.goto(f"{address}stocks/DEMO03")
    plot = page.locator("figure.plot").first
    when = plot.locator(".u-legend .u-value").first
    newest = when.inner_text()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", newest)
    plot.locator(".u-over").hover(position={"x": 1, "y": 50})
    assert when.inner_text() < newest
    page.mouse.move(0, 0)
    expect(when).to_have_text(newest)


def test_a_pass_in_another_process_is_seen_without_losing_what_was_typed(
    page, address, shown_store
):
    page.goto(f"{address}runs")
    before = page.locator(ROWS).count()
    shown_store.train(FAST, PassOptions(tickers=("DEMO01",), force=True))
    expect(page.locator(ROWS)).to_have_count(before + 1, timeout=60_000)
    page.goto(f"{address}stocks")
    page.locator("select[name=status]").select_option("trained")
    page.wait_for_url("**status=trained**")
    page.locator("input[name=search]").fill("DEMO0")
    page.wait_for_url("**search=DEMO0**")
    with page.expect_response(lambda got: "seen=" in got.url and got.status == 200, timeout=60_000):
        shown_store.train(FAST, PassOptions(tickers=("DEMO02",), force=True))
    assert page.locator("input[name=search]").input_value() == "DEMO0"
    assert page.locator("select[name=status]").input_value() == "trained"
