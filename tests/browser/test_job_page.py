"""A job's page in a browser: its settings on both sides, two people at it, its streams, its fire times, its history."""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Visit, make_heap
from tests.program import Program
from tests.waiting import until

pytestmark = pytest.mark.browser

RUN_TIMEOUT = 40_000
TABS = ("runs", "streams", "schedule", "settings", "history")

MakeJob = Callable[..., str]


@pytest.fixture(scope="module")
def ends(desk: Program, desk_token: str, chromium: Any) -> tuple[str, str]:
    """The connections of the jobs here."""
    with sqlite3.connect(desk.folder / "counter.db") as shop:
        shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL, updated_at TEXT NOT NULL)")
        shop.executemany(
            "INSERT INTO orders VALUES (?, ?, ?)", ((n, n * 1.5, f"2026-11-{1 + n % 28:02d}") for n in range(50))
        )
        shop.execute("CREATE TABLE countries (code TEXT PRIMARY KEY, name TEXT)")
    shop.close()
    context = chromium.new_context(base_url=desk.url, extra_http_headers={"Authorization": f"Bearer {desk_token}"})
    for body in (
        {"id": "counter", "type": "sqlite", "path": str(desk.folder / "counter.db")},
        {"id": "cellar", "type": "mongodb", "url": "${LAKE_URL}", "database": "job_page_cellar"},
    ):
        answer = context.request.post("/api/connections", data=body)
        assert answer.ok, answer.text()
    context.close()
    return "counter", "cellar"


@pytest.fixture
def make(sitting: Visit, ends: tuple[str, str]) -> MakeJob:
    def job(**said: Any) -> str:
        id = f"job-{uuid.uuid4().hex[:8]}"
        stream = {"name": "orders", "mode": "incremental", "cursor": "updated_at", "key": ["id"], "write": "upsert"}
        body = {"id": id, "source": ends[0], "destination": ends[1], "streams": [stream], **said}
        answer = sitting.page.request.post("/api/jobs", data=body)
        assert answer.ok, answer.text()
        return id

    return job


def settings(page: Page, job: str) -> None:
    page.goto(f"/jobs/{job}?tab=settings")
    expect(yaml(page)).to_have_value(re.compile("source: counter"))


def yaml(page: Page) -> Any:
    return page.get_by_label("YAML", exact=True)


def change(context: BrowserContext, job: str, change: dict[str, Any]) -> None:
    """As somebody else would, meanwhile."""
    tag = context.request.get(f"/api/jobs/{job}").headers["etag"]
    answer = context.request.patch(f"/api/jobs/{job}", data=change, headers={"If-Match": tag})
    assert answer.ok, answer.text()


def saved(context: BrowserContext, job: str) -> Any:
    return context.request.get(f"/api/jobs/{job}").json()


def test_the_form_writes_the_yaml_and_the_yaml_the_form(sitting: Visit, make: MakeJob) -> None:
    page = sitting.page
    job = make(schedule={"every": "6h"})
    settings(page, job)
    page.get_by_label("Every").fill("2h")
    expect(yaml(page)).to_have_value(re.compile("every: 2h"))
    text = yaml(page).input_value()
    yaml(page).fill(text.replace("every: 2h", "every: 3h") + "  timeout: 1h\n")
    expect(page.get_by_label("Every")).to_have_value("3h")
    expect(page.get_by_label("Timeout of an attempt")).to_have_value("1h")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved as revision 2")).to_be_visible()
    now = saved(page.context, job)
    assert (now["schedule"]["every"], now["timeout"]) == ("3h", "1h")


def test_a_mistake_in_the_yaml_is_told_at_its_line_and_cannot_be_saved(sitting: Visit, make: MakeJob) -> None:
    page = sitting.page
    job = make()
    settings(page, job)
    text = yaml(page).input_value()
    lines = text.replace("write: upsert", "write: upsertt").split("\n")
    wrong = next(number for number, line in enumerate(lines, 1) if "upsertt" in line)
    yaml(page).fill("\n".join(lines))
    faults = page.get_by_role("list", name="Faults of the YAML")
    expect(faults).to_contain_text(f"Line {wrong}")
    expect(faults).to_contain_text("did you mean upsert?")
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    faults.get_by_role("button", name=f"Line {wrong}").click()
    expect(yaml(page)).to_be_focused()
    page.get_by_role("button", name="Drop the changes").click()
    expect(yaml(page)).to_have_value(text)
    expect(faults).to_have_count(0)


def test_a_fault_of_the_form_is_told_at_its_field(sitting: Visit, make: MakeJob) -> None:
    page = sitting.page
    sitting.expected_statuses = {422}
    job = make()
    settings(page, job)
    page.get_by_label("Timeout of an attempt").fill("soon")
    expect(page.get_by_label("Timeout of an attempt")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Save")).to_be_disabled()


def test_an_edit_that_is_not_saved_outlives_another_tab_and_a_reload(sitting: Visit, make: MakeJob) -> None:
    page = sitting.page
    job = make()
    settings(page, job)
    page.get_by_label("Timeout of an attempt").fill("45m")
    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name="Settings").last.click()
    expect(page.get_by_label("Timeout of an attempt")).to_have_value("45m")
    page.reload()
    expect(page.get_by_label("Timeout of an attempt")).to_have_value("45m")
    expect(page.get_by_text("Changed, and not saved yet.")).to_be_visible()


