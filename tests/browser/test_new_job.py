"""A newcomer's hour in a browser: connect, choose, schedule, watch, break, mend; with the keyboard alone too."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import Visit
from tests.program import Program

pytestmark = pytest.mark.browser

RUN_TIMEOUT = 40_000
MOST_TABS = 120


def make_shop(path: Path) -> None:
    with sqlite3.connect(path) as shop:
        shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL, updated_at TEXT NOT NULL)")
        shop.executemany(
            "INSERT INTO orders VALUES (?, ?, ?)", ((n, n * 1.5, f"2026-11-{1 + n % 28:02d}") for n in range(50))
        )
        shop.execute("CREATE TABLE countries (code TEXT PRIMARY KEY, name TEXT)")
        shop.executemany("INSERT INTO countries VALUES (?, ?)", [("DE", "Germany"), ("JP", "Japan")])
    shop.close()


@pytest.fixture(scope="module")
def shop_file(desk: Program) -> Path:
    path = desk.folder / "newcomer.db"
    make_shop(path)
    return path


def ready(context: BrowserContext, name: str, path: Path) -> None:
    """Both connections of a job, by the API; as a test before this one may have left them."""
    for body in (
        {"id": name, "type": "sqlite", "path": str(path)},
        {"id": "warehouse", "type": "mongodb", "url": "${LAKE_URL}", "database": f"warehouse_{name.replace('-', '_')}"},
    ):
        assert context.request.post("/api/connections", data=body).status in (201, 409)


def state(page: Page) -> Locator:
    return page.locator(".page-title .state")


def at_step(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", level=2, name=re.compile(f"^{title}"))).to_be_visible()


def test_a_newcomer_connects_chooses_schedules_watches_breaks_and_mends(sitting: Visit, shop_file: Path) -> None:
    page = sitting.page
    page.goto("/new-job")
    # Connect: a path that is not there is told before it is saved.
    page.get_by_role("radio", name="sqlite").or_(page.get_by_role("button", name="Make a new connection")).first.click()
    page.get_by_role("radio", name="sqlite").check()
    page.get_by_label("Name", exact=True).fill("till")
    page.get_by_label("Path").fill(str(shop_file) + ".missing")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("fails at name")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\d+ ms$")).first).to_be_visible()
    page.get_by_label("Path").fill(str(shop_file))
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("answers")).to_be_visible()
    page.get_by_role("button", name="Save connection").click()

    at_step(page, "Destination")
    page.get_by_role("button", name="Make a new connection").click()
    page.get_by_role("radio", name="mongodb").check()
    page.get_by_label("Name", exact=True).fill("barn")
    page.get_by_label("URL").fill("${LAKE_URL}")
    assert page.get_by_label("URL").get_attribute("type") == "password"
    page.get_by_label("Database").fill("newcomer_barn")
    page.get_by_role("button", name="Save connection").click()

    # Choose.
    at_step(page, "Streams")
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.get_by_role("checkbox", name="orders").check()
    page.get_by_role("checkbox", name="countries").check()
    page.get_by_role("button", name="Look into countries").click()
    expect(
        page.get_by_role("table", name="First rows of countries").get_by_role("cell", name="Germany")
    ).to_be_visible()
    page.get_by_role("button", name="Next").click()
    orders = page.get_by_role("region", name="Stream orders")
    expect(orders.get_by_role("radio", name="Incremental")).to_be_checked()
    expect(orders.get_by_label("Cursor")).to_have_value("updated_at")
    expect(page.get_by_role("region", name="Stream countries").get_by_role("radio", name="Replace")).to_be_checked()
    page.get_by_role("button", name="Next").click()

    # Schedule.
    at_step(page, "Schedule")
    page.get_by_role("radio", name="By the clock").check()
    page.get_by_label("Cron").fill("30 2 * * *")
    page.get_by_label("Time zone").fill("Europe/Paris")
    times = page.get_by_role("table", name="Next fire times").get_by_role("row")
    expect(times).to_have_count(6)
    expect(page.get_by_text("At 02:30 every day (Europe/Paris).")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    at_step(page, "Safety")
    page.get_by_role("button", name="Next").click()

    # Read what will happen, and watch it.
    at_step(page, "Review")
    expect(
        page.get_by_text("it updates the rows of orders that changed by updated_at, found again by id")
    ).to_be_visible()
    expect(page.get_by_label("Name of the job")).to_have_value("till-to-barn")
    expect(page.get_by_role("region", name="The job as YAML")).to_contain_text("timezone: Europe/Paris")
    page.get_by_role("button", name="Create and run now").click()
    expect(page).to_have_url(re.compile(r"/runs/[0-9a-f]{32}$"))
    expect(state(page)).to_have_text("succeeded", timeout=RUN_TIMEOUT)

    # Break it, see why, mend it.
    with sqlite3.connect(shop_file) as shop:
        shop.execute("ALTER TABLE countries RENAME TO lands")
    shop.close()
    page.goto("/jobs/till-to-barn")
    page.get_by_role("button", name=re.compile("^Run.* till-to-barn$")).click()
    page.get_by_role("main").get_by_role("status").get_by_role("link", name=re.compile(r"^Run #\d+$")).click()
    expect(state(page)).to_have_text("failed", timeout=RUN_TIMEOUT)
    expect(page.get_by_role("main")).to_contain_text("countries")
    with sqlite3.connect(shop_file) as shop:
        shop.execute("ALTER TABLE lands RENAME TO countries")
    shop.close()
    page.get_by_role("button", name=re.compile("^Retry run")).click()
    page.get_by_role("main").get_by_role("status").get_by_role("link", name=re.compile(r"^Run #\d+$")).click()
    expect(state(page)).to_have_text("succeeded", timeout=RUN_TIMEOUT)


def test_a_draft_outlives_a_reload_and_back_goes_a_step_back(sitting: Visit, shop_file: Path) -> None:
    page = sitting.page
    ready(page.context, "till-2", shop_file)
    page.goto("/new-job?step=review")
    at_step(page, "Source")  # nothing is chosen yet
    page.get_by_role("radio", name="till-2").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("radio", name="warehouse").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("checkbox", name="orders").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("region", name="Stream orders").get_by_role("radio", name="Append").check()
    page.reload()
    expect(page.get_by_role("region", name="Stream orders").get_by_role("radio", name="Append")).to_be_checked()
    page.go_back()
    at_step(page, "Streams")
    expect(page.get_by_role("checkbox", name="orders")).to_be_checked()
    page.go_forward()
    at_step(page, "Mode and write")
    page.get_by_role("button", name="Start over").click()
    at_step(page, "Source")
    expect(page.get_by_role("radio", name="till-2")).not_to_be_checked()


def test_what_the_server_refuses_is_told_at_its_field_in_its_step(sitting: Visit, shop_file: Path) -> None:
    page = sitting.page
    sitting.expected_statuses = {422}
    ready(page.context, "till-3", shop_file)
    draft(page, "till-3")
    page.goto("/new-job?step=safety")
    page.get_by_label("Timeout of an attempt").fill("soon")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Name of the job").fill("refused-first")
    page.get_by_role("button", name="Create paused").click()
    at_step(page, "Safety")
    timeout = page.get_by_label("Timeout of an attempt")
    expect(timeout).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("link", name="Safety has a fault")).to_be_visible()
    timeout.fill("1h")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Create paused").click()
    expect(page).to_have_url(re.compile(r"/jobs/refused-first$"))
    expect(state(page).first).to_contain_text("paused")


def draft(page: Page, source: str) -> None:
    """Go to the review with one stream of `source`, which takes no more than what each step suggests."""
    page.goto("/new-job")
    page.get_by_role("radio", name=source, exact=True).check()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("radio", name="warehouse").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("checkbox", name="orders").check()
    page.get_by_role("button", name="Next").click()
    at_step(page, "Mode and write")


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus, as somebody without a mouse must."""
    expect(wanted).to_be_visible()
    for _ in range(MOST_TABS):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} is not reached by {MOST_TABS} presses of Tab")


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    tab_to(page, wanted)
    page.keyboard.press(key)


