"""The dashboard without a mouse: pages, rows, deeds, the palette and the help, by keys alone."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.test_jobs_page import RUN_TIMEOUT, row
from tests.program import ROOT

pytestmark = pytest.mark.browser


def focused(page: Page) -> str:
    """What has the focus, in its own words."""
    return page.locator(":focus").inner_text()


def test_a_job_is_found_run_and_watched_by_keys_alone(page: Page) -> None:
    keys = page.keyboard
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("4 jobs")
    keys.press("g")
    keys.press("j")
    expect(page).to_have_url(re.compile(r"/jobs$"))
    expect(row(page, "broken")).to_be_visible()
    keys.press("j")
    assert focused(page).lstrip().startswith("broken")
    keys.press("j")
    assert focused(page).lstrip().startswith("catalogue")
    keys.press("k")
    keys.press(".")
    expect(row(page, "broken").get_by_text("failed", exact=True)).to_be_visible(timeout=RUN_TIMEOUT)
    keys.press("Enter")
    expect(page).to_have_url(re.compile(r"/jobs/broken$"))
    keys.press("g")
    keys.press("r")
    expect(page).to_have_url(re.compile(r"/runs$"))
    expect(page.get_by_role("table", name="Runs").get_by_role("rowheader").first).to_be_visible()
    keys.press("j")
    keys.press("Enter")
    expect(page).to_have_url(re.compile(r"/runs/[0-9a-f]{32}"))


def test_rows_are_selected_and_let_go(page: Page) -> None:
    page.goto("/jobs")
    expect(row(page, "orders")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_role("region", name="Selected jobs")).to_contain_text("2 jobs selected")
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Selected jobs")).to_have_count(0)


def test_the_search_is_a_key_away_and_letters_in_it_are_text(page: Page) -> None:
    page.goto("/jobs")
    expect(row(page, "orders")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("gjx.?")
    expect(page.get_by_role("combobox", name="Find jobs")).to_have_value("gjx.?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("combobox", name="Find jobs").clear()
    page.keyboard.type("catalogue")
    expect(page).to_have_url(re.compile(r"/jobs\?q=catalogue$"))
    expect(page.get_by_role("table", name="Jobs").get_by_role("rowheader")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/jobs$"))


def test_a_suggestion_is_taken_by_the_arrow_keys(page: Page) -> None:
    page.goto("/jobs")
    expect(row(page, "orders")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("is:in")
    expect(page.get_by_role("option", name=re.compile("^is:in-step"))).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name=re.compile("^is:in-step"))).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=is%3Ain-step$"))


def test_the_help_lists_the_keys_and_gives_the_focus_back(page: Page) -> None:
    page.goto("/jobs")
    expect(row(page, "orders")).to_be_visible()
    page.keyboard.press("j")
    before = focused(page)
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keys")
    expect(help_).to_be_visible()
    expect(help_.get_by_role("region", name="In a list")).to_contain_text("Select the row")
    page.keyboard.press("j")  # rests while a dialog is open
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    assert focused(page) == before


def test_the_page_on_the_dashboard_lists_the_keys_that_the_help_does(page: Page) -> None:
    text = (ROOT / "docs" / "dashboard.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| (`.+`) \| (.+) \|$", text.partition("## Keys")[2], re.MULTILINE)
    told = [(" ".join(re.findall(r"`([^`]+)`", keys)), what) for keys, what in lines]
    page.goto("/jobs")
    expect(row(page, "orders")).to_be_visible()
    page.keyboard.press("?")
    entries = page.get_by_role("dialog", name="Keys").locator("dl > div")
    shown = [
        (" ".join(entry.locator("kbd").all_inner_texts()), entry.locator("dd").inner_text()) for entry in entries.all()
    ]
    assert shown == told


def test_the_palette_goes_to_a_job_and_runs_one(page: Page) -> None:
    page.goto("/settings")
    expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Find a page, a job or an action")
    expect(palette.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("catal")
    expect(palette.get_by_role("option", name=re.compile("^catalogue"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/jobs/catalogue$"))
    expect(palette).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.type("run broken")
    expect(palette.get_by_role("option").first).to_contain_text("Run broken")
    page.keyboard.press("Enter")
    expect(palette.get_by_role("status")).to_have_text("Run broken: done.")
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)


def test_the_palette_changes_the_theme(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("dark")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_what_has_the_focus_can_be_seen(page: Page) -> None:
    page.goto("/jobs")
    expect(row(page, "orders")).to_be_visible()
    page.keyboard.press("j")
    outline: str = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline in {"solid", "auto"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_opens_over_a_page_shuts_nobody_out(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    page.goto("/jobs")
    expect(row(page, "orders")).to_be_visible()
    found: list[tuple[str, str, list[object]]] = []

    def look(what: str) -> None:
        violations = Axe().run(page).response["violations"]
        found.extend((what, one["id"], [node["target"] for node in one["nodes"]]) for one in violations)

    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_role("region", name="Selected jobs")).to_be_visible()
    look("a selection")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("-is:")
    expect(page.get_by_role("option").first).to_be_visible()
    look("suggestions")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("run")
    look("the palette")
    page.keyboard.press("Escape")
    page.locator("body").click(position={"x": 1, "y": 1})
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    look("the help")
    assert found == []
