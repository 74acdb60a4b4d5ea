"""The door in a browser: the wrong password, too many of them, a server that is away, and a house without a door."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD
from tests.program import Program

pytestmark = pytest.mark.browser

LIMIT = 5


def start(mongo_url: str, folder: Path, **env: str) -> Program:
    shared = {
        "APP_ENV": "production",
        "MONGO_URL": mongo_url,
        "MONGO_DATABASE": f"test_{uuid.uuid4().hex[:16]}",
        "SECRET_KEY": "a secret key for the tests",
        "ENABLE_SYNC_WORKER": "false",
    }
    return Program("-m", "app", "api", folder=folder, env=shared | env).wait_ready()


@pytest.fixture
def door(mongo_url: str, tmp_path: Path) -> Iterator[Program]:
    """A program of its own: how often one may be wrong is counted for all who come."""
    program = start(mongo_url, tmp_path, ADMIN_PASSWORD=PASSWORD)
    yield program
    program.end()


@pytest.fixture
def stranger(chromium: Browser, door: Program) -> Iterator[Page]:
    context = chromium.new_context(base_url=door.url)
    yield context.new_page()
    context.close()


def enter(page: Page, password: str) -> None:
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_after_the_login_one_is_where_one_was(stranger: Page) -> None:
    stranger.goto("/jobs?q=is%3Afailed")
    expect(stranger).to_have_url(re.compile(r"/login\?next="))
    expect(stranger.get_by_label("Password")).to_be_focused()
    enter(stranger, PASSWORD)
    expect(stranger).to_have_url(re.compile(r"/jobs\?q=is(%3A|:)failed$"))
    stranger.goto("/settings")
    stranger.get_by_role("button", name="Log out").click()
    expect(stranger).to_have_url(re.compile(r"/login"))
    stranger.goto("/jobs")
    expect(stranger).to_have_url(re.compile(r"/login\?next="))


def test_another_site_is_never_gone_to(stranger: Page, door: Program) -> None:
    stranger.goto("/login?next=https%3A%2F%2Fexample.org%2F")
    enter(stranger, PASSWORD)
    expect(stranger).to_have_url(f"{door.url}/")


def test_a_wrong_password_is_told_and_too_many_make_one_wait(stranger: Page) -> None:
    stranger.goto("/login")
    for _ in range(LIMIT):
        enter(stranger, "not the password")
        expect(stranger.get_by_role("alert")).to_have_text("That is not the password.")
        expect(stranger.get_by_label("Password")).to_have_value("")
    enter(stranger, PASSWORD)
    expect(stranger.get_by_role("alert")).to_have_text("Too many failed logins.")
    left = stranger.get_by_text(re.compile(r"^Try again in \d+ s\.$"))
    first = left.inner_text()
    expect(left).not_to_have_text(first)
    expect(stranger.get_by_role("button", name="Log in")).to_be_disabled()


def test_a_server_that_is_away_is_told(stranger: Page) -> None:
    stranger.goto("/login")
    expect(stranger.get_by_label("Password")).to_be_visible()
    stranger.context.set_offline(True)
    enter(stranger, PASSWORD)
    expect(stranger.get_by_role("alert")).to_contain_text("does not answer")
    stranger.context.set_offline(False)
    enter(stranger, PASSWORD)
    expect(stranger.get_by_role("heading", level=1)).not_to_have_text("syncworker")


def test_where_no_credentials_are_set_everybody_may_enter_and_that_is_said(
    chromium: Browser, mongo_url: str, tmp_path: Path
) -> None:
    program = start(mongo_url, tmp_path, AUTH="none")
    try:
        page = chromium.new_page(base_url=program.url)
        page.goto("/login?next=/jobs")
        expect(page.get_by_text("everybody may enter")).to_be_visible()
        page.get_by_role("link", name="Go on").click()
        expect(page).to_have_url(re.compile(r"/jobs$"))
        page.close()
    finally:
        program.end()