def test_a_job_is_made_with_the_keyboard_alone(sitting: Visit, shop_file: Path) -> None:
    page = sitting.page
    ready(page.context, "till-4", shop_file)
    page.goto("/new-job")
    at_step(page, "Source")
    # A group of radio buttons is one stop: the arrows choose within it.
    first = page.get_by_role("radio").first
    tab_to(page, first)
    page.keyboard.press("Space")
    wanted = page.get_by_role("radio", name="till-4", exact=True)
    for _ in range(page.get_by_role("radio").count()):
        if wanted.is_checked():
            break
        page.keyboard.press("ArrowDown")
    expect(wanted).to_be_checked()
    press(page, page.get_by_role("button", name="Next"))
    at_step(page, "Destination")
    tab_to(page, page.get_by_role("radio").first)
    page.keyboard.press("Space")
    wanted = page.get_by_role("radio", name="warehouse", exact=True)
    for _ in range(page.get_by_role("radio").count()):
        if wanted.is_checked():
            break
        page.keyboard.press("ArrowDown")
    expect(wanted).to_be_checked()
    press(page, page.get_by_role("button", name="Next"))
    at_step(page, "Streams")
    press(page, page.get_by_role("checkbox", name="orders"), "Space")
    press(page, page.get_by_role("button", name="Next"))
    at_step(page, "Mode and write")
    press(page, page.get_by_role("button", name="Next"))
    at_step(page, "Schedule")
    tab_to(page, page.get_by_label("Every"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("12h")
    expect(page.get_by_role("table", name="Next fire times").get_by_role("row")).to_have_count(6)
    press(page, page.get_by_role("button", name="Next"))
    at_step(page, "Safety")
    press(page, page.get_by_role("button", name="Next"))
    at_step(page, "Review")
    tab_to(page, page.get_by_label("Name of the job"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("by-keyboard")
    press(page, page.get_by_role("button", name="Create and run now"))
    expect(page).to_have_url(re.compile(r"/runs/[0-9a-f]{32}$"))
    expect(state(page)).to_have_text("succeeded", timeout=RUN_TIMEOUT)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_step_shuts_anybody_out_or_is_too_wide(sitting: Visit, shop_file: Path, scheme: str) -> None:
    page = sitting.page
    ready(page.context, "till-5", shop_file)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    draft(page, "till-5")
    found = []
    for step in ("source", "destination", "streams", "write", "schedule", "safety", "review"):
        page.goto(f"/new-job?step={step}")
        expect(page.get_by_role("navigation", name="Steps")).to_be_visible()
        for violation in Axe().run(page).response["violations"]:
            found.append((step, violation["id"], [node["target"] for node in violation["nodes"]]))
        page.set_viewport_size({"width": 360, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), step
        page.set_viewport_size({"width": 1280, "height": 900})
    assert found == []


def test_who_may_only_look_is_told_so(seat: BrowserContext, desk_token: str) -> None:
    made = seat.request.post(
        "/api/tokens", data={"name": "a viewer", "scope": "read"}, headers={"Authorization": f"Bearer {desk_token}"}
    )
    seat.set_extra_http_headers({"Authorization": f"Bearer {made.json()['token']}"})
    page = seat.new_page()
    page.goto("/new-job")
    expect(page.get_by_text("You may not make jobs")).to_be_visible()
    expect(page.get_by_text("this needs admin")).to_be_visible()
