"""A run's log in a real browser: short, growing, and a million lines long."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.depot import Depot
from tests.waiting import until
from worker.run import RunState, Trigger
from worker.store.runs import new_run

pytestmark = pytest.mark.browser

MILLION = 1_000_000
BATCH = 1_000
FIRST_ERROR = 777_777
MOST_NODES = 200
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def lines(page: Page) -> Locator:
    return page.get_by_role("list", name="Log lines").get_by_role("listitem")


def line(page: Page, text: str) -> Locator:
    return lines(page).filter(has_text=re.compile(rf"\b{text}\b"))


def box(page: Page) -> Locator:
    return page.get_by_role("log", name="Log")


def nodes(page: Page) -> int:
    found: int = page.evaluate("document.querySelectorAll('[role=log] *').length")
    return found


def scroll(page: Page, share: float) -> None:
    page.evaluate(
        "share => { const box = document.querySelector('[role=log]');"
        " box.scrollTop = share * (box.scrollHeight - box.clientHeight) }",
        share,
    )


def said(number: int) -> dict[str, Any]:
    level = "error" if number == FIRST_ERROR else "warning" if number % BATCH == 0 else "info"
    return {"at": AT, "level": level, "message": f"said {number} of them", "attempt": 1, "stream": "boks"}


@pytest.fixture(scope="module")
def long_run(depot: Depot) -> str:
    """A run whose log has a million lines."""
    run_id: str = depot.comes_to(depot.run("misnamed"), "failed")["id"]
    logs = depot.collection("run_logs")
    logs.delete_many({"run_id": run_id})
    for start in range(1, MILLION, 50 * BATCH):
        firsts = range(start, start + 50 * BATCH, BATCH)
        logs.insert_many(
            {"run_id": run_id, "first": n, "last": n + BATCH - 1, "lines": [said(m) for m in range(n, n + BATCH)]}
            for n in firsts
        )
    return run_id


def test_a_million_lines_are_scrolled_through_with_a_windowful_of_nodes(at_depot: Visit, long_run: str) -> None:
    page = at_depot.page
    page.goto(f"/runs/{long_run}?tab=log")
    expect(line(page, "said 1")).to_be_visible()
    expect(page.get_by_text("1,000,000 lines", exact=True)).to_be_visible()
    assert nodes(page) < MOST_NODES
    scroll(page, 1.0)
    expect(line(page, "said 1000000")).to_be_visible()
    assert nodes(page) < MOST_NODES
    scroll(page, 0.5)
    expect(line(page, "said 500000")).to_be_visible()
    assert nodes(page) < MOST_NODES
    # Through the parts that are not there yet, too.
    for share in range(40):
        scroll(page, share / 40)
        assert nodes(page) < MOST_NODES


def test_a_line_is_gone_to_and_kept_in_the_address(at_depot: Visit, long_run: str) -> None:
    page = at_depot.page
    page.goto(f"/runs/{long_run}?tab=log")
    page.get_by_role("button", name="First error").click()
    expect(page).to_have_url(re.compile(rf"line={FIRST_ERROR}$"))
    picked = page.locator("li[aria-current=true]")
    expect(picked).to_contain_text(f"said {FIRST_ERROR} of them")
    expect(picked).to_be_in_viewport()
    page.get_by_label("Go to line").fill("400,500")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"line=400500$"))
    expect(picked).to_contain_text("said 400500 of them")
    page.reload()
    expect(picked).to_contain_text("said 400500 of them")
    expect(picked).to_be_in_viewport()
    page.set_viewport_size({"width": 900, "height": 620})
    expect(picked).to_be_in_viewport()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.go_back()
    expect(picked).to_contain_text(f"said {FIRST_ERROR} of them")
    expect(picked).to_be_in_viewport()


def test_a_line_that_is_seen_is_picked_without_moving(at_depot: Visit, long_run: str) -> None:
    page = at_depot.page
    page.goto(f"/runs/{long_run}?tab=log&line=600000")
    chosen = line(page, "said 599995")
    before = chosen.bounding_box()
    chosen.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"line=599995$"))
    expect(chosen).to_have_attribute("aria-current", "true")
    assert chosen.bounding_box() == before


def test_lines_are_narrowed_by_level_and_words_and_shown_where_they_are(at_depot: Visit, long_run: str) -> None:
    page = at_depot.page
    page.goto(f"/runs/{long_run}?tab=log")
    page.get_by_role("button", name="Warnings 1,001").click()
    expect(page.get_by_text("1,001 of 1,000,000 lines")).to_be_visible()
    expect(lines(page).first).to_contain_text("said 1000 of them")
    scroll(page, 1.0)
    expect(line(page, "said 1000000")).to_be_visible()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("searchbox", name="Find in the log").fill("SAID 654321 of")
    expect(page.get_by_text("1 of 1,000,000 lines")).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=SAID\+654321\+of$"))
    expect(lines(page).locator("mark")).to_have_text("said 654321 of")
    lines(page).get_by_role("link").click()
    page.get_by_role("searchbox", name="Find in the log").fill("nothing like it")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.get_by_role("button", name="Show all lines").click()
    expect(page.get_by_text("1,000,000 lines", exact=True)).to_be_visible()


def test_the_keyboard_alone_goes_through_a_log(at_depot: Visit, long_run: str) -> None:
    page = at_depot.page
    page.goto(f"/runs/{long_run}?tab=log")
    expect(line(page, "said 1")).to_be_visible()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.getAttribute('role')") == "log":
            break
    expect(box(page)).to_be_focused()
    shown = lines(page).count()
    page.keyboard.press("End")
    expect(line(page, "said 1000000")).to_be_visible()
    page.keyboard.press("PageUp")
    expect(line(page, "said 1000000")).to_have_count(0)
    # A page up is less than a window of lines up, though the box is far smaller than its lines.
    expect(line(page, f"said {MILLION - shown}")).to_be_visible()
    page.keyboard.press("Home")
    expect(line(page, "said 1")).to_be_visible()
    page.keyboard.press("PageDown")
    expect(line(page, "said 1")).to_have_count(0)
    expect(line(page, f"said {shown}")).to_be_visible()


def test_long_lines_wrap_or_are_cut_and_none_is_passed_over(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    run_id = depot.comes_to(depot.run("misnamed"), "failed")["id"]
    logs = depot.collection("run_logs")
    logs.delete_many({"run_id": run_id})
    wide = [said(n) | {"message": f"wide {n} " + "word " * 80} for n in range(1, 2_001)]
    logs.insert_one({"run_id": run_id, "first": 1, "last": len(wide), "lines": wide})
    page.goto(f"/runs/{run_id}?tab=log")
    expect(line(page, "wide 1")).to_be_visible()
    box(page).focus()
    # Whatever height the lines have, a page further begins before the last line that was seen.
    for _ in range(6):
        last = page.evaluate(LAST_SEEN)
        page.keyboard.press("PageDown")
        until(lambda seen=last: page.evaluate(LAST_SEEN) > seen, "the page moved on")  # type: ignore[misc]
        assert page.evaluate(FIRST_SEEN) <= last
    page.keyboard.press("End")
    expect(line(page, "wide 2000")).to_be_in_viewport()
    page.get_by_label("Wrap").uncheck()
    expect(page).to_have_url(re.compile(r"wrap=off"))
    expect(line(page, "wide 2000")).to_have_css("height", "20px")


SEEN = """() => {
  const edge = document.querySelector('[role=log]').getBoundingClientRect()
  const seen = [...document.querySelectorAll('[role=log] li')].filter((row) => {
    const { top, bottom } = row.getBoundingClientRect()
    return bottom > edge.top + 1 && top < edge.bottom - 1
  })
  return Number(seen.at(PLACE)?.getAttribute('aria-posinset') ?? 0)
}"""
FIRST_SEEN, LAST_SEEN = SEEN.replace("PLACE", "0"), SEEN.replace("PLACE", "-1")


def test_a_growing_log_is_followed_until_one_scrolls_up(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    run_id = endless_run(depot)
    logs = depot.collection("run_logs")

    def say(count: int) -> int:
        """Write on where the log ends now; the number of the last line."""
        newest = logs.find_one({"run_id": run_id}, sort=[("first", -1)]) or {"last": 0}
        start: int = newest["last"] + 1
        last = start + count - 1
        new = [said(n) for n in range(start, last + 1)]
        logs.insert_one({"run_id": run_id, "first": start, "last": last, "lines": new})
        return last

    say(5)
    page.goto(f"/runs/{run_id}?tab=log")
    expect(lines(page).first).to_be_visible()
    expect(line(page, f"said {say(400)}")).to_be_in_viewport()
    expect(line(page, f"said {say(3)}")).to_be_in_viewport()
    box(page).hover()
    page.mouse.wheel(0, -2_000)
    follow = page.get_by_role("button", name="Follow")
    expect(follow).to_be_visible()
    top = page.evaluate("document.querySelector('[role=log]').scrollTop")
    last = say(50)
    expect(page.get_by_text(f"{last:,} lines", exact=True)).to_be_visible()
    assert page.evaluate("document.querySelector('[role=log]').scrollTop") == top
    follow.click()
    expect(line(page, f"said {last}")).to_be_in_viewport()
    expect(follow).to_have_count(0)
    expect(line(page, f"said {say(2)}")).to_be_in_viewport()
    depot.collection("runs").delete_one({"_id": run_id})


def endless_run(depot: Depot) -> str:
    """A run that goes on until it is taken away: nobody works on it, and its claim lasts."""
    now = datetime.now(UTC)
    run = new_run("misnamed", Trigger.MANUAL, state=RunState.RUNNING, sequence=10_000, queued_at=now)
    claim = {"instance": "elsewhere", "token": 1, "renewed_at": now, "expires_at": now + timedelta(days=1)}
    run |= {"claim": claim, "attempt": 1, "started_at": now, "attempt_started_at": now}
    depot.collection("runs").insert_one(run)
    run_id: str = run["_id"]
    return run_id


def test_lines_that_were_not_kept_are_told(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    run_id = depot.comes_to(depot.run("misnamed"), "failed")["id"]
    more = said(90) | {"level": "warning", "message": "1,234 more lines were not kept", "dropped": 1_234}
    depot.collection("run_logs").insert_one({"run_id": run_id, "first": 90, "last": 90, "lines": [more]})
    page.goto(f"/runs/{run_id}?tab=log")
    expect(page.get_by_text("1,234 lines were said and not kept")).to_be_visible()


def test_a_log_is_copied_and_downloaded(at_depot: Visit, depot: Depot, tmp_path: Path) -> None:
    page = at_depot.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=depot.main.url)
    run_id = depot.comes_to(depot.run("books"), "succeeded")["id"]
    page.goto(f"/runs/{run_id}?tab=log&q=succeeded")
    count = lines(page).count()
    expect(lines(page).first).to_be_visible()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name=re.compile(r"^Copied \d+ lines?$"))).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert copied and all("succeeded" in one for one in copied) and len(copied) >= count
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "whole.log")
    whole = (tmp_path / "whole.log").read_text().splitlines()
    assert [one for one in whole if "succeeded" in one] == copied and len(whole) > len(copied)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_log_shuts_anybody_out(at_depot: Visit, long_run: str, scheme: str) -> None:
    page = at_depot.page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    found = []
    for query in ("", "&line=error", "&level=warning&q=said", "&q=nothing+like+it", "&wrap=off"):
        page.goto(f"/runs/{long_run}?tab=log{query}")
        expect(page.get_by_role("status", name="Loading")).to_have_count(0)
        for violation in Axe().run(page).response["violations"]:
            found.append((query, violation["id"], [node["target"] for node in violation["nodes"]]))
    assert found == []
