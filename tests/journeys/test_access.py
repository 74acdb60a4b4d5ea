"""The door of the real program, knocked at over a plain socket: no client puts the request right on the way."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

import pytest

from app.api.password import hashed
from tests.conftest import StartProgram
from tests.program import Program

pytestmark = pytest.mark.journey
TOKEN, PASSWORD = "a-token-of-the-journeys", "a password of the journeys"
Environment = Callable[..., dict[str, str]]


def knock(program: Program, request: str) -> tuple[int, str]:
    """Status and the whole of what comes back; 0 where the connection is just closed."""
    with socket.create_connection(("127.0.0.1", program.port), timeout=10) as line:
        line.sendall(request.replace("\n", "\r\n").encode("latin-1"))
        answer = b""
        while chunk := line.recv(65_536):
            answer += chunk
    text = answer.decode("latin-1")
    return (int(text.split(" ", 2)[1]) if text.startswith("HTTP/1.1 ") else 0), text


def get(target: str, *headers: str, method: str = "GET", host: str = "localhost") -> str:
    lines = [f"{method} {target} HTTP/1.1", *([f"Host: {host}"] if host else []), *headers, "Connection: close", "", ""]
    return "\n".join(lines)


@pytest.fixture
def guarded(program: StartProgram, environment: Environment) -> Program:
    secrets = {"SECRET_KEY": "a key of the journeys", "AUTH_TOKEN": TOKEN}
    secrets["ADMIN_PASSWORD"] = hashed(PASSWORD, b"salt of the journeys")
    return program(env=environment(APP_ENV="production", **secrets))


def test_no_spelling_of_a_path_gets_past_the_door(guarded: Program) -> None:
    inside = [
        *("/api/jobs", "//api/jobs", "/%61pi/jobs", "/api%2Fjobs", "/api/jobs?x=/healthz", "/metrics", "//metrics"),
        *("/%2Fapi/jobs", "/api/%6aobs", "/api/tokens/"),
    ]
    for target in inside:
        assert knock(guarded, get(target))[0] in (400, 401), target
    outside = [
        *("/healthz/../api/jobs", "/./api/jobs", "/API/jobs", "/api;x/jobs", "/login/../api/jobs", "/assets/../api"),
        *("http://localhost/api/jobs", "http://evil.example/api/jobs"),
    ]
    for target in outside:  # files and pages that are not there, and nothing of the API's
        status, text = knock(guarded, get(target))
        assert status in (200, 400, 401, 404), target
        assert status != 200 or ('"items"' not in text and "<!doctype html>" in text.lower()), target


@pytest.mark.parametrize(
    ("request_", "statuses"),
    [
        (get("/healthz", host="evil.example"), {421}),
        (get("/healthz", host=""), {400, 421}),
        (get("/healthz", "Host: evil.example"), {400, 421}),
        (get("/healthz", host="localhost, evil.example"), {400, 421}),
        (get("*", method="OPTIONS"), {400, 401, 404, 405}),
        (get("/api/jobs", method="TRACE"), {401}),
        (get("/api/jobs", method="CONNECT"), {400, 401, 405}),
        (get("/api/jobs", "X-Forwarded-Host: localhost", host="evil.example"), {421}),
        (get("/api/jobs", "X-Original-URL: /healthz"), {401}),
        (get("/api/jobs", "X-HTTP-Method-Override: GET"), {401}),
        (get("/api/jobs", "Upgrade: websocket", "Sec-WebSocket-Version: 13"), {400, 401, 403}),
        (get("/api/jobs", "Authorization: Bearer " + "x" * 7_000), {401}),
    ],
)
def test_odd_requests_are_refused(guarded: Program, request_: str, statuses: set[int]) -> None:
    assert knock(guarded, request_)[0] in statuses
    assert guarded.status("/healthz") == 200


def test_a_person_comes_in_by_the_hash_and_a_program_by_its_token(guarded: Program) -> None:
    body = json.dumps({"password": PASSWORD})
    kind = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    status, text = knock(guarded, get("/api/login", *kind, method="POST") + body)
    assert status == 200, text
    cookie = next(line for line in text.split("\r\n") if line.lower().startswith("set-cookie:"))
    session = cookie.split(":", 1)[1].split(";")[0].strip()
    assert knock(guarded, get("/api/jobs", f"Cookie: {session}"))[0] == 200
    foreign = ("Origin: http://evil.example", f"Cookie: {session}", "Content-Length: 0")
    assert knock(guarded, get("/api/jobs/x/run", *foreign, method="POST"))[0] == 403
    body = json.dumps({"name": "ci", "scope": "read", "expires_in": "1h"})
    kind = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    status, text = knock(guarded, get("/api/tokens", *kind, f"Authorization: Bearer {TOKEN}", method="POST") + body)
    made = json.loads(text.split("\r\n\r\n", 1)[1])["token"]
    bearer = {"Authorization": f"Bearer {made}"}
    assert (status, guarded.status("/api/jobs", bearer), guarded.status("/api/tokens", bearer)) == (201, 200, 403)
    log = guarded.output
    assert made not in log and PASSWORD not in log and TOKEN not in log and session not in log
