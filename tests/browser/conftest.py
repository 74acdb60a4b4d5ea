"""A browser, the real program with the quickstart's jobs and two of our own, and a page that is logged in on it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect, sync_playwright

from tests.conftest import missing
from tests.program import ROOT, Program

if TYPE_CHECKING:
    from tests.browser.depot import Depot

PASSWORD = "a long enough password"
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A machine with much to do may take its time; an expectation that holds is not slowed by this.
PATIENCE_MS = 20_000
SLOW_ROWS = 400_000
# Beside the quickstart's: one that takes long enough to be cancelled, one that cannot succeed.
MORE_CONNECTIONS = """
  heap: {type: sqlite, path: heap.db}
  nowhere: {type: files, path: nothing-here}
"""
MORE_JOBS = """
  slow:
    source: heap
    destination: lake
    streams:
      - {name: grains, mode: full, write: upsert, key: [id]}
  broken:
    source: nowhere
    destination: lake
    retry: {attempts: 1}
    streams:
      - {name: ghosts, mode: full, write: replace}
"""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        missing("no chromium here; on Debian: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def shop(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program in one process, as in production, with four jobs."""
    folder = tmp_path_factory.mktemp("shop")
    make_heap(folder / "heap.db")
    (folder / "jobs.yaml").write_text(declaration(folder))
    database = f"test_{uuid.uuid4().hex[:16]}"
    env = {
        "APP_ENV": "production",
        "MONGO_URL": mongo_url,
        "MONGO_DATABASE": database,
        "SECRET_KEY": "a secret key for the tests",
        "ADMIN_PASSWORD": PASSWORD,
        "JOBS_FILE": str(folder / "jobs.yaml"),
        "ALLOW_NETWORKS": "127.0.0.0/8",
    }
    program = Program("-m", "app", folder=folder, env=env).wait_ready()
    yield program
    program.end()


@pytest.fixture(scope="package")
def desk(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program with nothing in it yet, where no file keeps anything: what is there is made in the page."""
    folder = tmp_path_factory.mktemp("desk")
    env = {
        "APP_ENV": "production",
        "MONGO_URL": mongo_url,
        "MONGO_DATABASE": f"test_{uuid.uuid4().hex[:16]}",
        "SECRET_KEY": "a secret key for the tests",
        "ADMIN_PASSWORD": PASSWORD,
        "ALLOW_NETWORKS": "127.0.0.0/8",
        "LAKE_URL": mongo_url,
    }
    program = Program("-m", "app", folder=folder, env=env).wait_ready()
    yield program
    program.end()


def declaration(folder: Path) -> str:
    """The quickstart's file with its data in `folder`, and what we add."""
    subprocess.run([sys.executable, ROOT / "examples" / "quickstart" / "make_shop.py"], check=True)
    shutil.copytree(ROOT / "examples" / "quickstart" / "data", folder / "examples" / "quickstart" / "data")
    text = (ROOT / "examples" / "quickstart.yaml").read_text()
    return text.replace("\njobs:\n", MORE_CONNECTIONS + "\njobs:\n") + MORE_JOBS


def make_heap(path: Path) -> None:
    with sqlite3.connect(path) as heap:
        heap.execute("CREATE TABLE grains (id INTEGER PRIMARY KEY, word TEXT NOT NULL)")
        heap.executemany("INSERT INTO grains VALUES (?, ?)", ((n, f"grain {n}" * 8) for n in range(SLOW_ROWS)))
    heap.close()


@dataclass
class Visit:
    """A person's look at the dashboard: the page, and what the browser complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    expected_statuses: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        # What did not load is told better by its status.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected_statuses:
            self.complaints.append(f"{response.status} {response.url}")


@pytest.fixture
def context(chromium: Browser, shop: Program) -> Iterator[BrowserContext]:
    """A browser's window on the program; nobody is logged in."""
    opened = chromium.new_context(base_url=shop.url, viewport={"width": 1280, "height": 900}, color_scheme="light")
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


@pytest.fixture
def visit(context: BrowserContext, log_in: Callable[[BrowserContext], None]) -> Iterator[Visit]:
    """A page of someone who is logged in; fails the test where the browser complained."""
    log_in(context)
    visited = Visit(context.new_page())
    yield visited
    assert visited.complaints == []


@pytest.fixture
def seat(chromium: Browser, desk: Program) -> Iterator[BrowserContext]:
    """A window on `desk`; nobody is logged in."""
    opened = chromium.new_context(base_url=desk.url, viewport={"width": 1280, "height": 900}, color_scheme="light")
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def desk_token(chromium: Browser, desk: Program) -> str:
    """An admin's token for `desk`: for what a test makes ready by the API."""
    with_password = chromium.new_context(base_url=desk.url)
    assert with_password.request.post("/api/login", data={"password": PASSWORD}).ok
    answer = with_password.request.post("/api/tokens", data={"name": "the tests", "scope": "admin"})
    assert answer.ok, answer.text()
    token: str = answer.json()["token"]
    with_password.close()
    return token


@pytest.fixture
def sitting(seat: BrowserContext, desk_token: str) -> Iterator[Visit]:
    """A page of an admin on `desk`; fails the test where the browser complained."""
    seat.set_extra_http_headers({"Authorization": f"Bearer {desk_token}"})
    visited = Visit(seat.new_page())
    yield visited
    assert visited.complaints == []


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit.page


@pytest.fixture(scope="package")
def log_in() -> Callable[[BrowserContext], None]:
    """Log a window in, once by password and then by the session of that time: logins are limited."""
    cookies: list[object] = []

    def enter(context: BrowserContext) -> None:
        if not cookies:
            answer = context.request.post("/api/login", data={"password": PASSWORD})
            assert answer.ok, answer.text()
            cookies.extend(context.cookies())
        context.add_cookies(cookies)  # type: ignore[arg-type]

    return enter


@pytest.fixture(scope="module")
def depot(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Depot]:
    """A program of the module's own, whose instances may be killed and whose runs may fail."""
    from tests.browser.depot import Depot

    opened = Depot.opened(tmp_path_factory.mktemp("depot"), mongo_url, f"test_{uuid.uuid4().hex[:16]}")
    yield opened
    opened.end()


@pytest.fixture
def at_depot(chromium: Browser, depot: Depot) -> Iterator[Visit]:
    """A page of someone who is logged in there; fails the test where the browser complained."""
    window = chromium.new_context(
        base_url=depot.main.url, viewport={"width": 1280, "height": 900}, color_scheme="light"
    )
    window.set_default_timeout(PATIENCE_MS)
    depot.let_in(window)
    visited = Visit(window.new_page())
    yield visited
    window.close()
    assert visited.complaints == []
