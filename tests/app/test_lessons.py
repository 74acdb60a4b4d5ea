"""Holes that others had, tried here: each test is the attack, named after the advisory that taught it."""

from __future__ import annotations

import configparser
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.routes import ROUTES
from app.settings import load
from tests.app.api.conftest import MakeClient, make_client, shelf, vault  # noqa: F401  (fixtures)
from tests.app.api.raw import HOST, ask
from worker.access import Scope
from worker.errors import BadConfiguration
from worker.settings import load as load_worker
from worker.store import Store

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "APP_ENV": "production",
    "MONGO_URL": "mongodb://db.example/x",
    "SECRET_KEY": "k" * 32,
    "AUTH_TOKEN": "t" * 32,
}


def faults(env: dict[str, str]) -> set[str]:
    try:
        load(env)
    except BadConfiguration as error:
        return {fault.field for fault in error.faults}
    return set()


@pytest.fixture
def open_umask() -> Iterator[None]:
    """As a daemon has it that was started without a thought."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_airflow_cve_2020_13927_an_api_open_by_default(make_client: MakeClient) -> None:  # noqa: F811
    """Its experimental API asked nobody unless told to. Here nothing starts open but a developer's own machine."""
    bare = {name: value for name, value in PRODUCTION.items() if name != "AUTH_TOKEN"}
    for env in (bare, {**bare, "HOST": "127.0.0.1"}, {"HOST": "0.0.0.0"}, {"HOST": "::"}, {"HOST": "192.0.2.1"}):
        for blank in ({}, {"AUTH_TOKEN": ""}, {"AUTH_TOKEN": "  ", "ADMIN_PASSWORD": ""}):
            assert faults({**env, **blank}) == {"AUTH_TOKEN"}, env
    app = make_client(auth_token="t" * 32).app
    closed = [re.sub(r"\{\w+(:\w+)?\}", "x", one.path) for one in ROUTES if one.needs is not None]
    assert {ask(app, "GET", path).status for path in closed} == {401}


@pytest.mark.usefixtures("open_umask")
def test_airflow_cve_2022_38170_a_daemon_whose_files_all_may_write(tmp_path: Path) -> None:
    """Its daemon ran with umask 0. What we keep is closed by its own mode, whatever the umask."""
    from app.ownership import Ownership
    from worker.settings import generated_secret_key

    data = tmp_path / "data"
    ownership = Ownership(data / "mongod" / "owner.json")
    assert ownership.take()
    generated_secret_key(data)
    ownership.release()
    generated_secret_key(tmp_path / "other")
    for path in (data, data / "mongod", tmp_path / "other"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    for path in (data / "secret_key", data / "mongod" / "owner.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


@pytest.mark.parametrize(
    "known",
    ["change-me-change-me", "changeme12345678", "CHANGE_THIS_TO_A_SECRET", "replace-me-please", "your-secret-key-here"],
)
def test_superset_cve_2023_27524_a_key_that_everybody_knows(known: str) -> None:
    """Thousands ran with the SECRET_KEY of its documentation. None is shipped here, and placeholders are refused."""
    assert faults({**PRODUCTION, "SECRET_KEY": known}) == {"SECRET_KEY"}
    assert faults({**PRODUCTION, "SECRET_KEY": f"{'k' * 32},{known}"}) == {"SECRET_KEY"}
    with pytest.raises(BadConfiguration, match="SECRET_KEY"):
        load_worker({**PRODUCTION, "SECRET_KEY": known})
    assert faults({**PRODUCTION, "AUTH_TOKEN": known}) == {"AUTH_TOKEN"}
    assert faults({**PRODUCTION, "ADMIN_PASSWORD": known}) == {"ADMIN_PASSWORD"}


def test_superset_cve_2023_27524_no_file_that_we_ship_has_a_key() -> None:
    files = [ROOT / ".env.example", ROOT / "Dockerfile", ROOT / "supervisord.conf", ROOT / "README.md"]
    files += [
        path for folder in ("deploy", "docs", "examples") for path in (ROOT / folder).rglob("*") if path.is_file()
    ]
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        for name, value in re.findall(r"\b(SECRET_KEY|AUTH_TOKEN|ADMIN_PASSWORD)[=:] ?([^\s|`\"',;)]+)", text):
            given = value.strip("\"'")
            harmless = given.startswith(("$", "…", "<")) or given in ("", "required", "none")
            assert harmless or faults({**PRODUCTION, name: given}) == {name}, f"{path.name} has {name}={given}"


def test_metabase_cve_2023_38646_a_setup_that_stays_open(make_client: MakeClient, store: Store) -> None:  # noqa: F811
    """Its set-up token stayed usable, and a connection test ran what it was given. We have no set-up over HTTP."""
    assert not [one.path for one in ROUTES if re.search(r"setup|set-up|install|init|bootstrap", one.path)]
    client = make_client(auth_token="t" * 32)
    _, token = store.tokens.create("reader", Scope.READ, None, "the tests")
    body = b'{"type": "sqlite", "path": "/etc/passwd"}'
    json = ("content-type", "application/json")
    for path in ("/api/connections/x/test", "/api/connections/test"):
        assert ask(client.app, "POST", path, [HOST, json], body).status == 401
        assert ask(client.app, "POST", path, [HOST, json, ("authorization", f"Bearer {token}")], body).status == 403
    drafts = {one.needs for one in ROUTES if one.path == "/api/connections/test"}
    assert drafts <= {Scope.ADMIN}, "an address of the caller's own choice is for admins"


def test_supervisor_cve_2017_11610_commands_over_http() -> None:
    """Its XML-RPC ran commands for whoever reached the port. Ours listens on a socket of its owner alone."""
    found = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",))
    found.read(ROOT / "supervisord.conf")
    assert "inet_http_server" not in found
    assert found["unix_http_server"]["chmod"] == "0700"
    assert found["supervisorctl"]["serverurl"].startswith("unix://")


def test_starlette_cve_2024_47874_a_form_without_end(make_client: MakeClient) -> None:  # noqa: F811
    """A part of a form without a file name was read into memory whole. No form is read here, and no body over 1 MB."""
    client = make_client()
    form = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"y" * 100_000 + b"\r\n--x--\r\n"
    for kind in ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
        answer = client.post("/api/jobs", content=form, headers={"Content-Type": kind})
        assert answer.status_code == 415
    endless = iter([b"y" * 65_536] * 100)
    answer = client.post("/api/jobs", content=endless, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 413
    program = "import sys, app.routes; print('multipart' in sys.modules or 'python_multipart' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_starlette_cve_2025_62727_a_range_that_eats_the_processor(make_client: MakeClient) -> None:  # noqa: F811
    """Merging ranges took time by the square of their number. A file of the page is sent whole, whatever was asked."""
    client = make_client()
    hostile = "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 60_000, 2))
    whole = client.get("/")
    for asked in (hostile, "bytes=0-1", "bytes=0-,0-,0-", "bytes=" + "0-" * 10_000):
        answer = client.get("/", headers={"Range": asked})
        assert (answer.status_code, answer.content) == (200, whole.content)
        assert "content-range" not in answer.headers
