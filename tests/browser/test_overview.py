"""The overview in a browser: the sentence, what waits, the timeline, the rows, and the first look at nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.browser.conftest import PATIENCE_MS, Visit
from tests.conftest import StartProgram
from tests.program import Program
from tests.waiting import until

pytestmark = pytest.mark.browser

RUN_TIMEOUT = 30_000
# Of the browser's own measure of shifts (web.dev/cls), far below what counts as good (0.1).
UNSEEN = 0.03


FIRST_QUESTIONS = {f"/api/{name}" for name in ("status", "needs", "timeline", "throughput")}


def answered(page: Page) -> set[str]:
    """The paths of the questions that this page has an answer to."""
    paths: list[str] = page.evaluate(
        "performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)"
    )
    return set(paths)


def run_of(page: Page, job: str) -> None:
    """Ask for a run, as a program would, and wait for its end."""
    answer = page.request.post(f"/api/jobs/{job}/run")
    if answer.status != 409:  # one that goes on will do
        assert answer.ok, answer.text()
    page.goto(f"/runs?job={job}")
    expect(page.get_by_role("table", name="Runs").get_by_role("row").nth(1)).to_contain_text(
        re.compile("succeeded|failed|cancelled"), timeout=RUN_TIMEOUT
    )


def ended(page: Page, run: str) -> bool:
    found: str = page.request.get(f"/api/runs/{run}").json()["state"]
    return found not in {"queued", "running"}


def test_one_sentence_says_how_things_are(page: Page) -> None:
    page.goto("/")
    sentence = re.compile(r"^4 jobs, .*; next run .*; this instance leads\.$")
    expect(page.get_by_role("heading", level=1)).to_have_text(sentence)
    expect(page.get_by_role("banner").get_by_text("Live", exact=True)).to_be_visible()
    leader = page.get_by_role("region", name="Leader")
    expect(leader).to_contain_text("this one")
    expect(leader).to_contain_text("Stands by")


def test_a_failure_needs_a_person_says_why_and_offers_what_mends_it(page: Page) -> None:
    run_of(page, "broken")
    page.goto("/")
    needs = page.get_by_role("region", name=re.compile("^Needs you"))
    need = needs.get_by_role("listitem").filter(has=page.get_by_role("link", name="broken", exact=True))
    expect(need).to_contain_text("there is no folder nothing-here")
    link = need.get_by_role("link", name=re.compile(r"^run #\d+$"))
    first = link.inner_text()
    need.get_by_role("button", name=re.compile("^Retry run .* of broken$")).click()
    # The retry fails as well: then its failure is the one that counts.
    expect(link).to_have_text(re.compile(rf"^(?!{first}$)"), timeout=RUN_TIMEOUT)


def test_the_counts_lead_to_the_jobs_that_they_count(page: Page) -> None:
    run_of(page, "broken")
    page.goto("/")
    page.get_by_role("list", name="Jobs by how they stand").get_by_role("link", name="1 failed").click()
    expect(page).to_have_url(re.compile(r"/jobs\?q=is:failed$"))
    expect(page.get_by_role("table", name="Jobs").get_by_role("rowheader")).to_have_count(1)


def test_the_timeline_leads_from_a_mark_to_its_run(page: Page) -> None:
    run_of(page, "orders")
    page.goto("/?range=1h")
    lane = page.get_by_role("slider", name=re.compile("^Runs of orders: "))
    expect(lane).to_have_attribute("aria-label", re.compile(r"succeeded.*to come"))
    expect(page.get_by_text("Now", exact=True)).to_be_visible()
    lane.focus()
    lane.press("End")
    expect(lane).to_have_attribute("aria-valuetext", re.compile("^(due|\\d+ fire times)"))
    lane.press("Home")
    expect(lane).to_have_attribute("aria-valuetext", re.compile("succeeded"))
    expect(page.locator(".tip")).to_contain_text("succeeded")
    lane.press("Enter")
    expect(page).to_have_url(re.compile(r"/runs/[0-9a-f]{32}$"))


def test_a_mark_tells_what_it_is_to_who_points_at_it(page: Page) -> None:
    run_of(page, "orders")
    page.goto("/?range=1h")
    lane = page.get_by_role("slider", name=re.compile("^Runs of orders: "))
    expect(lane.locator("[data-mark=succeeded]").first).to_be_visible()
    tip = page.locator(".tip")

    def pointed() -> tuple[float, float] | None:
        """Where a mark is now, once the pointer there shows its tip: what comes in above moves it."""
        box = lane.locator("[data-mark=succeeded]").first.bounding_box()
        if box is None:
            return None
        spot = box["x"] + 1, box["y"] + box["height"] / 2
        page.mouse.move(*spot)
        return spot if tip.filter(has_text="Click for").count() else None

    spot = until(pointed, "the mark tells what it is")
    expect(tip).to_contain_text("orders")
    page.mouse.click(*spot)
    expect(page).to_have_url(re.compile(r"/runs/[0-9a-f]{32}$"))


def test_nothing_moves_once_it_is_shown(page: Page) -> None:
    run_of(page, "broken")
    page.add_init_script("""
        window.moved = 0
        new PerformanceObserver((list) => {
            for (const shift of list.getEntries()) window.moved += shift.value
        }).observe({type: 'layout-shift', buffered: true})
    """)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/needs*", hold)
    with page.expect_request("**/api/needs*"), page.expect_response("**/api/timeline*"):
        page.goto("/")
    lane = page.get_by_role("slider", name=re.compile("^Runs of orders: "))
    expect(lane).to_have_count(0)
    held[0].continue_()
    expect(page.get_by_role("heading", name=re.compile("^Needs you"))).to_be_visible()
    expect(lane).to_be_visible()
    assert page.evaluate("window.moved") < UNSEEN


def test_the_span_and_the_search_of_the_timeline_are_in_the_address(page: Page) -> None:
    page.goto("/")
    page.get_by_role("group", name="Span of time").get_by_role("button", name="Next 7 d").click()
    expect(page).to_have_url(re.compile(r"range=week$"))
    lanes = page.get_by_role("list", name="Jobs, each with its runs and fire times").get_by_role("listitem")
    expect(lanes).to_have_count(4)
    page.get_by_role("combobox", name="Find jobs").fill("cata")
    expect(page).to_have_url(re.compile(r"range=week&q=cata$"))
    expect(lanes).to_have_count(1)
    page.reload()
    expect(lanes).to_have_count(1)
    expect(page.get_by_role("button", name="Next 7 d")).to_have_attribute("aria-pressed", "true")


def test_the_rows_over_time_can_be_walked_through_and_read_as_a_table(page: Page) -> None:
    run_of(page, "catalogue")
    page.goto("/?range=1h")
    chart = page.get_by_role("slider", name="Rows written over time")
    expect(chart).to_be_visible()
    chart.focus()
    chart.press("Home")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"0 rows written, 0 runs$"))
    page.get_by_text("As a table").click()
    table = page.get_by_role("table", name="Rows written over time")
    expect(table.get_by_role("row").nth(1)).to_contain_text(re.compile(r"\d"))


def test_the_page_can_be_made_to_stand_still(page: Page) -> None:
    waiting: set[Request] = set()
    # The driver cannot mark a method of a set as its own.
    page.on("request", lambda request: waiting.add(request))  # noqa: PLW0108
    page.on("requestfinished", lambda request: waiting.discard(request))  # noqa: PLW0108
    page.goto("/")
    banner = page.get_by_role("banner")
    expect(banner.get_by_text("Live", exact=True)).to_be_visible()
    # What is asked at first comes in part after other answers: a page that stands still still waits for that.
    until(
        lambda: answered(page) >= FIRST_QUESTIONS and not [one for one in waiting if "/api/events" not in one.url],
        "all that the page asks at first is answered",
    )
    banner.get_by_role("button", name="Pause the page").click()
    expect(banner.get_by_text("Paused", exact=True)).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    # Something happens that a live page would show, and ends.
    run = page.request.post("/api/jobs/catalogue/run").json()
    until(lambda: ended(page, run["id"]), "the run ends")
    expect(banner.get_by_text(re.compile(r"· \d+ s old"))).to_be_visible()
    assert [url for url in asked if "/api/" in url] == []
    banner.get_by_role("button", name="Let the page go on").click()
    expect(banner.get_by_text("Live", exact=True)).to_be_visible()


@pytest.fixture
def empty(program: StartProgram, environment: Callable[..., dict[str, str]]) -> Program:
    """The program with the worker inside, and nothing in its database."""
    return program(
        "-m", "app", env=environment(APP_ENV="production", AUTH="none", SECRET_KEY="a secret key for the tests")
    )


@pytest.fixture
def first_visit(chromium: Browser, empty: Program) -> Iterator[Visit]:
    opened = chromium.new_context(base_url=empty.url, viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(PATIENCE_MS)
    visited = Visit(opened.new_page())
    yield visited
    assert visited.complaints == []
    opened.close()


def test_an_empty_installation_shows_how_to_begin_and_makes_a_demo_with_one_click(first_visit: Visit) -> None:
    page = first_visit.page
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^No jobs yet; "))
    expect(page.get_by_role("link", name="Make a job")).to_be_visible()
    page.get_by_role("button", name="Look at a demo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^1 job, "))
    page.goto("/jobs")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="demo", exact=True))
    row.get_by_role("button", name="Run demo").click()
    expect(row.get_by_text("in step")).to_be_visible(timeout=RUN_TIMEOUT)
