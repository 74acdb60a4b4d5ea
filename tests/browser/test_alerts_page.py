"""Alerts in a browser: made, tried, told by them, changed and deleted; what they send arrives at a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import APIRequestContext, Page, expect

from tests.browser.conftest import Visit
from tests.receiver import Receiver, receiving, verified
from tests.servers import free_port
from tests.waiting import until

pytestmark = pytest.mark.browser

LIST = "/settings?tab=alerts"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


def make_broken(request: APIRequestContext, job: str, folder: Path) -> None:
    """A job that fails whenever it is run: its stream is not there."""
    streams = [{"name": "ghosts", "write": "append"}]
    retry = {"attempts": 1}
    for path, body in (
        ("/api/connections", {"id": f"{job}-folder", "type": "files", "path": str(folder)}),
        (
            "/api/jobs",
            {"id": job, "source": f"{job}-folder", "destination": f"{job}-folder", "streams": streams, "retry": retry},
        ),
    ):
        answer = request.post(path, data=body)
        assert answer.ok, answer.text()


def make_alert(request: APIRequestContext, alert: str, **fields: Any) -> None:
    answer = request.post("/api/alerts", data={"id": alert} | fields)
    assert answer.ok, answer.text()


def events(request: APIRequestContext, alert: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = request.get(f"/api/alerts/{alert}/events").json()["items"]
    return found


def pick_job(page: Page, job: str) -> None:
    page.get_by_role("combobox", name="Which jobs").fill(job)
    expect(page.get_by_role("option", name=re.compile(f"^{job} "))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=f"{job}: take it out")).to_be_visible()


def test_an_alert_is_made_tried_and_tells_of_a_failure_and_keeps_its_secrets(
    sitting: Visit, receiver: Receiver, tmp_path: Path
) -> None:
    page = sitting.page
    make_broken(page.request, "breaks", tmp_path)
    page.goto("/settings?tab=alerts&alert=new")
    page.get_by_label("Name", exact=True).fill("ops")
    page.get_by_label("URL").fill(receiver.url)
    page.get_by_label("Sign the messages").check()
    page.get_by_role("button", name="Make one").click()
    secret = page.get_by_label("Signing secret").input_value()
    page.get_by_role("radio", name="Some jobs").check()
    pick_job(page, "breaks")
    expect(
        page.get_by_text(f"It tells 127.0.0.1:{receiver.port} when breaks fails, when it is in step")
    ).to_be_visible()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("arrived", exact=True)).to_be_visible()
    assert receiver.got[-1].json["type"] == "test"
    assert verified(receiver.got[-1], secret)

    page.get_by_role("button", name="Save alert").click()
    expect(page).to_have_url(re.compile(r"alert=ops$"))
    expect(page.get_by_text("Nothing to tell so far")).to_be_visible()
    run = page.request.post("/api/jobs/breaks/run").json()["id"]
    until(lambda: events(page.request, "ops")[0]["state"] == "sent", "the failure was told", timeout=60)
    assert receiver.got[-1].told == [("breaks", "failing")]
    assert verified(receiver.got[-1], secret)
    page.reload()
    told = page.get_by_role("table", name="What ops told").get_by_role("row").nth(1)
    expect(told).to_contain_text("failing")
    expect(told).to_contain_text("breaks failed: ")
    expect(told).to_contain_text("sent")
    expect(told.get_by_role("link", name="the run")).to_have_attribute("href", f"/runs/{run}")
    assert secret not in page.content()

    expect(page.get_by_label("URL")).to_have_value("")
    page.get_by_label("Failed runs in a row").fill("2")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("saved as revision 2")).to_be_visible()
    page.get_by_role("button", name="Test ops").click()
    expect(page.get_by_text(re.compile("^arrived · 200 · "))).to_be_visible()
    assert receiver.got[-1].json["type"] == "test"
    assert verified(receiver.got[-1], secret), "what was not typed again stays"
    told.get_by_role("link", name="breaks", exact=True).click()
    expect(page.get_by_role("link", name="ops", exact=True)).to_be_visible()  # the job says who is told


def test_where_nobody_answers_the_page_says_why_it_waits_and_what_a_deletion_drops(
    sitting: Visit, tmp_path: Path
) -> None:
    page = sitting.page
    sitting.expected_statuses = {404}
    make_broken(page.request, "unheard", tmp_path)
    dead = f"127.0.0.1:{free_port()}"
    make_alert(page.request, "pager", url=f"http://{dead}/x", format="slack", jobs=["unheard"])
    page.request.post("/api/jobs/unheard/run")
    until(lambda: events(page.request, "pager")[0]["tries"] > 0, "a try has failed", timeout=60)
    page.goto(LIST)
    row = page.get_by_role("row", name=re.compile("^pager"))
    expect(row.get_by_text("1 waiting")).to_be_visible()
    expect(row.get_by_text(re.compile("^next try "))).to_be_visible()
    expect(row).to_contain_text("127.0.0.1")
    row.get_by_role("button", name="Test pager").click()
    expect(row.get_by_text(re.compile("^did not arrive · no answer"))).to_be_visible()
    row.get_by_role("button", name="Turn off pager").click()
    expect(row.get_by_text("off, 1 waiting")).to_be_visible()
    row.get_by_role("button", name="Delete pager").click()
    dialog = page.get_by_role("dialog", name="Delete")
    expect(dialog).to_contain_text("Delete the alert pager?")
    expect(dialog).to_contain_text("1 thing that waits is never told")
    dialog.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    page.goto("/settings?tab=alerts&alert=pager")
    expect(page.get_by_text("There is no alert “pager”")).to_be_visible()


def test_an_alert_is_made_by_keys_alone(sitting: Visit, receiver: Receiver, tmp_path: Path) -> None:
    page, keys = sitting.page, sitting.page.keyboard
    make_broken(page.request, "by-keys", tmp_path)

    def tab_to(name: str) -> None:
        """Press Tab until that has the focus."""
        for _ in range(60):
            keys.press("Tab")
            named = page.get_by_label(name).or_(page.get_by_role("button", name=name))
            if page.locator(":focus").and_(named.or_(page.get_by_role("link", name=name))).count():
                return
        pytest.fail(f"Tab never came to {name}")

    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    keys.press("Control+k")
    keys.type("alerts")
    keys.press("Enter")
    expect(page).to_have_url(re.compile(r"tab=alerts$"))
    expect(page.get_by_role("link", name="New alert")).to_be_visible()
    tab_to("New alert")
    keys.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_visible()
    tab_to("Name")
    keys.type("night-shift")
    tab_to("A program")
    keys.press("ArrowRight")  # a chat
    tab_to("URL")
    keys.type(receiver.url)
    tab_to("All jobs")
    keys.press("ArrowRight")
    tab_to("Which jobs")
    keys.type("by-ke")
    expect(page.get_by_role("option", name=re.compile("^by-keys "))).to_be_visible()
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.get_by_role("button", name="by-keys: take it out")).to_be_visible()
    tab_to("Failed runs in a row")
    keys.press("ArrowUp")
    expect(page.get_by_text("when by-keys has failed 2 times in a row")).to_be_visible()
    tab_to("Send a test")
    keys.press("Enter")
    expect(page.get_by_text("arrived", exact=True)).to_be_visible()
    assert set(receiver.got[-1].json) == {"text"}
    tab_to("Save alert")
    keys.press("Enter")
    expect(page).to_have_url(re.compile(r"alert=night-shift$"))
    saved = page.request.get("/api/alerts/night-shift").json()
    assert (saved["format"], saved["jobs"], saved["failures"]) == ("slack", ["by-keys"], 2)


def test_no_page_of_alerts_shuts_anybody_out_or_is_too_wide(sitting: Visit, tmp_path: Path) -> None:
    page = sitting.page
    make_broken(page.request, "looked-at", tmp_path)
    make_alert(page.request, "looks", url=f"http://127.0.0.1:{free_port()}/x", jobs=["looked-at"], stale="2h")
    page.request.post("/api/jobs/looked-at/run")
    until(lambda: events(page.request, "looks"), "there is something to tell", timeout=60)
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        for address in (LIST, f"{LIST}&alert=new", f"{LIST}&alert=looks"):
            page.goto(address)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            expect(page.locator(".skeleton")).to_have_count(0)
            if address.endswith("new"):
                page.get_by_label("Sign the messages").check()
                page.get_by_role("radio", name="Some jobs").check()
                page.get_by_role("combobox", name="Which jobs").fill("looked")
                expect(page.get_by_role("option", name=re.compile("^looked-at "))).to_be_visible()
            for violation in Axe().run(page).response["violations"]:
                found.append((scheme, address, violation["id"], [node["target"] for node in violation["nodes"]]))
            for width in (360, 2560):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (address, width)
            page.set_viewport_size({"width": 1280, "height": 900})
    assert found == []
