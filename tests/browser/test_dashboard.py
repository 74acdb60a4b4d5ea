"""The dashboard in a real browser on the real program: what a person sees, clicks, and sees then."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import PASSWORD, Visit

pytestmark = pytest.mark.browser

# A run takes its time to be claimed, and a large one to stop at its next batch.
RUN_TIMEOUT = 30_000


def line(page: Page, name: str) -> Locator:
    """The row of a table whose first column is `name`."""
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=re.compile(rf"^{name}\b")))


def run_now(page: Page, job: str) -> None:
    """Ask for a run of `job` on its page, and go to that run's."""
    page.goto(f"/jobs/{job}")
    button = page.get_by_role("button", name=f"Run now {job}")
    expect(button).to_be_enabled(timeout=RUN_TIMEOUT)
    button.click()
    page.get_by_role("main").get_by_role("status").get_by_role("link", name=re.compile(r"^Run #\d+$")).click()
    expect(page).to_have_url(re.compile(r"/runs/[0-9a-f]{32}$"))


def test_the_password_opens_the_page_that_was_asked_for(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/runs?state=failed")
    expect(page).to_have_url(re.compile(r"/login\?next="))
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("That is not the password.")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/runs\?state=failed$"))
    expect(page.get_by_role("heading", name="Runs", level=1)).to_be_visible()


def test_a_run_goes_by_live(page: Page) -> None:
    run_now(page, "slow")
    expect(page.get_by_text("running", exact=True).first).to_be_visible(timeout=RUN_TIMEOUT)
    written = page.get_by_role("table", name="Streams").get_by_role("row").nth(1).get_by_role("cell").nth(2)
    expect(written).not_to_have_text("0", timeout=RUN_TIMEOUT)
    first = written.inner_text()
    expect(written).not_to_have_text(first, timeout=RUN_TIMEOUT)
    page.get_by_role("button", name=re.compile("^Cancel run")).click()
    expect(page.locator(".page-title .state")).to_have_text("cancelled", timeout=RUN_TIMEOUT)


def test_a_cancelled_run_is_retried_as_a_new_one(page: Page) -> None:
    run_now(page, "slow")
    expect(page.locator(".page-title .state")).to_have_text("running", timeout=RUN_TIMEOUT)
    page.get_by_role("button", name=re.compile("^Cancel run")).click()
    expect(page.locator(".page-title .state")).to_have_text("cancelled", timeout=RUN_TIMEOUT)
    page.get_by_role("button", name=re.compile("^Retry run")).click()
    page.get_by_role("main").get_by_role("status").get_by_role("link").click()
    expect(page.get_by_text("Started as a retry of")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Cancel run")).click()
    expect(page.locator(".page-title .state")).to_have_text("cancelled", timeout=RUN_TIMEOUT)


def test_a_run_that_succeeds_shows_what_it_moved(page: Page) -> None:
    run_now(page, "orders")
    expect(page.locator(".page-title .state")).to_have_text("succeeded", timeout=RUN_TIMEOUT)
    streams = page.get_by_role("table", name="Streams")
    expect(streams.get_by_role("rowheader")).to_have_text([re.compile("customers"), re.compile("orders")])
    page.goto("/jobs")
    expect(line(page, "orders").get_by_text("in step")).to_be_visible()


def test_filters_are_in_the_address_and_back_undoes_them(page: Page) -> None:
    page.goto("/runs?job=orders")
    missed = page.get_by_role("button", name="missed", exact=True)
    missed.click()
    expect(page).to_have_url(re.compile(r"/runs\?job=orders&state=missed$"))
    expect(missed).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile(r"/runs\?job=orders$"))
    expect(missed).to_have_attribute("aria-pressed", "false")
    page.go_forward()
    page.get_by_role("button", name="Clear the filters").first.click()
    expect(page).to_have_url(re.compile(r"/runs$"))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/jobs/nobody", "There is no job “nobody”"),
        ("/runs/0123", "There is no run “0123”"),
        ("/nowhere/at/all", "There is no page at this address"),
    ],
)
def test_an_unknown_id_is_a_page(visit: Visit, address: str, told: str) -> None:
    visit.expected_statuses = {404}
    visit.page.goto(address)
    expect(visit.page.get_by_text(told)).to_be_visible()
    visit.page.get_by_role("link", name="Go to the overview").click()
    expect(visit.page.get_by_role("heading", level=1)).to_contain_text("4 jobs")


def test_a_connection_is_tested_in_milliseconds(page: Page) -> None:
    page.goto("/connections")
    page.get_by_role("button", name="Test shop", exact=True).click()
    expect(line(page, "shop").get_by_text(re.compile(r"answers · \d+ ms"))).to_be_visible()
    page.get_by_role("button", name="Test nowhere", exact=True).click()
    expect(line(page, "nowhere").get_by_text(re.compile("^fails at "))).to_be_visible()


def test_no_secret_is_on_the_page(page: Page) -> None:
    page.goto("/connections")
    expect(line(page, "lake")).to_be_visible()
    assert "mongodb://" not in page.get_by_role("table", name="Connections").inner_text()


def test_the_instance_that_leads_wears_a_badge(page: Page) -> None:
    page.goto("/instances")
    instance = page.get_by_role("table", name="Instances").get_by_role("row").nth(1)
    expect(instance.get_by_text("leads", exact=True)).to_be_visible()
    expect(instance.get_by_text("this one")).to_be_visible()
    expect(page.get_by_role("table", name="Terms").get_by_text("leads now")).to_be_visible()


def test_a_chosen_theme_lasts(page: Page) -> None:
    page.goto("/settings")
    assert ground(page) == "rgb(245, 246, 248)"
    page.get_by_role("banner").get_by_role("button", name="Dark").click()
    assert ground(page) == "rgb(13, 17, 23)"
    page.reload()
    expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()
    assert ground(page) == "rgb(13, 17, 23)"


def ground(page: Page) -> str:
    found: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return found


def test_a_server_that_is_gone_is_told_with_the_age_of_the_data(visit: Visit) -> None:
    page = visit.page
    page.goto("/jobs")
    expect(line(page, "orders")).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("What you see is of", timeout=RUN_TIMEOUT)
    expect(line(page, "orders")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_have_count(0, timeout=RUN_TIMEOUT)
    visit.complaints.clear()  # that nobody answered is what this is about


PAGES = ["/", "/jobs", "/jobs/orders", "/runs", "/connections", "/instances", "/settings", "/nowhere"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_shuts_anybody_out(visit: Visit, scheme: str) -> None:
    page = visit.page
    visit.expected_statuses = {404}
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    page.goto("/runs")
    newest = page.get_by_role("table", name="Runs").get_by_role("rowheader").first
    run = newest.get_by_role("link").get_attribute("href")
    assert run is not None
    found = []
    for address in [*PAGES, run, "/login"]:
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("load")
        for violation in Axe().run(page).response["violations"]:
            found.append((address, violation["id"], [node["target"] for node in violation["nodes"]]))
    assert found == []


@pytest.mark.parametrize("width", [360, 1024, 2560])
def test_no_page_is_wider_than_its_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for address in PAGES[:-1]:
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
