"""What the documents say is there: every variable, every route, every link, every word."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")])


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def variables_read() -> set[str]:
    """Every variable that the two settings modules name, as a text of its own in capitals."""
    found: set[str] = set()
    for room in ("worker/settings.py", "app/settings.py"):
        for node in ast.walk(ast.parse((ROOT / room).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"^[A-Z][A-Z_]{3,}$", node.value))
    return found


def test_the_settings_page_lists_exactly_the_variables_that_are_read() -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", page, flags=re.MULTILINE)) == variables_read()


def test_the_example_environment_lists_exactly_the_variables_that_are_read() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^# ([A-Z_]+)=", example, flags=re.MULTILINE)) == variables_read()


def test_the_example_environment_changes_nothing_as_it_is() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    assert all(not line or line.startswith("#") for line in lines)


def test_the_api_page_names_every_route() -> None:
    from app.routes import ROUTES

    page = (DOCS / "api.md").read_text(encoding="utf-8")
    paths = {str(getattr(route, "path", route)) for route in ROUTES}
    paths = {re.sub(r"\{(\w+):\w+\}", r"{\1}", path) for path in paths}
    assert paths, "no routes?"
    assert {path for path in paths if path.startswith("/api") and path not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = without_code(page.read_text(encoding="utf-8"))
    wrong = []
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            wrong.append(target)
    assert wrong == []


def anchors(page: Path) -> set[str]:
    """The ids that GitHub gives to the headings of `page`."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text(encoding="utf-8")), flags=re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return set(plain)


def test_every_page_is_reached_from_the_index() -> None:
    reached, waiting = set(), [DOCS / "index.md", ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or not page.exists() or page.suffix != ".md":
            continue
        reached.add(page)
        links = LINK.findall(without_code(page.read_text(encoding="utf-8")))
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links if ":" not in link]
    assert [name_of(page) for page in DOCS.rglob("*.md") if page not in reached] == []


def test_the_glossary_has_the_words_that_the_records_use() -> None:
    from worker.job import CatchUp, Mode, Write
    from worker.run import RunState

    words = set(re.findall(r"[\w-]+", (DOCS / "glossary.md").read_text(encoding="utf-8").lower()))
    used = {word.value for vocabulary in (Mode, Write, CatchUp, RunState) for word in vocabulary}
    nouns = "job run attempt schedule lease holder token instance heartbeat claim misfire missed rescue prune"
    nouns += " checkpoint stream batch source destination connector connection secret"
    assert (used | set(nouns.split())) - words == set()


def test_every_state_of_a_run_is_explained() -> None:
    from worker.run import TRANSITIONS

    page = (DOCS / "states.md").read_text(encoding="utf-8")
    for state, after in TRANSITIONS.items():
        row = re.search(rf"^\| `{state.value}` \|.*\|([^|]*)\|$", page, flags=re.MULTILINE)
        assert row, f"{state.value} is not in the table"
        assert set(re.findall(r"\w+", row[1])) == {one.value for one in after}


def test_every_decision_is_in_the_list() -> None:
    listed = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    for page in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        assert f"({page.name})" in listed
        text = page.read_text(encoding="utf-8")
        for part in ("Context", "Decision", "Consequences", "Source"):
            assert f"**{part}.**" in text, f"{page.name} has no {part}"
