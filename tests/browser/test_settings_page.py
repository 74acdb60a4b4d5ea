"""Connections, tokens and the audit in a browser: made there, used from outside, and gone when they are revoked."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Visit
from tests.program import Program

pytestmark = pytest.mark.browser


def status_by_curl(desk: Program, token: str) -> str:
    """As a program asks: `curl -H 'Authorization: Bearer …'`."""
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer {token}"]
    return subprocess.run([*command, f"{desk.url}/api/status"], capture_output=True, text=True, check=True).stdout


def make_token(page: Page, name: str, scope: str) -> str:
    page.goto("/settings?tab=tokens")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Scope").select_option(scope)
    page.get_by_role("button", name="Make token").click()
    shown = page.locator("[data-token]")
    expect(shown).to_be_visible()
    return shown.inner_text()


def test_a_token_made_in_the_page_works_and_a_revoked_one_does_not(sitting: Visit, desk: Program) -> None:
    page = sitting.page
    token = make_token(page, "nightly report", "read")
    assert status_by_curl(desk, token) == "200"
    page.get_by_role("button", name="I have it").click()
    page.reload()
    row = page.get_by_role("row", name=re.compile("nightly report"))
    expect(row).to_be_visible()
    assert token not in page.content(), "it is shown once"
    row.get_by_role("button", name="Revoke nightly report").click()
    dialog = page.get_by_role("dialog", name="Revoke")
    expect(dialog).to_contain_text("nightly report")
    dialog.get_by_role("button", name="Revoke").click()
    expect(row.get_by_text("revoked")).to_be_visible()
    assert status_by_curl(desk, token) == "401"


def test_a_token_is_copied_on_plain_http_too(sitting: Visit) -> None:
    page = sitting.page
    page.add_init_script("delete Navigator.prototype.clipboard")
    token = make_token(page, "to be copied", "read")
    page.evaluate("document.addEventListener('copy', () => { window.copied = String(document.activeElement.value) })")
    page.get_by_role("button", name="Copy the token").click()
    expect(page.get_by_role("button", name="Copied", exact=True)).to_be_visible()
    assert page.evaluate("window.copied") == token


def test_a_viewer_sees_no_buttons_that_change_anything(seat: BrowserContext, sitting: Visit) -> None:
    token = make_token(sitting.page, "a viewer", "read")
    seat.set_extra_http_headers({"Authorization": f"Bearer {token}"})
    page = seat.new_page()
    page.goto("/settings")
    expect(page.get_by_text("a viewer")).to_be_visible()
    expect(page.get_by_text("look at everything, change nothing")).to_be_visible()
    page.goto("/settings?tab=tokens")
    expect(page.get_by_text("You may not see or make tokens")).to_be_visible()
    page.goto("/connections")
    expect(page.get_by_role("heading", name="Connections", level=1)).to_be_visible()
    expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("link", name="New connection")).to_have_count(0)
    page.goto("/settings?tab=audit&action=token")
    expect(page.get_by_text("Nothing matches")).to_be_visible()  # tokens are for admins


def test_the_audit_is_searched_and_its_filters_are_in_the_address(sitting: Visit) -> None:
    page = sitting.page
    make_token(page, "for the audit", "operate")
    page.goto("/settings?tab=audit")
    page.get_by_label("What").select_option("token")
    expect(page).to_have_url(re.compile(r"action=token"))
    newest = page.get_by_role("table", name="Records").get_by_role("row").nth(1)
    expect(newest).to_contain_text("made a token")
    expect(newest).to_contain_text("for the audit")
    page.reload()
    expect(page.get_by_label("What")).to_have_value("token")
    page.get_by_label("Who").fill("nobody at all")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.get_by_role("table", name="Records")).to_be_visible()


def test_the_environment_is_shown_without_its_secrets(sitting: Visit, desk: Program) -> None:
    page = sitting.page
    page.goto("/settings?tab=environment")
    table = page.get_by_role("table", name="Environment variables")
    expect(table.get_by_role("row", name=re.compile("ADMIN_PASSWORD"))).to_contain_text("set")
    expect(table.get_by_role("row", name=re.compile("RETENTION_DAYS"))).to_contain_text("30")
    assert desk.env["ADMIN_PASSWORD"] not in page.content()


def test_a_connection_is_made_edited_with_its_secret_kept_and_deleted(
    sitting: Visit, desk: Program, tmp_path: Path
) -> None:
    page = sitting.page
    sitting.expected_statuses = {404}
    page.goto("/new-connection")
    page.get_by_role("radio", name="mongodb").check()
    page.get_by_label("Name", exact=True).fill("vault")
    page.get_by_label("URL").fill(desk.env["LAKE_URL"])
    page.get_by_label("Database").fill("one")
    page.get_by_role("button", name="Save connection").click()
    expect(page).to_have_url(re.compile(r"/connections/vault$"))
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_label("URL")).to_have_value("")
    expect(page.get_by_label("URL")).to_have_attribute("placeholder", "set — leave empty to keep it")
    page.get_by_label("Database").fill("two")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("two")
    page.get_by_role("button", name="Test vault").click()
    expect(page.get_by_text("answers")).to_be_visible()  # the secret is still there
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog", name="Delete").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(r"/connections$"))
    expect(page.get_by_role("link", name="vault", exact=True)).to_have_count(0)


def test_a_connection_in_use_is_not_deleted_and_its_jobs_are_named(sitting: Visit, tmp_path: Path) -> None:
    page = sitting.page
    sitting.expected_statuses = {409}
    (tmp_path / "rows.csv").write_text("id\n1\n")
    request = page.request
    assert request.post("/api/connections", data={"id": "folder", "type": "files", "path": str(tmp_path)}).ok
    streams = [{"name": "rows", "write": "append"}]
    job = {"id": "uses-folder", "source": "folder", "destination": "folder", "streams": streams}
    assert request.post("/api/jobs", data=job).ok
    page.goto("/connections")
    expect(page.get_by_role("row", name=re.compile("^folder")).get_by_role("link", name="uses-folder")).to_be_visible()
    page.goto("/connections/folder")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog", name="Delete").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("alert")).to_contain_text("uses-folder")


def test_an_unknown_connection_is_a_page(sitting: Visit) -> None:
    sitting.expected_statuses = {404}
    sitting.page.goto("/connections/nobody")
    expect(sitting.page.get_by_text("There is no connection “nobody”")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_shuts_anybody_out_or_is_too_wide(sitting: Visit, scheme: str, tmp_path: Path) -> None:
    page = sitting.page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    body = {"id": f"looked-at-{scheme}", "type": "files", "path": str(tmp_path)}
    (tmp_path / "rows.csv").write_text("id\n1\n")
    assert page.request.post("/api/connections", data=body).ok
    found = []
    addresses = [
        "/settings",
        "/settings?tab=tokens",
        "/settings?tab=audit",
        "/settings?tab=environment",
        "/connections",
        "/new-connection",
        f"/connections/{body['id']}",
        f"/connections/{body['id']}?edit=yes",
    ]
    for address in addresses:
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        for violation in Axe().run(page).response["violations"]:
            found.append((address, violation["id"], [node["target"] for node in violation["nodes"]]))
        for width in (360, 2560):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (address, width)
        page.set_viewport_size({"width": 1280, "height": 900})
    assert found == []
