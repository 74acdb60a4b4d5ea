"""The list of jobs in a browser: found, run, paused, many at once, and still while some are selected."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

RUN_TIMEOUT = 30_000


def row(page: Page, job: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=job, exact=True))


def test_a_row_says_how_its_job_stands_and_when_it_runs(page: Page) -> None:
    page.goto("/jobs")
    orders = row(page, "orders")
    expect(orders).to_contain_text("kept by jobs.yaml")
    expect(orders).to_contain_text("shop → lake · 2 streams")
    expect(orders.get_by_role("img", name=re.compile(r"^(Last \d+ runs?: |No runs yet)"))).to_be_visible()
    soon = orders.locator(".when")
    expect(soon).to_have_attribute("data-tip", re.compile(r"\d+ \w+ \d{4}, \d\d:\d\d:\d\d"))
    expect(row(page, "slow")).to_contain_text("by hand only")


def test_a_job_is_run_from_its_row(page: Page) -> None:
    page.goto("/jobs")
    broken = row(page, "broken")
    before = broken.get_by_role("img").get_attribute("aria-label")
    assert before is not None
    broken.get_by_role("button", name="Run broken").click()
    expect(broken.get_by_role("status").get_by_role("link", name=re.compile(r"^Run #\d+$"))).to_be_visible()
    expect(broken.get_by_text("failed", exact=True)).to_be_visible(timeout=RUN_TIMEOUT)
    expect(broken.get_by_role("img")).not_to_have_attribute("aria-label", before, timeout=RUN_TIMEOUT)


def test_a_job_is_paused_and_resumed(page: Page) -> None:
    page.goto("/jobs")
    catalogue = row(page, "catalogue")
    catalogue.get_by_role("button", name="Pause catalogue").click()
    expect(catalogue.get_by_role("button", name="Resume catalogue")).to_be_visible()
    expect(catalogue.get_by_text("paused").first).to_be_visible()
    catalogue.get_by_role("button", name="Resume catalogue").click()
    expect(catalogue.get_by_role("button", name="Pause catalogue")).to_be_visible()
    expect(catalogue.locator(".when")).to_contain_text(re.compile(r"\d+ (s|min)|now"))


def test_a_search_suggests_is_in_the_address_and_is_taken_apart_by_its_chips(page: Page) -> None:
    page.goto("/jobs")
    search = page.get_by_role("combobox", name="Find jobs")
    search.press_sequentially("so")
    page.get_by_role("option", name=re.compile("^source:")).click()
    page.get_by_role("option", name=re.compile("^source:shop")).click()
    expect(page).to_have_url(re.compile(r"/jobs\?q=source%3Ashop$"))
    headers = page.get_by_role("table", name="Jobs").get_by_role("rowheader")
    expect(headers).to_have_count(1)
    search.press_sequentially("nothing")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.get_by_role("button", name="nothing: take it out").click()
    expect(headers).to_have_count(1)
    page.get_by_role("button", name="source:shop: take it out").click()
    expect(headers).to_have_count(4)
    expect(page).to_have_url(re.compile(r"/jobs$"))


def test_a_search_that_makes_no_sense_says_what_may_be_meant(visit: Visit) -> None:
    visit.expected_statuses = {422}
    page = visit.page
    page.goto("/jobs")
    expect(row(page, "orders")).to_be_visible()
    page.get_by_role("combobox", name="Find jobs").fill("is:faild")
    expect(page.get_by_role("alert")).to_contain_text("did you mean failed?")
    page.get_by_role("button", name="Clear the search").click()
    expect(row(page, "orders")).to_be_visible()


def test_many_jobs_are_paused_and_resumed_at_once(page: Page) -> None:
    page.goto("/jobs")
    page.get_by_role("checkbox", name="Select broken").click()
    page.get_by_role("checkbox", name="Select catalogue").click(modifiers=["Shift"])
    bar = page.get_by_role("region", name="Selected jobs")
    expect(bar).to_contain_text("2 jobs selected")
    expect(page).to_have_url(re.compile(r"selected=broken%2Ccatalogue$"))
    bar.get_by_role("button", name="Pause 2").click()
    expect(bar).to_contain_text("Paused 2 jobs.")
    expect(row(page, "catalogue").get_by_role("button", name="Resume catalogue")).to_be_visible()
    page.get_by_role("checkbox", name="Select broken").click()
    page.get_by_role("checkbox", name="Select catalogue").click()
    bar.get_by_role("button", name="Resume 2").click()
    expect(bar).to_contain_text("Resumed 2 jobs.")


def test_a_deed_that_is_refused_for_some_says_for_which_and_why(visit: Visit) -> None:
    visit.expected_statuses = {409}
    page = visit.page
    page.goto("/jobs")
    expect(row(page, "slow")).to_be_visible()
    page.get_by_role("checkbox", name="Select slow").click()
    # Meanwhile somebody else asks for a run of it: the list stands still, and its button is still there.
    run = page.request.post("/api/jobs/slow/run")
    assert run.ok
    bar = page.get_by_role("region", name="Selected jobs")
    expect(bar.get_by_role("button", name=re.compile(r"^\d changed: refresh$"))).to_be_visible()
    expect(row(page, "slow").get_by_text("running", exact=True)).to_have_count(0)
    bar.get_by_role("button", name="Run 1").click()
    expect(bar).to_contain_text("1 job refused. slow: ")
    page.request.post(f"/api/runs/{run.json()['id']}/cancel")


def test_the_list_stands_still_while_rows_are_selected_until_it_is_let_go(page: Page) -> None:
    page.goto("/jobs")
    page.get_by_role("checkbox", name="Select orders").click()
    bar = page.get_by_role("region", name="Selected jobs")
    page.request.post("/api/jobs/catalogue/disable")
    expect(bar.get_by_role("button", name=re.compile(r"^\d changed: refresh$"))).to_be_visible()
    expect(row(page, "catalogue").get_by_role("button", name="Pause catalogue")).to_be_visible()
    bar.get_by_role("button", name=re.compile("changed: refresh$")).click()
    expect(row(page, "catalogue").get_by_role("button", name="Resume catalogue")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Select orders")).to_be_checked()
    page.request.post("/api/jobs/catalogue/enable")
    page.get_by_role("button", name=re.compile("^Clear")).click()
    expect(row(page, "catalogue").get_by_role("button", name="Pause catalogue")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/jobs$"))


def test_where_it_is_narrow_a_job_is_a_card(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto("/jobs")
    orders = row(page, "orders")
    expect(orders.get_by_role("button", name="Run orders")).to_be_visible()
    expect(orders.get_by_text(re.compile("in step|running|queued|not yet run")).first).to_be_visible()
    box, window = orders.bounding_box(), page.viewport_size
    assert box is not None
    assert window is not None
    assert box["height"] > 100
    assert box["x"] + box["width"] <= window["width"]
