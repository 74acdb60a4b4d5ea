"""What leaves the process passes the redactor: a secret in any spelling, from any library, at any level."""

from __future__ import annotations

import base64
import html
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from worker import redaction
from worker.redaction import MASK, redact, redacted, register_secret, register_setting, shortened

ROOT = Path(__file__).resolve().parents[2]
SECRET = 'p"ä\\s/s word+7'


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What one test registers is no secret of the next."""
    monkeypatch.setattr(redaction, "_known", set())
    monkeypatch.setattr(redaction, "_spellings", ())
    yield


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower().replace("%c3", "%c3"),
        quote_plus(SECRET),
        json.dumps({"password": SECRET}),
        json.dumps({"password": SECRET}, ensure_ascii=False),
        json.dumps({"nested": json.dumps({"password": SECRET})}),
        repr({"password": SECRET}),
        html.escape(SECRET),
        base64.b64encode(f"ann:{SECRET}".encode()).decode(),
        base64.b64encode(f"an:{SECRET}".encode()).decode(),
        base64.b64encode(f"a:{SECRET}xy".encode()).decode(),
        base64.urlsafe_b64encode(f"a:{SECRET}xy".encode()).decode(),
    ],
)
def test_a_secret_is_struck_however_it_is_spelled(spelled: str) -> None:
    register_secret(SECRET)
    said = redact(f"it said {spelled}.")
    assert MASK in said
    assert SECRET not in said and quote(SECRET, safe="") not in said
    middle = base64.b64encode(SECRET.encode())[4:-6].decode()
    assert middle not in said


def test_a_longer_secret_is_struck_whole_though_a_shorter_one_is_in_it() -> None:
    register_secret("geheim")
    register_secret("geheimer noch")
    assert redact("x geheimer noch y") == f"x {MASK} y"


def test_what_is_a_secret_by_its_place_needs_no_registration() -> None:
    assert redact("postgresql://ann:pw@h/d") == f"postgresql://ann:{MASK}@h/d"
    assert redact("host=h password=ab user=u") == f"host=h password={MASK} user=u"
    assert redact('{"Authorization": "Basic YTpi"}') == f'{{"Authorization": "Basic {MASK}"}}'
    assert redact("authorization: Bearer abc.def") == f"authorization: Bearer {MASK}"
    assert redact("the token=5 of the lease") == "the token=5 of the lease"


def test_short_secrets_blot_out_no_words() -> None:
    register_secret("the")
    assert redact("the lease") == "the lease"
    assert redact("x://u:the@h") == f"x://u:{MASK}@h"


def test_of_a_url_only_its_secrets_are_struck() -> None:
    register_setting("postgresql://ann:hunter%2F2@db.example/shop?sslpassword=zwei22")
    said = redact("db.example refuses ann: hunter/2, hunter%2F2, zwei22")
    assert said == f"db.example refuses ann: {MASK}, {MASK}, {MASK}"


def test_half_a_secret_is_not_left_by_a_cut() -> None:
    register_secret("a-long-secret-value")
    assert shortened("0123 a-long-secret-value", 12) == f"0123 {MASK}"[:12]


def test_documents_are_redacted_in_all_depths() -> None:
    register_secret("hunter22")
    assert redacted({"hunter22": ["hunter22", {"a": ("x hunter22",)}, 7]}) == {
        "hunter22": [MASK, {"a": [f"x {MASK}"]}, 7]
    }


CHILD = """
import logging, sys, threading, warnings
from worker import logs
logs.configure("debug", sys.argv[1], "test")
logs.register_secret("hunter22-secret")
log = logging.getLogger("x")
log.debug("a line with %s", "hunter22-secret")
log.info("a field", extra={"job": "hunter22-secret"})
try:
    raise RuntimeError("hunter22-secret")
except RuntimeError:
    log.exception("with a traceback")
log.info("wrongly %d formatted", "hunter22-secret")
warnings.warn("a warning with hunter22-secret")
def crash():
    raise RuntimeError("in a thread: hunter22-secret")
thread = threading.Thread(target=crash)
thread.start()
thread.join()
raise SystemError("at the end: hunter22-secret")
"""


@pytest.mark.parametrize("style", ["json", "console"])
def test_every_way_to_stderr_passes_the_redactor(style: str) -> None:
    done = subprocess.run([sys.executable, "-c", CHILD, style], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert "hunter22" not in done.stderr + done.stdout
    for said in ("a line with", "with a traceback", "a warning with", "in a thread", "at the end", "cannot be written"):
        assert said in done.stderr, said
    if style == "json":
        lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
        assert [line["job"] for line in lines if "job" in line] == [MASK]
