"""`make run` from a checkout whose packages are installed: the quickstart is there, at work, and gone when told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import ROOT, Program
from tests.waiting import until

pytestmark = pytest.mark.journey
FILES = ("Makefile", "setup.cfg", "pyproject.toml", "requirements-run.lock", "examples")
# A machine without Node: nothing else is found.
TOOLS = ("make", "sh", "setpriv", "python3", "touch", "rm", "ls", "id", "env")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy with the environment of this one, its stamp included; `make` finds nothing to install."""
    for name in FILES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("data", "__pycache__"))
        else:
            shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").mkdir()
    for part in ("bin", "lib", "pyvenv.cfg"):
        (tmp_path / ".venv" / part).symlink_to(Path(sys.prefix) / part)
    (tmp_path / ".venv" / ".installed-run").touch()
    return tmp_path


@pytest.fixture
def started(checkout: Path) -> Iterator[Program]:
    bare = checkout / "bin"
    bare.mkdir()
    for tool in TOOLS:
        (bare / tool).symlink_to(shutil.which(tool) or pytest.fail(f"no {tool} here"))
    one = Program("run", folder=checkout, env={"SHUTDOWN_GRACE": "10", "PATH": str(bare)}, executable="make")
    yield one
    one.end()


def page(one: Program, path: str) -> bytes:
    with urllib.request.urlopen(one.url + path, timeout=5) as answer:
        content: bytes = answer.read()
        return content


@pytest.mark.parametrize("end", ["SIGTERM to make", "Ctrl-C"])
def test_the_quickstart_is_at_work_and_ends_with_make(started: Program, end: str) -> None:
    started.wait_for("the built dashboard of static/dist is served", timeout=30)
    started.wait_for(f"{started.url}/")
    until(lambda: states(started) >= {("catalogue", "succeeded"), ("orders", "succeeded")}, "both jobs ran", timeout=30)
    assert b'<div id="root">' in page(started, "/")
    assert len(started.processes()) > 3
    if end == "Ctrl-C":  # a terminal sends it to all in the foreground
        os.killpg(started.pid, signal.SIGINT)
    else:
        started.signal(signal.SIGTERM)
    started.wait()
    until(lambda: not started.processes(), "no process is left")


def states(one: Program) -> set[tuple[str, str]]:
    return {(run["job_id"], run["state"]) for run in json.loads(page(one, "/api/runs"))["items"]}
