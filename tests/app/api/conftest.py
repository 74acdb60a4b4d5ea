"""The API on a real database, with a connector in memory in place of the real ones."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

import worker.store
from app import server
from app.api.context import Context
from app.routes import create_app
from app.settings import Settings
from worker import connectors
from worker.settings import WorkerSettings
from worker.store import Store
from worker.vault import Vault

with warnings.catch_warnings():  # it would rather have a package of another name for the same httpx
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

BASE = "http://localhost:8080"
TOKEN = "a-token-of-the-tests"
SETTINGS = Settings(
    worker=WorkerSettings(production=False, mongo_url=None, mongo_database="unused", data_dir=Path(".")),
    host="127.0.0.1",
    port=8080,
    auth_token=None,
    admin_password=None,
    worker_forced=False,
)


class MakeClient(Protocol):
    """`make_client(auth_token="…")`: a client of an API with these settings, on this test's database."""

    def __call__(self, *, worker: Any = ..., **settings: Any) -> TestClient: ...


@pytest.fixture(autouse=True)
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The only connector; and a folder of the test's own, which is where DATA_DIR is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(connectors, "REGISTRY", {"shelf": "tests.app.api.shelf:Shelf"})


@pytest.fixture
def vault() -> Vault:
    return Vault(["a key of the tests"])


@pytest.fixture
def make_client(store: Store, vault: Vault) -> Iterator[MakeClient]:
    made: list[TestClient] = []

    def make(*, worker: Any = None, **settings: Any) -> TestClient:
        context = Context(replace(SETTINGS, **settings), store, vault, worker)
        client = TestClient(create_app(context), base_url=BASE, raise_server_exceptions=False)
        client.__enter__()
        made.append(client)
        return client

    yield make
    for client in made:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    """Of an API that is open to all."""
    return make_client()


@pytest.fixture
def offline(vault: Vault, free_port: int) -> Iterator[TestClient]:
    """Of an open API whose database does not answer; quick, for what needs none."""
    gone = worker.store.open(f"mongodb://127.0.0.1:{free_port}", "none", timeout=0.3)
    with TestClient(create_app(Context(SETTINGS, gone, vault)), base_url=BASE, raise_server_exceptions=False) as client:
        yield client
    gone.close()


@pytest.fixture
def job(client: TestClient) -> dict[str, Any]:
    """A saved job `orders`, which only runs by hand, and its connection `attic`."""
    connection = {"id": "attic", "type": "shelf", "url": "shelf://attic"}
    assert client.post("/api/connections", json=connection).status_code == 201
    draft = {"id": "orders", "source": "attic", "destination": "attic", "streams": [{"name": "main/books"}]}
    saved: dict[str, Any] = client.post("/api/jobs", json=draft).json()
    return saved


@pytest.fixture
def served(store: Store, vault: Vault, job: dict[str, Any]) -> Iterator[str]:
    """The URL of an API with a job and a connection, behind a real server and closed to whoever has not TOKEN."""
    listener = server.listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    context = Context(replace(SETTINGS, auth_token=TOKEN), store, vault)
    serving = server.Server(create_app(context), listener, ended=lambda: None)
    serving.start()
    yield url
    context.stopping.set()
    assert serving.stop(10)
