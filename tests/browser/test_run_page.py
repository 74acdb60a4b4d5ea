"""A run's page in a real browser: what became of it, why, where its time went, and what a person can do about it."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.depot import BOOKS, Depot

pytestmark = pytest.mark.browser

# A run takes its time to be claimed, and a large one to stop at its next batch.
RUN_TIMEOUT = 60_000


def state(page: Page) -> Locator:
    return page.locator(".page-title .state")


def steps(page: Page) -> Locator:
    return page.get_by_role("list", name="What became of this run").get_by_role("listitem")


def test_a_run_tells_what_became_of_it_and_where_its_time_went(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    depot.comes_to(depot.run("books"), "succeeded")
    run_id = depot.run("books")
    page.goto(f"/runs/{run_id}")
    expect(state(page)).to_have_text("succeeded", timeout=RUN_TIMEOUT)
    expect(steps(page)).to_have_text(
        [re.compile("Queued"), re.compile(r"Claimed.*claim token 1"), re.compile("Succeeded")]
    )
    spent = page.get_by_role("table", name="Where the time went")
    expect(spent.get_by_role("rowheader")).to_have_text(
        [re.compile(name) for name in ("Source", "Transform", "Destination", "Checkpoint", "Opening", "Waiting")]
    )
    expect(spent.get_by_role("columnheader", name="Usually")).to_be_visible()
    expect(page.get_by_text(re.compile(r"(About as long as|longer than|less than) usual"))).to_be_visible()
    streams = page.get_by_role("table", name="Streams")
    expect(streams.get_by_role("row", name=re.compile("books"))).to_contain_text(str(BOOKS))
    attempt = page.get_by_role("table", name="Attempts").get_by_role("row").nth(1)
    expect(attempt).to_contain_text("succeeded")
    expect(attempt.get_by_role("link", name=re.compile(f"pid {depot.main.pid}$"))).to_be_visible()


def test_one_goes_from_a_run_to_those_of_its_job_before_and_after_it(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    older = depot.comes_to(depot.run("books"), "succeeded")
    newer = depot.comes_to(depot.run("books"), "succeeded")
    page.goto(f"/runs/{newer['id']}?tab=log")
    page.get_by_role("link", name=f"← #{older['sequence']}").click()
    expect(page).to_have_url(re.compile(rf"/runs/{older['id']}\?tab=log$"))
    page.get_by_role("link", name=f"#{newer['sequence']} →").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"books #{newer['sequence']}")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"books #{older['sequence']}")


def test_a_run_that_tries_again_counts_down_and_in_the_end_names_the_side_that_failed(
    at_depot: Visit, depot: Depot
) -> None:
    page = at_depot.page
    page.goto(f"/runs/{depot.run('flaky')}")
    expect(page.get_by_text(re.compile(r"^Attempt 2 starts in \d+ s, at \d\d:\d\d:\d\d$"))).to_be_visible(
        timeout=RUN_TIMEOUT
    )
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(state(page)).to_have_text(re.compile(r"^tries again in \d+ s$"))
    expect(state(page)).to_have_text("failed", timeout=RUN_TIMEOUT)
    fault = page.get_by_role("alert")
    expect(fault).to_contain_text("The source could not be read")
    expect(fault.get_by_role("link", name="Look at the source, away")).to_have_attribute("href", "/connections/away")
    attempts = page.get_by_role("table", name="Attempts")
    expect(attempts.get_by_role("rowheader")).to_have_text([re.compile("^2"), re.compile("^1")])
    expect(page.get_by_role("img", name=re.compile("paused before the next attempt"))).to_be_visible()
    attempts.get_by_role("link", name="Log of attempt 1").click()
    lines = page.get_by_role("list", name="Log lines").get_by_role("listitem")
    expect(lines.filter(has_text="attempt 1 of 2 failed")).to_be_visible()
    expect(page.get_by_label("Attempt")).to_have_value("1")
    expect(lines.filter(has_text="failed after attempt 2")).to_have_count(0)


def test_a_fault_of_the_job_leads_to_the_setting_and_to_the_line(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    run_id = depot.run("misnamed")
    page.goto(f"/runs/{run_id}")
    fault = page.get_by_role("alert")
    expect(fault).to_contain_text("The job needs a change", timeout=RUN_TIMEOUT)
    expect(fault).to_contain_text("boks")
    edit = fault.get_by_role("link", name="Edit the job at boks")
    expect(edit).to_have_attribute("href", "/jobs/misnamed?tab=settings&field=boks")
    fault.get_by_role("link", name="Its first error in the log").click()
    picked = page.get_by_role("list", name="Log lines").locator("li[aria-current]")
    expect(picked).to_contain_text("StreamNotFound")


def held(page: Page, depot: Depot) -> str:
    """A run that would remove nearly all books, on its page."""
    depot.fill_shelf(BOOKS)
    depot.comes_to(depot.run("books"), "succeeded")
    depot.fill_shelf(40)
    run_id = depot.run("books")
    page.goto(f"/runs/{run_id}")
    expect(page.get_by_text("It would remove 460 rows and waits for a person")).to_be_visible(timeout=RUN_TIMEOUT)
    expect(page.get_by_text("books: 460 rows removed from its target")).to_be_visible()
    return run_id


def test_a_held_run_says_what_it_would_remove_and_goes_on_when_approved(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    held(page, depot)
    page.get_by_role("button", name=re.compile("^Approve")).click()
    dialog = page.get_by_role("dialog", name="Approve")
    expect(dialog).to_contain_text("may remove up to 460 rows")
    expect(dialog.get_by_role("listitem")).to_have_text("books: 460 rows")
    dialog.get_by_role("button", name="Go back").click()
    expect(state(page)).to_have_text("held")
    page.get_by_role("button", name=re.compile("^Approve")).click()
    dialog.get_by_role("button", name="Approve").click()
    expect(state(page)).to_have_text("succeeded", timeout=RUN_TIMEOUT)
    expect(steps(page).filter(has_text="Approvedby admin")).to_be_visible()
    expect(steps(page).filter(has_text=re.compile("waited for a person"))).to_be_visible()


def test_a_held_run_that_is_discarded_ends_and_removes_nothing(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    held(page, depot)
    page.get_by_role("button", name=re.compile("^Discard")).click()
    page.get_by_role("dialog", name="Discard").get_by_role("button", name="Discard").click()
    expect(state(page)).to_have_text("cancelled", timeout=RUN_TIMEOUT)
    expect(steps(page).last).to_contain_text("discarded by admin")
    depot.fill_shelf(BOOKS)


def test_a_cancel_is_asked_stops_and_ends(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    run_id = depot.run("grains")
    page.goto(f"/runs/{run_id}")
    written = page.get_by_role("table", name="Streams").get_by_role("row").nth(1).get_by_role("cell").nth(2)
    expect(written).not_to_have_text("0", timeout=RUN_TIMEOUT)
    page.get_by_role("button", name=re.compile("^Cancel run")).click()
    expect(state(page)).to_have_text("cancelled", timeout=RUN_TIMEOUT)
    expect(steps(page).filter(has_text="Cancel askedby admin")).to_be_visible()
    expect(steps(page).last).to_contain_text("Cancelled")
    page.get_by_role("button", name=re.compile("^Retry run")).click()
    page.get_by_role("main").get_by_role("status").get_by_role("link", name=re.compile(r"^Run #\d+$")).click()
    expect(page.get_by_text("Started as a retry of")).to_be_visible()
    expect(page.get_by_role("link", name="an earlier run")).to_have_attribute("href", f"/runs/{run_id}")
    page.get_by_role("button", name=re.compile("^Cancel run")).click()
    expect(state(page)).to_have_text("cancelled", timeout=RUN_TIMEOUT)


def test_who_may_only_read_is_offered_no_deed(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    answer = page.request.post(
        "/api/tokens", data={"name": "a looker", "scope": "read"}, headers={"Origin": depot.main.url}
    )
    assert answer.ok, answer.text()
    run_id = held(page, depot)
    page.goto("about:blank")  # a page that asks on would be turned away in between
    page.context.clear_cookies()
    page.context.set_extra_http_headers({"Authorization": f"Bearer {answer.json()['token']}"})
    page.goto(f"/runs/{run_id}")
    expect(page.get_by_text("It would remove 460 rows")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("button", name=re.compile("Approve|Discard|Cancel"))).to_have_count(0)
    page.goto("/runs")
    expect(page.get_by_role("table", name="Runs").get_by_role("rowheader").first).to_be_visible()
    expect(page.get_by_role("table", name="Runs").get_by_role("checkbox")).to_have_count(0)
    depot.ask(f"/api/runs/{run_id}/discard", method="POST")
    depot.fill_shelf(BOOKS)


# The list.


def test_runs_are_narrowed_by_chips_that_are_in_the_address(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    depot.comes_to(depot.run("books"), "succeeded")
    depot.comes_to(depot.run("misnamed"), "failed")
    page.goto("/runs")
    rows = page.get_by_role("table", name="Runs").locator("tbody tr")
    page.get_by_role("button", name="failed", exact=True).click()
    expect(page).to_have_url(re.compile(r"/runs\?state=failed$"))
    expect(rows.filter(has_text="succeeded")).to_have_count(0)
    page.get_by_role("button", name="succeeded", exact=True).click()
    expect(page).to_have_url(re.compile(r"state=succeeded%2Cfailed$"))
    page.get_by_role("combobox", name="Job").fill("misnamed")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"job=misnamed"))
    expect(rows.filter(has_text="books")).to_have_count(0)
    expect(rows.filter(has_text="misnamed").first).to_be_visible()
    page.go_back()
    expect(page.get_by_role("combobox", name="Job")).to_be_visible()
    expect(rows.filter(has_text="books").first).to_be_visible()
    page.get_by_role("combobox", name="How they began").select_option("Retries")
    expect(page).to_have_url(re.compile(r"trigger=retry"))
    expect(rows.filter(has_text="by hand")).to_have_count(0)
    page.get_by_role("search").get_by_role("button", name="Clear the filters").click()
    expect(page).to_have_url(re.compile(r"/runs$"))


def test_the_list_stands_still_while_runs_are_selected_and_many_are_retried_at_once(
    at_depot: Visit, depot: Depot
) -> None:
    page = at_depot.page
    depot.comes_to(depot.run("misnamed"), "failed")
    page.goto("/runs?job=misnamed")
    rows = page.get_by_role("table", name="Runs").locator("tbody tr")
    first = rows.first.get_by_role("rowheader").get_by_role("link")
    newest = first.inner_text()
    rows.first.get_by_role("checkbox").check()
    bar = page.get_by_role("region", name="Selected runs")
    expect(bar).to_contain_text("1 run selected")
    depot.comes_to(depot.run("misnamed"), "failed")
    expect(bar.get_by_role("button", name="1 new or changed: show")).to_be_visible()
    expect(first).to_have_text(newest)
    bar.get_by_role("button", name="1 new or changed: show").click()
    expect(first).not_to_have_text(newest)
    expect(bar).to_contain_text("1 run selected")
    bar.get_by_role("button", name="Retry 1").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(re.compile(r"Retry 1 run: misnamed #\d+\?"))
    dialog.get_by_role("button", name="Retry 1").click()
    expect(page.get_by_text("A retry was queued of 1 run.")).to_be_visible()
    expect(rows.first).to_contain_text("as a retry")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_run_shuts_anybody_out(at_depot: Visit, depot: Depot, scheme: str) -> None:
    page = at_depot.page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    runs = [depot.run("misnamed"), depot.run("books")]
    depot.comes_to(runs[0], "failed")
    depot.comes_to(runs[1], "succeeded")
    waiting = held(page, depot)
    active = depot.run("flaky")
    found = []
    for address in ["/runs", "/runs?state=failed", *(f"/runs/{one}" for one in [*runs, waiting, active])]:
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("status", name="Loading")).to_have_count(0)
        for violation in Axe().run(page).response["violations"]:
            found.append((address, violation["id"], [node["target"] for node in violation["nodes"]]))
    assert found == []
    depot.stop(active)
    depot.ask(f"/api/runs/{waiting}/discard", method="POST")
    depot.fill_shelf(BOOKS)


@pytest.mark.parametrize("width", [360, 1024, 2560])
def test_no_run_is_wider_than_its_window(at_depot: Visit, depot: Depot, width: int) -> None:
    page = at_depot.page
    page.set_viewport_size({"width": width, "height": 800})
    run_id = depot.comes_to(depot.run("misnamed"), "failed")["id"]
    for address in [f"/runs/{run_id}", f"/runs/{run_id}?tab=log", "/runs", "/instances"]:
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("status", name="Loading")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
