"""`python -m tests.browser.pictures`: take the pictures in docs/images anew, of the real program in three states.

Busy: jobs that succeed, fail, are held and run. Empty: nothing saved yet. Broken: the database is silent under the open
page. It asserts nothing; people look at what it makes.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS, make_heap
from tests.program import ROOT, Program
from tests.receiver import Receiver, receiving
from tests.servers import free_port
from tests.waiting import until

IMAGES = ROOT / "docs" / "images"
PASSWORD = "a password for pictures"
LONGEST = 1200
SIZES = {"": (1280, 900), "-narrow": (390, 844)}

JOBS = """
version: 1
connections:
  shop: {type: sqlite, path: shop.db}
  heap: {type: sqlite, path: heap.db}
  files: {type: files, path: files}
  lake: {type: sqlite, path: lake.db}
  archive: {type: sqlite, path: archive.db}
  nowhere: {type: files, path: nothing-here}
jobs:
  catalogue:
    source: files
    destination: lake
    schedule: {every: 10s}
    streams: [{name: products, mode: full, write: replace}]
  orders:
    source: shop
    destination: lake
    schedule: {every: 5s}
    streams:
      - {name: customers, mode: incremental, cursor: updated_at, key: [id], write: upsert}
      - {name: orders, mode: incremental, cursor: updated_at, key: [id], write: upsert}
  customers-mirror:
    source: shop
    destination: archive
    schedule: {every: 15s}
    streams: [{name: customers, mode: full, write: mirror, key: [id], target: customers_copy}]
  nightly-copy:
    source: shop
    destination: archive
    schedule: {cron: "30 2 * * *", timezone: Europe/Paris}
    streams: [{name: orders, mode: full, write: replace}]
  grains:
    source: heap
    destination: archive
    streams: [{name: grains, mode: full, write: upsert, key: [id]}]
  partner-drop:
    source: nowhere
    destination: lake
    schedule: {every: 1h}
    retry: {attempts: 1}
    streams: [{name: ghosts, mode: full, write: replace}]
