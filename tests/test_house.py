"""The habits of the house, checked: docstrings, sizes, names, words, and what an idle server may import."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ("app", "worker")
ALL = (*PROGRAM, "tests", "bench", "examples", "static")
MOST_LINES = 400
BAGS = {"utils", "util", "helpers", "helper", "common", "base", "core", "manager", "misc"}

# The glossary's banned words, as parts of names in code; asyncio's and MongoDB's own terms keep theirs in these rooms.
BANNED_NAMES = {"flow", "pipeline", "task", "execution", "master", "run_time"}
OWN_TERMS = {
    "task": ("app/server.py", "app/single.py", "app/api/"),
    "pipeline": ("worker/store/", "worker/connectors/"),
}
BANNED_PROSE = re.compile(
    r"\b(pipelines?|workflows?|masters?|run times?|(?:job|run) executions?|(?:lease|scheduler) locks?)\b",
    re.IGNORECASE,
)
# MongoDB's own terms keep theirs in prose too.
PROSE_EXCEPTIONS = ("aggregation pipeline", "update pipeline")

HEAVY = {"pyarrow", "duckdb", "sqlalchemy", "pymongoarrow", "pandas", "polars"}
# Loaded by a connector at first use, not by an idle server.
LATE = HEAVY | {"psycopg", "mongomock", "pytest"}


def modules(*rooms: str) -> list[Path]:
    found = [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    return [path for path in found if "node_modules" not in path.parts]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def names_in(path: Path) -> set[str]:
    """Every name that this module gives: classes, functions, parameters, variables, attributes; in lower case."""
    found: set[str] = {path.stem}
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    return found


def words_of(name: str) -> set[str]:
    """`runTime_x` and `RunTime` are {run, time, x, run_time, …}: single words and neighbours."""
    parts = [p.lower() for p in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]
    return {*parts, *("_".join(pair) for pair in pairwise(parts))}


@pytest.mark.parametrize("path", modules(*ALL), ids=name_of)
def test_a_module_begins_with_its_promise(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name == "__init__.py" and not text.strip():
        return
    assert ast.get_docstring(tree_of(path)), f"{name_of(path)} has no docstring"


@pytest.mark.parametrize("path", modules(*ALL), ids=name_of)
def test_a_module_is_split_before_it_is_too_long(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES, f"{name_of(path)} has {lines} lines; split it"


def test_no_module_is_a_bag() -> None:
    named = [name_of(p) for p in modules(*ALL) if BAGS & {p.stem, p.parent.name}]
    sources = [p for p in (ROOT / "static" / "src").rglob("*.ts*") if p.name.split(".")[0].lower() in BAGS]
    assert named + [name_of(p) for p in sources] == []


@pytest.mark.parametrize("path", modules(*PROGRAM, "bench"), ids=name_of)
def test_names_in_code_are_words_of_the_glossary(path: Path) -> None:
    room = name_of(path)
    banned = {word for word in BANNED_NAMES if not room.startswith(OWN_TERMS.get(word, ()))}
    wrong = {name for name in names_in(path) if words_of(name) & banned}
    assert not wrong, f"{room} says {sorted(wrong)}; see docs/glossary.md"


def documents() -> list[Path]:
    """All but the glossary, which is where the banned words are named."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return sorted(path for path in found if path.name != "glossary.md")


@pytest.mark.parametrize("path", documents(), ids=name_of)
def test_documents_use_the_words_of_the_glossary(path: Path) -> None:
    wrong = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if BANNED_PROSE.search(line) and not any(exception in line for exception in PROSE_EXCEPTIONS):
            wrong.append(f"{name_of(path)}:{number}: {line.strip()}")
    assert not wrong, "\n".join(wrong)


def test_no_test_sleeps() -> None:
    wrong = []
    for path in modules("tests"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep", "asyncio.sleep"}:
                wrong.append(f"{name_of(path)}:{node.lineno}")
    assert wrong == [], "wait for a named event (tests/waiting.py) or use a fake clock"


def imports_of(path: Path, *, top_only: bool) -> set[str]:
    """The first parts of what it imports; `top_only` leaves out imports inside functions and TYPE_CHECKING."""
    found: set[str] = set()
    nodes: list[ast.AST] = list(tree_of(path).body) if top_only else list(ast.walk(tree_of(path)))
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("room", ["app/supervisor.py", "app/child.py"])
def test_what_supervises_needs_the_standard_library_alone(room: str) -> None:
    allowed = set(sys.stdlib_module_names)
    own = {name for name in imports_of(ROOT / room, top_only=False) if name.split(".")[0] not in allowed}
    assert {n for n in own if not n.startswith(("app.child", "app.supervisor", "app"))} == set()
    assert {n.split(".")[1] for n in own if "." in n} <= {"child", "supervisor"}


@pytest.mark.parametrize("path", modules(*PROGRAM), ids=name_of)
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    top = {name.split(".")[0] for name in imports_of(path, top_only=True)}
    assert not top & HEAVY, f"{name_of(path)} imports {sorted(top & HEAVY)} at its top"


def test_an_idle_server_loads_no_connector_library() -> None:
    """Importing all that serves and supervises pulls in nothing heavy, whoever imports it on the way."""
    program = "import sys, app.main, worker.main, app.routes; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & LATE


def test_no_file_is_a_fake_of_a_server() -> None:
    """The lease, the claims and bulk writes are tested on a real mongod; `mongomock` is silently wrong there."""
    rooms = ("tests/worker/store", "tests/worker/test_lease.py", "tests/contracts", "tests/journeys")
    tests = [path for path in modules("tests") if name_of(path).startswith(rooms)]
    wrong = [name_of(path) for path in tests if "mongomock" in path.read_text(encoding="utf-8")]
    assert wrong == []


@pytest.mark.parametrize(("lock", "extras"), [("run", ("embedded", "postgres")), ("test", None)])
def test_the_locks_name_every_package_that_setup_cfg_asks_for(lock: str, extras: tuple[str, ...] | None) -> None:
    """`make lock` after a change in setup.cfg."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"].splitlines()
    for extra, text in setup["options.extras_require"].items():
        if extras is None or extra in extras:
            lines += text.splitlines()
    wanted = {re.split(r"[\[<>=!~ ]", line, maxsplit=1)[0].lower() for line in lines if line}
    locked = re.findall(r"^([\w.-]+)==", (ROOT / f"requirements-{lock}.lock").read_text("utf-8"), flags=re.MULTILINE)
    assert wanted - {name.lower() for name in locked} == set()
