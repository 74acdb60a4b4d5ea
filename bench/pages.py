"""`python -m bench.pages`: open every page beside 10,000 jobs and 100,000 runs, and say how long until it can be used.

It counts from asking for the page until what it is opened for stands on it and its thread takes the next event. Each
load is a new browser context, so that nothing is cached. The figures are this machine's; the goal is 1.5 s.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymongo
from playwright.sync_api import Browser, Page, sync_playwright

import worker.store
from tests.browser import crowd
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.program import Program
from tests.servers import running_mongod

LOADS = int(os.environ.get("BENCH_LOADS", "5"))
GOAL_MS = 1_500
# The next event is taken once what was on its way is done.
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A page, and the selectors of what it is opened for; `{run}` in its path is a run's id."""

    name: str
    path: str
    shows: tuple[str, ...]


PAGES = (
    Opened(
        name="Overview",
        path="/",
        shows=(
            "h1:has-text('10,000 jobs')",
            "[aria-label^='Jobs, each with its'] li",
            "[role=slider]",
        ),
    ),
    Opened(name="Jobs", path="/jobs", shows=("table[aria-label=Jobs] tbody tr >> nth=49",)),
    Opened(name="Jobs, found", path="/jobs?q=is:failed", shows=("table[aria-label=Jobs] tbody tr >> nth=49",)),
    Opened(name="Job", path=f"/jobs/{crowd.name(5)}", shows=("h1:has-text('job-00005')", "table tbody tr")),
    Opened(name="Job, streams", path=f"/jobs/{crowd.name(5)}?tab=streams", shows=("table tbody tr",)),
    Opened(name="Job, schedule", path=f"/jobs/{crowd.name(5)}?tab=schedule", shows=("table tbody tr",)),
    Opened(name="Job, settings", path=f"/jobs/{crowd.name(5)}?tab=settings", shows=("main input >> visible=true",)),
    Opened(name="Runs", path="/runs", shows=("table[aria-label=Runs] tbody tr >> nth=49",)),
    Opened(name="Runs, failed", path="/runs?state=failed", shows=("table[aria-label=Runs] tbody tr >> nth=49",)),
    Opened(name="Run", path="/runs/{run}", shows=("h1", "main table tbody tr")),
    Opened(name="Connections", path="/connections", shows=("h1:has-text('Connections')", "main .panel .blank")),
    Opened(name="Instances", path="/instances", shows=("h1:has-text('Instances')", "main .panel")),
    Opened(name="Settings", path="/settings", shows=("h1:has-text('Settings')", "main .panel")),
)


@contextmanager
def crowded(mongo_url: str, folder: Path) -> Iterator[tuple[Program, str]]:
    """The API and the dashboard on a database with very much in it, and the id of one of its runs."""
    store = worker.store.open(mongo_url, "crowded")
    store.ensure_indexes()
    with pymongo.MongoClient[dict[str, Any]](mongo_url, w=1) as patient:
        crowd.gather(patient["crowded"], store.now())
        run = patient["crowded"]["runs"].find_one({"state": "failed"}, sort=[("_id", 1)])
    assert run is not None
    env = {"APP_ENV": "development", "MONGO_URL": mongo_url, "MONGO_DATABASE": "crowded", "ENABLE_SYNC_WORKER": "false"}
    program = Program("-m", "app", "api", folder=folder, env=env).wait_ready()
    try:
        yield program, str(run["_id"])
    finally:
        program.end()
        store.close()


def load(browser: Browser, url: str, opened: Opened, run: str) -> float:
    """Milliseconds from asking for a page until it can be read and pressed."""
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    try:
        page: Page = context.new_page()
        page.goto(opened.path.format(run=run), wait_until="commit")
        for selector in opened.shows:
            page.locator(selector).first.wait_for()
        return float(page.evaluate(SETTLED))
    finally:
        context.close()


def main() -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with (
        running_mongod() as mongod,
        tempfile.TemporaryDirectory() as folder,
        crowded(mongod.url, Path(folder)) as (program, run),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        print(
            f"{crowd.JOBS:,} jobs, {crowd.JOBS * crowd.RUNS_EACH:,} runs; {LOADS} loads of each page, nothing cached\n"
        )
        print(f"| page | median, ms | slowest, ms | of {GOAL_MS:,} ms |\n|---|--:|--:|--:|")
        for opened in PAGES:
            took = [load(browser, program.url, opened, run) for _ in range(LOADS)]
            median = statistics.median(took)
            print(f"| {opened.name} | {median:,.0f} | {max(took):,.0f} | {median / GOAL_MS:.2f} |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
