"""Secrets are planted wherever one can be given; then everything that the program says, stores or shows is searched.

The real program in production mode at LOG_LEVEL=debug, with jobs that succeed and jobs that fail at every step. What
cannot be helped is left out: a process's own environment, in which these secrets were handed to it.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import bson
import httpx
import psycopg
import pymongo
import pytest
from psycopg import sql

from app.routes import ROUTES
from tests.conftest import StartProgram
from tests.program import MARK, Program
from tests.waiting import until

FINAL = {"succeeded", "failed", "cancelled", "held"}
# Each is found by itself, and hard to spell: with what must be escaped in URLs, JSON and Python.
PLANTED = {
    name: f'{name}-Plänted/"{number}7\\{name}' for number, name in enumerate(("pg", "env", "file", "lake", "store"))
}
OWN = {
    "SECRET_KEY": "key-Planted-0f3a8b7c6d5e",
    "AUTH_TOKEN": "token-Planted-9c8b7a6d",
    "ADMIN_PASSWORD": "admin-Planted-77",
}


def spellings(secret: str) -> set[bytes]:
    """In what form it might be found; written here anew, so that the redactor is not its own judge."""
    plain = secret.encode()
    found = {plain, quote(plain, safe="").encode(), quote(plain).encode(), json.dumps(secret)[1:-1].encode()}
    found |= {json.dumps(secret, ensure_ascii=False)[1:-1].encode(), repr(secret)[1:-1].encode()}
    for offset in range(3):
        encoded = base64.b64encode(b"x" * offset + plain).rstrip(b"=")
        found.add(encoded[4 : len(encoded) // 4 * 4 - 4])
    return found


class Hunt:
    """Everything that was seen, by where it was seen."""

    def __init__(self) -> None:
        self.seen: dict[str, bytes] = {}

    def add(self, where: str, data: bytes | str) -> None:
        self.seen[f"{len(self.seen)} {where}"] = data.encode(errors="replace") if isinstance(data, str) else data

    def found(self) -> list[str]:
        secrets = {name: spellings(secret) for name, secret in (PLANTED | OWN).items()}
        hits = []
        for where, data in self.seen.items():
            for name, forms in secrets.items():
                for form in forms:
                    at = data.find(form)
                    if at >= 0:
                        hits.append(f"{name} in {where}: …{data[max(0, at - 60) : at + 40]!r}…")
        return hits


class Api:
    """The API, every answer of which is kept for the hunt."""

    def __init__(self, program: Program, hunt: Hunt) -> None:
        self._client = httpx.Client(base_url=program.url, timeout=60.0)
        self._client.headers["Authorization"] = f"Bearer {OWN['AUTH_TOKEN']}"
        self._hunt = hunt

    def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self._client.request(method, path, **more)
        self._hunt.add(f"{method} {path}", str(answer.headers).encode() + answer.content)
        return answer

    def listen(self, ended: threading.Event) -> None:
        """Take part in the events until `ended`."""
        told = b""
        try:
            with self._client.stream("GET", "/api/events") as answer:
                for piece in answer.iter_raw():
                    told += piece
                    if ended.is_set():
                        break
        except httpx.HTTPError:
            pass
        self._hunt.add("GET /api/events", told)

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def lake_users(mongo_url: str, mongo_database: str) -> Iterator[None]:
    """Two users with planted passwords: of the coordination database, and of a connection."""
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        for name in ("store", "lake"):
            client.admin.command("createUser", f"{name}-{mongo_database}", pwd=PLANTED[name], roles=["root"])
        yield
        for name in ("store", "lake"):
            client.admin.command("dropUser", f"{name}-{mongo_database}")
        client.drop_database(f"{mongo_database}_lake")


@pytest.fixture
def shop(postgres_database: str) -> Iterator[str]:
    """A database of a user whose password is planted; `postgresql://USER:{}@HOST/DATABASE`."""
    user = f"planted_{urlsplit(postgres_database).path[-8:]}"
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(user), sql.Literal(PLANTED["pg"]))
        )
        connection.execute("CREATE TABLE orders (id integer PRIMARY KEY, status text)")
        connection.execute("INSERT INTO orders VALUES (1, 'paid')")
        connection.execute(sql.SQL("GRANT SELECT ON orders TO {}").format(sql.Identifier(user)))
    parts = urlsplit(postgres_database)
    yield f"postgresql://{user}:{{}}@{parts.hostname}:{parts.port}{parts.path}"
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(user)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(user)))


def escaped(secret: str) -> str:
    return quote(secret, safe="")


@contextmanager
def watched(program: Program, hunt: Hunt) -> Iterator[None]:
    """What can be seen of the processes from outside: command lines, and the environments of children."""
    ended = threading.Event()
    seen: set[bytes] = set()
    own = Path(f"/proc/{program.pid}/cmdline").read_bytes()

    def look() -> None:
        while not ended.wait(0.02):
            for pid in program.processes():
                try:
                    cmdline, environ = (Path(f"/proc/{pid}/{file}").read_bytes() for file in ("cmdline", "environ"))
                except OSError:
                    continue
                seen.add(cmdline)
                if cmdline == own:  # the process that was handed them; or its child, between fork and exec
                    continue
                # A reference of a connection is filled in a run's own process, which needs that variable.
                seen.add(b"\0".join(one for one in environ.split(b"\0") if not one.startswith(b"SHOP_PASSWORD=")))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield
    finally:
        ended.set()
        looking.join()
        for data in seen:
            hunt.add("a process as others see it", data)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("isolation", ["thread", "process"])
@pytest.mark.usefixtures("lake_users")
def test_no_secret_is_found_anywhere(
    program: StartProgram,
    environment: Callable[..., dict[str, str]],
    mongo_url: str,
    mongo_database: str,
    shop: str,
    free_port: int,
    tmp_path: Path,
    isolation: str,
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "shop").write_text(f"{PLANTED['file']}\n")
    (secrets / "lake").write_text(lake_url(mongo_url, "lake", mongo_database))
    env = environment(APP_ENV="production", LOG_LEVEL="debug", RUN_ISOLATION=isolation, **OWN)
    env |= {"MONGO_URL": lake_url(mongo_url, "store", mongo_database), "SECRETS_DIR": str(secrets)}
    env |= {"SHOP_PASSWORD": escaped(PLANTED["env"])}
    started, hunt = program("-m", "app", env=env), Hunt()
    api, ended = Api(started, hunt), threading.Event()
    listener = threading.Thread(target=api.listen, args=(ended,), daemon=True)
    listener.start()
    with watched(started, hunt):
        runs = drive(api, shop, mongo_url, mongo_database, free_port)
        look_at_everything(api, runs)
        give_bad_bodies(api)
        terminal = {name: value for name, value in started.env.items() if name != MARK}
        for words in commands(runs) if isolation == "process" else []:
            command = [sys.executable, "-m", "app", *words]
            done = subprocess.run(command, cwd=started.folder, env=terminal, capture_output=True, check=False)
            hunt.add(f"syncworker {' '.join(words)}", done.stdout + done.stderr)
    states = {run: api("GET", f"/api/runs/{run}").json()["state"] for run in runs.values()}
    ended.set()
    assert started.terminate() == 0
    listener.join(10)
    api.close()
    hunt.add("the log", started.output)
    for path in started.folder.rglob("*"):
        if path.is_file():
            hunt.add(str(path), path.read_bytes())
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        for name in client[mongo_database].list_collection_names():
            batches: Iterator[Any] = client[mongo_database][name].find_raw_batches()
            for batch in batches:
                hunt.add(f"collection {name}", batch)
                assert bson.decode_all(batch)
    assert {states[runs[name]] for name in ("literal", "by-env", "by-file")} == {"succeeded"}, started.output[-5000:]
    assert {states[runs[name]] for name in runs.keys() - {"literal", "by-env", "by-file"}} == {"failed"}
    assert len(hunt.seen) > len(ROUTES)
    assert hunt.found() == []


def lake_url(mongo_url: str, name: str, database: str) -> str:
    rest = mongo_url.partition("://")[2]
    return f"mongodb://{name}-{database}:{escaped(PLANTED[name])}@{rest}&authSource=admin"


def drive(api: Api, shop: str, mongo_url: str, database: str, nobody: int) -> dict[str, str]:
    """Connections of every kind, each tried and looked into, and a run of a job of each; the runs by job."""
    parts = urlsplit(shop.format(""))
    wrong_lake = lake_url(mongo_url, "lake", database).replace(f"lake-{database}", "stranger")
    connections = {
        "literal": {"type": "postgres", "url": shop.format(escaped(PLANTED["pg"]))},
        "by-env": {"type": "postgres", "url": shop.format("${SHOP_PASSWORD}")},
        "by-file": {"type": "postgres", "url": shop.format("x") + "?sslpassword=${file:%s}"},
        "no-role": {"type": "postgres", "url": shop.format(escaped(PLANTED["pg"])).replace("planted_", "nobody_")},
        "no-server": {"type": "postgres", "url": f"postgresql://u:{escaped(PLANTED['pg'])}@127.0.0.1:{nobody}/d"},
        "no-name": {"type": "postgres", "url": f"postgresql://u:{escaped(PLANTED['pg'])}@nowhere.invalid/d"},
        "no-database": {"type": "postgres", "url": shop.format(escaped(PLANTED["pg"])).replace(parts.path, "/nothing")},
        "no-login": {"type": "mongodb", "url": wrong_lake, "database": "x"},
        # Errors that repeat what they were given: the only thing between these and the log is the redactor.
        "as-user": {"type": "postgres", "url": shop.format("x").replace("planted_", "${SHOP_PASSWORD}")},
        "as-schema": {"type": "postgres", "url": shop.format("x"), "schema": "${SHOP_PASSWORD}"},
        "no-file": {"type": "postgres", "url": "file:/etc/shadow"},
        "not-ours": {"type": "postgres", "url": shop.format("${file:%s_KEY}")},
    }
    folder = api_secrets(api)
    connections["by-file"]["url"] = shop.format("x") + f"?sslpassword=${{file:{folder}/shop}}"
    connections["not-ours"]["url"] = shop.format("${MONGO_URL}")
    lake = {"id": "lake", "type": "mongodb", "url": f"file:{folder}/lake", "database": f"{database}_lake"}
    assert api("POST", "/api/connections", json=lake).status_code == 201
    runs = {}
    for name, connection in connections.items():
        made = api("POST", "/api/connections", json={"id": name, **connection})
        assert made.status_code == 201, made.text
        api("POST", f"/api/connections/{name}/test")
        api("POST", "/api/connections/test", json=connection)
        api("GET", f"/api/connections/{name}/streams")
        api("GET", f"/api/connections/{name}/streams/orders/preview")
        job: dict[str, Any] = {"id": name, "source": name, "destination": "lake", "retry": {"attempts": 1}}
        job["streams"] = [{"name": "orders", "target": name}]
        assert api("POST", "/api/jobs", json=job).status_code == 201
        runs[name] = api("POST", f"/api/jobs/{name}/run").json()["id"]
        api("POST", f"/api/jobs/{name}/dry-run", json={})
    broken: dict[str, Any] = {"id": "no-sql", "source": "literal", "destination": "lake", "retry": {"attempts": 1}}
    broken["streams"] = [{"name": "orders", "target": "broken", "query": "SELECT nothing FROM nowhere"}]
    assert api("POST", "/api/jobs", json=broken).status_code == 201
    runs["no-sql"] = api("POST", "/api/jobs/no-sql/run").json()["id"]
    for run in runs.values():
        until(lambda run=run: api("GET", f"/api/runs/{run}").json()["state"] in FINAL, f"{run} ends", timeout=90)  # type: ignore[misc]
    return runs


def api_secrets(api: Api) -> str:
    """The folder of secrets, as the refusal of another one names it."""
    draft = {"id": "asking", "type": "postgres", "url": "file:/etc/shadow"}
    assert api("POST", "/api/connections", json=draft).status_code == 201
    said: str = api("POST", "/api/connections/asking/test").json()["message"]
    assert "is not in" in said
    return said.partition("is not in ")[2].partition(";")[0]


def look_at_everything(api: Api, runs: dict[str, str]) -> None:
    for operation in ROUTES:
        if operation.method != "GET" or operation.path == "/api/events":
            continue
        ids = runs.values() if "/runs/" in operation.path else runs.keys()
        for one in ids if "{id}" in operation.path else ["-"]:
            api("GET", operation.path.replace("{id}", one).replace("{name:path}", "orders"))


def give_bad_bodies(api: Api) -> None:
    """Requests that are refused, and have a secret in them: the answer says what is wrong, not what was given."""
    for secret in PLANTED.values():
        url = f"postgresql://u:{escaped(secret)}@h/d"
        for body in (
            {"id": "bad", "type": "postgres", "url": url, "nonsense": 1},
            {"id": "bad", "type": "postgres", "url": f"{url}?passfile=/x&sslmode=y"},
            {"id": "bad", "type": "postgres", "url": f"nothing://u:{secret}@h"},
            {"id": "bad", "type": "mongodb", "url": f"mongodb://u:{escaped(secret)}@h/"},
            {"id": "bad", "type": "mongodb", "url": {"$ne": secret}, "database": "x"},
        ):
            assert api("POST", "/api/connections", json=body).status_code == 422
        api(
            "POST",
            "/api/connections",
            content=json.dumps({"url": url})[:-1],
            headers={"Content-Type": "application/json"},
        )
        api("POST", "/api/login", json={"password": secret})
        api("PATCH", "/api/connections/literal", json={"url": url}, headers={"If-Match": '"7"'})
        api("PATCH", "/api/connections/literal", json={"url": url})


def commands(runs: dict[str, str]) -> list[tuple[str, ...]]:
    once = [("status", "--json"), ("runs", "--json"), ("check",), ("audit", "--json"), ("export",), ("secrets", "list")]
    return [*once, ("logs", runs["no-login"]), ("run", "no-login", "--json"), ("run", "as-user")]
