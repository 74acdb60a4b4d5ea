"""The page's files: the index for every page's URL, never for what is missing; caching; nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from app.dashboard import IMMUTABLE, Dashboard


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<title>the page</title>", encoding="utf-8")
    (dist / "assets" / "app-1.js").write_text("1", encoding="utf-8")
    (dist / "theme.js").write_text("2", encoding="utf-8")
    (dist / ".source-hash").write_text("hidden", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    return dist


def client_of(folder: Path) -> TestClient:
    return TestClient(Starlette(routes=[Mount("/", Dashboard(folder))]), base_url="http://localhost")


@pytest.mark.parametrize("path", ["/", "/jobs", "/new-job", "/jobs/orders", "/runs/0123abc", "/settings", "/login"])
def test_every_page_is_the_index(folder: Path, path: str) -> None:
    answer = client_of(folder).get(path)
    assert answer.status_code == 200
    assert "the page" in answer.text and answer.headers["cache-control"] == "no-cache"


def test_assets_are_kept_for_ever_and_the_rest_is_asked_anew(folder: Path) -> None:
    client = client_of(folder)
    assert client.get("/assets/app-1.js").headers["cache-control"] == IMMUTABLE
    theme = client.get("/theme.js")
    assert theme.text == "2" and theme.headers["cache-control"] == "no-cache"
    assert "javascript" in theme.headers["content-type"]
    assert client.get("/theme.js", headers={"If-None-Match": theme.headers["etag"]}).status_code in {200, 304}


@pytest.mark.parametrize(
    "path",
    [
        "/assets/gone.js", "/gone.js", "/api/nothing", "/api", "/healthz/x", "/.source-hash", "/../secret.txt",
        "/%2e%2e/secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/a%00.js",
    ],
)  # fmt: skip
def test_what_is_missing_is_not_found(folder: Path, path: str) -> None:
    answer = client_of(folder).get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text and "hidden" not in answer.text


def test_a_link_out_of_the_folder_leads_nowhere(folder: Path) -> None:
    (folder / "out.txt").symlink_to(folder.parent / "secret.txt")
    assert client_of(folder).get("/out.txt").status_code == 404


def test_a_page_is_only_read(folder: Path) -> None:
    answer = client_of(folder).post("/jobs")
    assert answer.status_code == 405 and answer.headers["allow"] == "GET, HEAD"


def test_without_a_bundle_the_page_says_what_to_do(tmp_path: Path) -> None:
    answer = client_of(tmp_path / "none").get("/jobs")
    assert answer.status_code == 200 and "make dashboard" in answer.text
    assert "<script" not in answer.text and "style=" not in answer.text
