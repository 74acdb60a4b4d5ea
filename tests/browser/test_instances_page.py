"""The instances in a real browser: who leads, who drains, and what open pages show when one is killed under them."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.depot import Depot
from tests.program import Program
from tests.waiting import until

pytestmark = pytest.mark.browser

# Until a claim or a lease of the dead has run out, and another instance has taken over.
TAKEOVER = 90_000


def instance(page: Page, program: Program) -> Locator:
    row = re.compile(rf"pid {program.pid} ")
    return page.get_by_role("table", name="Instances").get_by_role("row", name=row)


def leader(depot: Depot) -> str | None:
    lease = depot.ask("/api/status")["lease"]
    holder: str | None = lease["instance"] if lease and lease["live"] else None
    return holder


def test_the_instance_that_leads_wears_a_crown_and_shows_its_lease(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    until(lambda: leader(depot), "somebody leads")
    page.goto("/instances")
    row = instance(page, depot.main)
    expect(row.get_by_text("leads", exact=True)).to_be_visible()
    expect(row).to_contain_text("this one")
    expect(row).to_contain_text(re.compile(r"token \d+, for "))
    expect(row).to_contain_text(re.compile(r"\d (MB|GB)"))
    expect(row).to_contain_text("0 of 4 slots")
    lease = page.get_by_role("region", name=re.compile("^The lease"))
    expect(lease).to_contain_text(re.compile(r"Renewed(now|\d+ s ago)"))
    expect(page.get_by_role("table", name="Terms").get_by_text("leads now")).to_be_visible()


def test_an_instance_drains_to_its_last_run_and_comes_back(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    run_id = depot.run("grains")
    depot.comes_to(run_id, "running")
    page.goto("/instances")
    row = instance(page, depot.main)
    expect(row.get_by_role("link", name=re.compile(r"^grains #\d+$"))).to_have_attribute("href", f"/runs/{run_id}")
    row.get_by_role("button", name=re.compile("^Drain")).click()
    dialog = page.get_by_role("dialog", name="Drain")
    expect(dialog).to_contain_text("The 1 run it works on go on to their end")
    expect(dialog).to_contain_text(
        "It is the only one: until it is back in service nothing is scheduled and nothing runs."
    )
    dialog.get_by_role("button", name="Drain").click()
    expect(row).to_contain_text("1 run left")
    depot.stop(run_id)
    expect(row.get_by_text("drained", exact=True)).to_be_visible(timeout=TAKEOVER)
    waiting = depot.ask("/api/jobs/books/run", method="POST")["id"]
    row.get_by_role("button", name=re.compile("^Back into service")).click()
    expect(row.get_by_text("leads", exact=True)).to_be_visible(timeout=TAKEOVER)
    depot.comes_to(waiting, "succeeded")


def id_of(depot: Depot, program: Program) -> str:
    """The id under which a program's instance is known."""

    def known() -> str | None:
        found = [one["id"] for one in depot.ask("/api/instances")["items"] if one["pid"] == program.pid]
        return found[0] if found else None

    return until(known, f"the instance of pid {program.pid} is known")


def test_a_killed_instance_is_seen_to_be_replaced_on_open_pages(at_depot: Visit, depot: Depot) -> None:
    page = at_depot.page
    main = id_of(depot, depot.main)
    depot.ask(f"/api/instances/{main}/drain", method="POST")
    doomed = depot.start()
    other = id_of(depot, doomed)
    until(lambda: leader(depot) == other, "the other instance leads", timeout=60)
    run_id = depot.run("grains")
    until(lambda: depot.ask(f"/api/runs/{run_id}")["claim"]["instance"] == other, "the other instance has the run")
    depot.ask(f"/api/instances/{main}/undrain", method="POST")

    page.goto(f"/runs/{run_id}")
    attempts = page.get_by_role("table", name="Attempts").locator("tbody tr")
    expect(attempts).to_have_count(1)
    expect(attempts.first).to_contain_text(f"pid {doomed.pid}")
    instances = page.context.new_page()
    instances.goto("/instances")
    terms = instances.get_by_role("table", name="Terms").locator("tbody tr")
    expect(terms.first).to_contain_text(f"pid {doomed.pid}")
    expect(terms.first).to_contain_text("leads now")
    doomed.kill()

    # Nobody reloads anything.
    expect(attempts.first).to_contain_text(f"pid {depot.main.pid}", timeout=TAKEOVER)
    expect(attempts.nth(1)).to_contain_text("lost and rescued")
    expect(attempts.nth(1)).to_contain_text("Its instance died or froze, and its claim ran out.")
    steps = page.get_by_role("list", name="What became of this run").get_by_role("listitem")
    expect(steps.filter(has_text="Lost and rescued")).to_be_visible()
    expect(steps.filter(has_text=re.compile(rf"Claimed.*pid {depot.main.pid}"))).to_be_visible()
    expect(terms.first).to_contain_text(f"pid {depot.main.pid}", timeout=TAKEOVER)
    expect(terms.first).to_contain_text("leads now")
    expect(terms.nth(1)).to_contain_text("It vanished: nothing was heard of it until its lease ran out")
    expect(instance(instances, doomed).get_by_text("silent", exact=True)).to_be_visible(timeout=TAKEOVER)
    instances.close()
    depot.stop(run_id)


def test_a_server_killed_under_the_open_page_is_told_and_the_page_comes_back_by_itself(
    at_depot: Visit, depot: Depot
) -> None:
    page = at_depot.page
    page.goto("/instances")
    expect(instance(page, depot.main)).to_be_visible()
    gone = depot.main
    gone.kill()
    expect(page.get_by_role("alert")).to_contain_text("What you see is of", timeout=TAKEOVER)
    expect(instance(page, gone)).to_be_visible()
    depot.restart_main()
    expect(page.get_by_role("alert")).to_have_count(0, timeout=TAKEOVER)
    expect(instance(page, depot.main)).to_contain_text("this one", timeout=TAKEOVER)
    at_depot.complaints.clear()  # that nobody answered is what this is about


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_instances_shuts_nobody_out(at_depot: Visit, depot: Depot, scheme: str) -> None:
    page = at_depot.page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    page.goto("/instances")
    expect(instance(page, depot.main)).to_be_visible()
    page.get_by_text("What draining means").click()
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in violations] == []
    instance(page, depot.main).get_by_role("button", name=re.compile("^Drain")).click()
    expect(page.get_by_role("dialog", name="Drain")).to_be_visible()
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in violations] == []