"""


def main() -> int:
    """Take them all."""
    IMAGES.mkdir(exist_ok=True)
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory(prefix="syncworker-pictures-") as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        folder = Path(name)
        with started(folder / "empty", None) as empty:
            picture(browser, empty, "/", "empty-overview")
            picture(browser, empty, "/new-job", "empty-new-job")
        with receiving() as chat, started(folder / "busy", JOBS) as busy:
            pictures_of_a_busy_one(browser, busy, chat)
        browser.close()
    return 0


def pictures_of_a_busy_one(browser: Browser, busy: Program, chat: Receiver) -> None:
    page = opened(browser, busy, "light", SIZES[""])
    ask = page.request
    for alert in (
        {"id": "team-chat", "url": chat.url, "format": "slack"},
        {"id": "pager", "url": f"http://127.0.0.1:{free_port()}/in", "secret": "a secret for pictures"},
        {"id": "data-team", "url": chat.url, "jobs": ["orders", "catalogue"], "failures": "off", "stale": "2h"},
    ):
        assert ask.post(f"{busy.url}/api/alerts", data=alert).ok

    def runs(job: str, state: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask.get(f"{busy.url}/api/runs?job={job}&state={state}").json()["items"]
        return found

    ask.post(f"{busy.url}/api/jobs/partner-drop/run")
    until(lambda: len(runs("orders", "succeeded")) >= 20, "there is something to see", timeout=240)
    with sqlite3.connect(busy.folder / "shop.db") as shop:  # most customers are gone: the mirror is held
        shop.execute("DELETE FROM customers WHERE id > 40")
    until(lambda: runs("customers-mirror", "held"), "a run is held", timeout=60)
    until(lambda: runs("partner-drop", "failed"), "a run has failed", timeout=60)
    ask.post(f"{busy.url}/api/jobs/grains/run")
    until(lambda: runs("grains", "running"), "a run goes on", timeout=60)
    going = runs("grains", "running")[0]["id"]
    picture(browser, busy, f"/runs/{going}", "run-live")
    for path, file in (
        ("/?range=1h", "overview"),
        ("/jobs", "jobs"),
        ("/jobs/orders", "job"),
        ("/jobs/orders?tab=schedule", "job-schedule"),
        ("/jobs/orders?tab=settings", "job-settings"),
        (f"/runs/{runs('orders', 'succeeded')[0]['id']}", "run"),
        (f"/runs/{runs('customers-mirror', 'held')[0]['id']}", "run-held"),
        (f"/runs/{runs('partner-drop', 'failed')[0]['id']}", "run-failed"),
        (f"/runs/{going}?tab=log", "log"),
        ("/connections", "connections"),
        ("/instances", "instances"),
        ("/settings?tab=tokens", "settings"),
        ("/settings?tab=alerts", "alerts"),
        ("/runs", "runs"),
    ):
        picture(browser, busy, path, file)
    page.goto("/?range=1h")
    page.get_by_role("link", name="nightly-copy").first.wait_for()
    page.get_by_role("heading", name="Rows written").wait_for()
    page.locator(".skeleton").first.wait_for(state="detached")
    for pid in mongods(busy):
        os.kill(pid, signal.SIGSTOP)
    page.get_by_role("alert").first.wait_for(timeout=60_000)
    page.screenshot(path=IMAGES / "broken-overview.png")
    for pid in mongods(busy):
        os.kill(pid, signal.SIGCONT)


def picture(browser: Browser, program: Program, path: str, file: str) -> None:
    """Light, dark and narrow; no longer than a long screen."""
    for scheme, size in (("light", ""), ("dark", ""), ("light", "-narrow")):
        page = opened(browser, program, scheme, SIZES[size])
        page.goto(path)
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_load_state("load")
        page.locator(".skeleton").first.wait_for(state="detached")
        height = SIZES[size][1] if size else min(LONGEST, page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": SIZES[size][0], "height": height})
        page.screenshot(path=IMAGES / f"{file}{'-dark' if scheme == 'dark' else ''}{size}.png")
        page.context.close()


def opened(browser: Browser, program: Program, scheme: str, size: tuple[int, int]) -> Page:
    dark: Any = scheme
    viewport: Any = {"width": size[0], "height": size[1]}
    context = browser.new_context(base_url=program.url, viewport=viewport, color_scheme=dark, reduced_motion="reduce")
    assert context.request.post("/api/login", data={"password": PASSWORD}).ok
    return context.new_page()


@contextmanager
def started(folder: Path, jobs: str | None) -> Iterator[Program]:
    folder.mkdir(parents=True)
    env = {"APP_ENV": "production", "EMBEDDED_MONGO": "true", "ADMIN_PASSWORD": PASSWORD, "LOG_FORMAT": "console"}
    env["SECRET_KEY"] = "a secret key for the pictures"
    env["ALLOW_NETWORKS"] = "127.0.0.0/8"
    if jobs:
        subprocess.run([sys.executable, ROOT / "examples" / "quickstart" / "make_shop.py"], check=True)
        shutil.copytree(ROOT / "examples" / "quickstart" / "data" / "files", folder / "files")
        shutil.copy(ROOT / "examples" / "quickstart" / "data" / "shop.db", folder / "shop.db")
        make_heap(folder / "heap.db")
        (folder / "jobs.yaml").write_text(jobs)
        env["JOBS_FILE"] = str(folder / "jobs.yaml")
    program = Program("-m", "app", folder=folder, env=env)
    try:
        yield program.wait_ready(60)
    finally:
        program.end()


def mongods(program: Program) -> list[int]:
    """The database's process."""
    return [pid for pid in program.processes() if "mongod" in Path(f"/proc/{pid}/cmdline").read_text()]


if __name__ == "__main__":
    sys.exit(main())