def test_two_people_at_one_job_both_keep_what_they_changed(sitting: Visit, make: MakeJob) -> None:
    page = sitting.page
    sitting.expected_statuses = {412}
    job = make(schedule={"every": "6h"})
    settings(page, job)
    page.get_by_label("Timeout of an attempt").fill("45m")
    change(page.context, job, {"schedule": {"every": "1h"}})
    if page.get_by_role("button", name="Save").is_enabled():
        page.get_by_role("button", name="Save").click()
    notice = page.get_by_role("alert", name="Changed meanwhile")
    expect(notice.get_by_role("row", name="schedule.every 6h 1h")).to_be_visible()
    notice.get_by_role("button", name="Keep both, and go on").click()
    expect(page.get_by_label("Every")).to_have_value("1h")
    expect(page.get_by_label("Timeout of an attempt")).to_have_value("45m")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved as revision 3")).to_be_visible()
    now = saved(page.context, job)
    assert (now["schedule"]["every"], now["timeout"]) == ("1h", "45m")


def test_where_both_changed_the_same_one_gives_way(sitting: Visit, make: MakeJob) -> None:
    page = sitting.page
    job = make(timeout="1h")
    settings(page, job)
    page.get_by_label("Timeout of an attempt").fill("45m")
    expect(yaml(page)).to_have_value(re.compile("timeout: 45m"))
    change(page.context, job, {"timeout": "2h"})
    notice = page.get_by_role("alert", name="Changed meanwhile")
    expect(notice.get_by_text("you too")).to_be_visible()
    notice.get_by_role("button", name="Take theirs, drop my changes").click()
    expect(page.get_by_label("Timeout of an attempt")).to_have_value("2h")
    expect(page.get_by_role("button", name="Save")).to_be_disabled()


def test_the_history_says_who_changed_what_from_what_to_what(sitting: Visit, make: MakeJob) -> None:
    page = sitting.page
    job = make(timeout="1h")
    change(page.context, job, {"timeout": "2h"})
    page.goto(f"/jobs/{job}?tab=history")
    newest = page.get_by_role("table", name="Records").get_by_role("row").nth(1)
    expect(newest).to_contain_text("the tests")
    expect(newest).to_contain_text("changed the job")
    expect(newest.locator("del")).to_have_text("1h")
    expect(newest.locator("ins")).to_have_text("2h")


def run(page: Page, job: str) -> None:
    """One run of `job`, to its end."""
    made = page.request.post(f"/api/jobs/{job}/run").json()["id"]
    until(
        lambda: page.request.get(f"/api/runs/{made}").json()["state"] == "succeeded",
        f"the run {made} succeeded",
        timeout=40,
    )


def test_a_fault_of_a_run_is_shown_at_the_field_that_mends_it(sitting: Visit, make: MakeJob) -> None:
    page = sitting.page
    wrong = {"name": "orders", "mode": "incremental", "cursor": "changed_at", "key": ["id"], "write": "upsert"}
    job = make(streams=[wrong], retry={"attempts": 1})
    made = page.request.post(f"/api/jobs/{job}/run").json()["id"]
    until(
        lambda: page.request.get(f"/api/runs/{made}").json()["state"] == "failed", f"the run {made} failed", timeout=40
    )
    page.goto(f"/jobs/{job}?tab=settings&field=streams.orders.cursor")
    expect(page.get_by_label("Cursor")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text(re.compile("^is what the last run failed at: .*changed_at"))).to_be_in_viewport()
    page.goto(f"/connections?job={job}")
    expect(page.get_by_text(re.compile(f"{job} reads from counter and writes to cellar"))).to_be_visible()


def test_a_checkpoint_is_shown_and_reset_after_a_yes(sitting: Visit, make: MakeJob) -> None:
    page = sitting.page
    job = make()
    run(page, job)
    page.goto(f"/jobs/{job}?tab=streams")
    orders = page.get_by_role("table", name="Streams").get_by_role("row", name=re.compile("^orders"))
    expect(orders).to_contain_text("updated_at 2026-11-28")
    orders.get_by_role("button", name=f"Reset orders of {job}").click()
    dialog = page.get_by_role("dialog", name="Reset")
    expect(dialog).to_contain_text("Forget the checkpoint of orders?")
    dialog.get_by_role("button", name="Go back").click()
    expect(orders).to_contain_text("updated_at 2026-11-28")
    orders.get_by_role("button", name=f"Reset orders of {job}").click()
    dialog.get_by_role("button", name="Reset").click()
    expect(orders).to_contain_text("none: the next run reads all")


