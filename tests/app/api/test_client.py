"""A client that a generator makes of the description works: nobody wrote a line of it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from app.api.openapi import describe
from app.routes import ROUTES
from tests.app.api.conftest import TOKEN
from worker.store import Store

NAME = "generated_syncworker_client"
# It knows JSON and text; what it does not know it would leave out.
CONFIG = '{"content_type_overrides": {"application/yaml": "text/plain"}}'


def test_the_description_is_valid_openapi() -> None:
    validate(describe(ROUTES))


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Imports a module of the generated client."""
    (tmp_path / "openapi.json").write_text(json.dumps(describe(ROUTES)))
    (tmp_path / "config.json").write_text(CONFIG)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json", "--meta", "none"]
    command += ["--output-path", NAME, "--config", "config.json"]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    said = made.stdout + made.stderr
    assert "Unable" not in said and "will not be generated" not in said and "omitted" not in said, said
    monkeypatch.syspath_prepend(str(tmp_path))
    yield lambda name: importlib.import_module(f"{NAME}.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


def test_jobs_are_made_run_listed_and_cancelled_with_it(
    module: Callable[[str], Any],
    served: str,
    store: Store,
) -> None:
    models = module("models")

    def api(name: str) -> Any:
        return module(f"api.{name}")

    client = module("client").AuthenticatedClient(base_url=served, token=TOKEN)
    with client as client:
        listed = api("connections.connections_list").sync(client=client)
        assert [one.id for one in listed.items] == ["attic"] and "shelf" not in str(listed.items[0]["url"]).split("@")[
            0
        ][9:]
        stream = models.StreamSpec(name="main/books")
        draft = models.NewJob(id="papers", source="attic", destination="attic", streams=[stream])
        made = api("jobs.jobs_create").sync(client=client, body=draft)
        assert (made.id, made.revision, made.enabled) == ("papers", 1, True)
        run = api("jobs.jobs_run").sync(client=client, id="papers")
        assert run.state == "queued"
        page = api("runs.runs_list").sync(client=client, job="papers")
        assert [one.id for one in page.items] == [run.id]
        refused = api("jobs.jobs_run").sync(client=client, id="papers")
        assert isinstance(refused, models.Problem) and refused.status == 409 and run.id in refused.detail
        cancelled = api("runs.runs_cancel").sync(client=client, id=run.id)
        assert (cancelled.state, store.runs.get(run.id)["state"]) == ("cancelled", "cancelled")
        gone = api("jobs.jobs_delete").sync_detailed(client=client, id="papers", if_match='"1"')
        assert gone.status_code == 204 and store.jobs.find("papers") is None
    stranger = module("client").Client(base_url=served)
    assert api("jobs.jobs_list").sync(client=stranger).status == 401
