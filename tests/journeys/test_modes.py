"""Every way to start it: which processes there are then, and in which of them the worker runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import StartProgram
from tests.program import Program
from tests.waiting import until
from worker.store import Store

pytestmark = pytest.mark.journey

START, API, WORKER = ("-m", "app"), ("-m", "app", "api"), ("-m", "worker")
PRODUCTION = {"SECRET_KEY": "a key of the journeys", "AUTH": "none"}


@pytest.fixture
def without_node(tmp_path: Path) -> str:
    """A PATH with what starts the program and no Node: the built dashboard is served."""
    folder = tmp_path / "bin"
    folder.mkdir()
    setpriv = shutil.which("setpriv")
    assert setpriv
    (folder / "setpriv").symlink_to(setpriv)
    return str(folder)


# mode, ENABLE_SYNC_WORKER, command -> (processes in all, where the worker is)
INSIDE, APART, NOWHERE, ALONE = "inside the API", "a child of its own", "nowhere", "alone"
TABLE = [
    ("development", None, START, 3, APART),
    ("development", "true", START, 2, INSIDE),
    ("development", "false", START, 2, NOWHERE),
    ("development", None, API, 1, NOWHERE),
    ("development", "true", API, 1, INSIDE),
    ("development", "false", API, 1, NOWHERE),
    ("development", None, WORKER, 1, ALONE),
    ("development", "true", WORKER, 1, ALONE),
    ("development", "false", WORKER, 1, ALONE),
    ("production", None, START, 1, INSIDE),
    ("production", "true", START, 1, INSIDE),
    ("production", "false", START, 1, NOWHERE),
    ("production", None, API, 1, INSIDE),
    ("production", "true", API, 1, INSIDE),
    ("production", "false", API, 1, NOWHERE),
    ("production", None, WORKER, 1, ALONE),
    ("production", "true", WORKER, 1, ALONE),
    ("production", "false", WORKER, 1, ALONE),
]


def variables(mode: str, flag: str | None, by: str) -> dict[str, str]:
    found = {by: mode, **(PRODUCTION if mode == "production" else {})}
    return found | ({"ENABLE_SYNC_WORKER": flag} if flag else {})


@pytest.mark.parametrize(("mode", "flag", "command", "processes", "where"), TABLE)
def test_each_cell_of_the_table(
    mode: str,
    flag: str | None,
    command: tuple[str, ...],
    processes: int,
    where: str,
    program: StartProgram,
    environment: Callable[..., dict[str, str]],
    without_node: str,
    store: Store,
) -> None:
    by = "NODE_ENV" if flag is None else "APP_ENV"  # the one is as good as the other
    env = environment(PATH=without_node, **variables(mode, flag, by))
    one = program(*command, env=env, ready=command is not WORKER)
    if where == NOWHERE:
        assert store.instances.list() == []
    else:
        instance = until(store.instances.list, "the worker tells that it lives")[0]
        assert (instance["pid"] == one.pid) is (where in {INSIDE, ALONE} and len(one.processes()) == 1)
        assert instance["pid"] in one.processes()
    assert len(one.processes()) == processes
    assert one.status("/") == (0 if command is WORKER else 200)
    assert one.terminate() == 0
    assert one.processes() == []


def test_node_env_counts_only_where_app_env_is_unset(
    program: StartProgram, environment: Callable[..., dict[str, str]]
) -> None:
    one = program("-m", "app", "api", env=environment(NODE_ENV="production", APP_ENV="development"))
    assert len(one.processes()) == 1  # and it asked for no key


def dev_server_here() -> bool:
    from app.development import VITE

    return VITE.exists() and shutil.which("node") is not None


@pytest.mark.skipif(not dev_server_here(), reason="no Node with static/node_modules")
def test_with_node_the_dev_server_shows_the_dashboard_and_hands_the_api_on(
    program: StartProgram, environment: Callable[..., dict[str, str]]
) -> None:
    one = program(env=environment())
    assert len(one.processes()) == 4
    assert "/@vite/client" in one.text("/")
    assert "/@vite/client" in one.text("/jobs/some-job")
    assert one.status("/healthz") == 200
    assert one.status("/api/status") == 200
    assert one.terminate() == 0
    assert one.processes() == []


@pytest.mark.skipif(not dev_server_here(), reason="no Node with static/node_modules")
def test_beyond_loopback_the_api_behind_the_dev_server_knows_the_same_names(
    program: StartProgram, environment: Callable[..., dict[str, str]]
) -> None:
    one = program(env=environment(HOST="0.0.0.0", AUTH_TOKEN="let me in"))
    headers = {"Host": f"192.0.2.1:{one.port}"}
    assert one.status("/healthz", headers) == 200
    assert one.status("/api/status", headers) == 401
    assert one.status("/api/status", {**headers, "Authorization": "Bearer let me in"}) == 200


def test_without_node_one_line_says_that_the_built_dashboard_is_served(
    program: StartProgram, environment: Callable[..., dict[str, str]], without_node: str
) -> None:
    one = program(env=environment(PATH=without_node))
    one.wait_for("the built dashboard of static/dist is served")
    assert one.status("/") == 200


@pytest.mark.parametrize("command", [START, API, WORKER])
@pytest.mark.parametrize("mode", ["development", "production"])
def test_bad_configuration_ends_every_start_with_2_and_names_all(
    command: tuple[str, ...], mode: str, program: StartProgram, environment: Callable[..., dict[str, str]]
) -> None:
    bad = {"LEASE_TTL": "soon", "WORKER_CONCURRENCY": "0", "SECRET_KEY": "hush", "APP_ENV": mode}
    one = program(*command, env=environment(**bad), ready=False)
    assert one.wait() == 2
    for name in ("LEASE_TTL", "WORKER_CONCURRENCY", "SECRET_KEY"):
        assert name in one.output
    assert "hush" not in one.output
    assert "Traceback" not in one.output


def test_a_taken_port_is_said_in_one_line(program: StartProgram, environment: Callable[..., dict[str, str]]) -> None:
    first = program("-m", "app", "api", env=environment())
    for command in (START, API):
        second: Program = program(*command, env=environment(PORT=str(first.port)), ready=False)
        assert second.wait() == 1
        assert f"port {first.port}" in second.output
        assert "Traceback" not in second.output


def test_the_env_file_of_the_folder_is_read_and_the_environment_wins(
    program: StartProgram, environment: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / ".env").write_text("LEASE_TTL=soon\nCLAIM_TTL='later'\n", encoding="utf-8")
    one = program("-m", "app", "api", env=environment(LEASE_TTL="15"), ready=False, folder=folder)
    assert one.wait() == 2
    assert "CLAIM_TTL" in one.output
    assert "LEASE_TTL" not in one.output