def test_a_stream_is_synced_again_by_a_run_of_its_own(sitting: Visit, make: MakeJob) -> None:
    page = sitting.page
    job = make()
    run(page, job)
    page.goto(f"/jobs/{job}?tab=streams")
    page.get_by_role("button", name=f"Re-sync orders of {job}").click()
    page.get_by_role("dialog", name="Re-sync").get_by_role("button", name="Re-sync").click()
    page.get_by_role("main").get_by_role("status").get_by_role("link", name="Run #2").click()
    expect(page.locator(".page-title .state")).to_have_text("succeeded", timeout=RUN_TIMEOUT)
    expect(page.get_by_role("main")).to_contain_text("50")


def test_a_dry_run_tells_what_a_run_would_do_and_writes_nothing(sitting: Visit, make: MakeJob) -> None:
    page = sitting.page
    job = make(
        streams=[{"name": "orders", "mode": "full", "write": "replace", "target": f"dry_{uuid.uuid4().hex[:6]}"}]
    )
    settings(page, job)
    page.get_by_role("button", name="Dry run").click()
    found = page.get_by_role("region", name="Dry run of orders")
    expect(found).to_contain_text(re.compile(r"50\s*rows read"), timeout=RUN_TIMEOUT)
    expect(found).to_contain_text(re.compile(r"50\s*would be added"))
    assert saved(page.context, job)["last_run"] is None


def test_the_next_fire_times_are_told_and_why_one_did_not_run(sitting: Visit, make: MakeJob, desk: Program) -> None:
    page = sitting.page
    make_heap(desk.folder / "pile.db")
    pile = {"id": "pile", "type": "sqlite", "path": str(desk.folder / "pile.db")}
    assert page.request.post("/api/connections", data=pile).status in (201, 409)
    grains = [{"name": "grains", "mode": "full", "write": "upsert", "key": ["id"]}]
    # Longer than a second, and due every second: most of its fire times find it active.
    job = make(source="pile", streams=grains, schedule={"every": "1s"})
    page.goto(f"/jobs/{job}?tab=schedule")
    expect(page.get_by_role("table", name="Next fire times").get_by_role("row")).to_have_count(11)
    skipped = page.get_by_role("table", name="Past fire times").get_by_role("row").filter(has_text="skipped").first
    expect(skipped).to_contain_text("Its turn was taken by another run of the job.", timeout=RUN_TIMEOUT)
    expect(skipped).to_contain_text(re.compile(r"Then run #\d+ was active\."), timeout=RUN_TIMEOUT)
    page.get_by_role("button", name=re.compile(f"^Pause.*{job}$|^Pause$")).first.click()
    expect(page.get_by_text("The job is disabled")).to_be_visible()


def test_a_job_is_deleted_after_a_yes_and_its_runs_stay(sitting: Visit, make: MakeJob) -> None:
    page = sitting.page
    sitting.expected_statuses = {404}  # the page may ask once more for what is gone
    job = make()
    run(page, job)
    page.goto(f"/jobs/{job}")
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete")
    expect(dialog).to_contain_text(f"Delete the job {job}?")
    dialog.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(r"/jobs$"))
    page.goto(f"/runs?job={job}")
    expect(page.get_by_role("table", name="Runs").get_by_role("rowheader")).to_have_count(1)


def test_a_job_that_a_file_keeps_is_only_shown_and_the_file_is_named(visit: Visit) -> None:
    page = visit.page
    page.goto("/jobs/orders?tab=settings")
    expect(page.get_by_text(re.compile(r"jobs\.yaml says what this job is: change it there"))).to_be_visible()
    expect(yaml(page)).to_have_attribute("readonly", "")
    expect(page.get_by_label("Cron")).to_be_disabled()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)


def test_who_may_only_look_sees_no_deeds(seat: BrowserContext, sitting: Visit, make: MakeJob) -> None:
    job = make()
    token = sitting.page.request.post("/api/tokens", data={"name": "looks", "scope": "read"}).json()["token"]
    seat.set_extra_http_headers({"Authorization": f"Bearer {token}"})
    page = seat.new_page()
    for tab in TABS:
        page.goto(f"/jobs/{job}?tab={tab}")
        expect(page.get_by_role("navigation", name=f"Parts of {job}")).to_be_visible()
        expect(
            page.get_by_role("main").get_by_role("button", name=re.compile("Run|Pause|Delete|Reset|Save|Verify"))
        ).to_have_count(0)
    page.goto(f"/jobs/{job}?tab=settings")
    expect(page.get_by_text("changing them needs the scope admin")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_tab_shuts_anybody_out_or_is_too_wide(sitting: Visit, make: MakeJob, scheme: str) -> None:
    page = sitting.page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    job = make(schedule={"cron": "30 2 * * *", "timezone": "Europe/Paris"})
    run(page, job)
    found = []
    for tab in TABS:
        page.goto(f"/jobs/{job}?tab={tab}")
        expect(page.get_by_role("heading", level=2).first).to_be_visible()
        if tab == "settings":
            expect(yaml(page)).to_have_value(re.compile("source"))
        for violation in Axe().run(page).response["violations"]:
            found.append((tab, violation["id"], [node["target"] for node in violation["nodes"]]))
        for width in (360, 2560):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (tab, width)
        page.set_viewport_size({"width": 1280, "height": 900})
    assert found == []
