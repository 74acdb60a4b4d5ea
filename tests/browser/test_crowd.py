"""The pages with 10,000 jobs and 100,000 runs: the first row is there, and no list draws more than it shows."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pymongo
import pytest
from playwright.sync_api import Browser, Page, expect

import worker.store
from tests.browser import crowd
from tests.browser.conftest import PATIENCE_MS, Visit
from tests.program import Program

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SHOWN = 50
# The frame, a page of rows with all that is in them, and some air: ten thousand rows would be half a million.
MOST_NODES = 6_000


@pytest.fixture(scope="module")
def crowded(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The API and the dashboard alone, on a database with very much in it."""
    database = f"test_{uuid.uuid4().hex[:16]}"
    store = worker.store.open(mongo_url, database)
    store.ensure_indexes()
    with pymongo.MongoClient[dict[str, Any]](mongo_url, w=1) as patient:
        crowd.gather(patient[database], store.now())
    env = {"APP_ENV": "development", "MONGO_URL": mongo_url, "MONGO_DATABASE": database, "ENABLE_SYNC_WORKER": "false"}
    program = Program("-m", "app", "api", folder=tmp_path_factory.mktemp("crowd"), env=env).wait_ready()
    yield program
    program.end()
    store.database.client.drop_database(database)
    store.close()


@pytest.fixture
def page(chromium: Browser, crowded: Program) -> Iterator[Page]:
    opened = chromium.new_context(base_url=crowded.url, viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(PATIENCE_MS)
    visited = Visit(opened.new_page())
    # A machine with much else to do may answer too late; the page then asks again.
    visited.expected_statuses = {503}
    yield visited.page
    opened.close()
    assert visited.complaints == []


def nodes(page: Page) -> int:
    found: int = page.evaluate("document.querySelectorAll('*').length")
    return found


def test_the_overview_draws_a_page_of_the_timeline(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^10,000 jobs, .*; next run in "))
    lanes = page.get_by_role("list", name="Jobs, each with its runs and fire times").get_by_role("listitem")
    expect(lanes).to_have_count(SHOWN)
    expect(lanes.first).to_be_visible()
    expect(page.get_by_role("slider", name="Rows written over time")).to_be_visible()
    assert nodes(page) < MOST_NODES


def test_the_list_of_jobs_is_walked_page_by_page_and_back(page: Page) -> None:
    page.goto("/jobs")
    headers = page.get_by_role("table", name="Jobs").get_by_role("rowheader")
    expect(headers).to_have_count(SHOWN)
    expect(headers.first).to_contain_text(crowd.name(0))
    expect(headers.first).to_be_visible()
    assert nodes(page) < MOST_NODES
    pages = page.get_by_role("navigation", name="Pages of jobs")
    pages.get_by_role("link", name="Next 50").click()
    expect(headers.first).to_contain_text(crowd.name(50))
    pages.get_by_role("link", name="Next 50").click()
    expect(headers.first).to_contain_text(crowd.name(100))
    expect(pages).to_contain_text("Page 3")
    page.reload()
    expect(headers.first).to_contain_text(crowd.name(100))
    pages.get_by_role("link", name="Previous").click()
    expect(headers.first).to_contain_text(crowd.name(50))
    page.go_back()
    expect(headers.first).to_contain_text(crowd.name(100))
    assert nodes(page) < MOST_NODES


def test_a_search_finds_one_of_ten_thousand(page: Page) -> None:
    page.goto("/jobs")
    expect(page.get_by_role("table", name="Jobs").get_by_role("rowheader").first).to_be_visible()
    page.get_by_role("combobox", name="Find jobs").fill(crowd.name(9_876))
    headers = page.get_by_role("table", name="Jobs").get_by_role("rowheader")
    expect(headers).to_have_count(1)
    expect(headers).to_contain_text(crowd.name(9_876))
    page.keyboard.press("Control+k")
    page.keyboard.type(crowd.name(1_234))
    expect(page.get_by_role("option").first).to_contain_text(crowd.name(1_234))


def test_what_needs_a_person_is_the_gravest_few_with_a_way_to_more(page: Page) -> None:
    page.goto("/")
    # The last run of one in twenty failed; each heals at its next fire time.
    waiting = page.get_by_role("region", name=re.compile("^Will heal by itself"))
    expect(waiting.get_by_role("listitem")).to_have_count(6)
    waiting.get_by_role("link", name="Show 100").click()
    expect(page).to_have_url(re.compile(r"needs=all$"))
    expect(waiting.get_by_role("listitem")).to_have_count(100)
