"""References of settings: filled when a connection is opened, never stored, and never our own secrets or any file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from worker import redaction
from worker.connection import Connection
from worker.declaration import literal_secrets, parse_connection, resolve
from worker.errors import BadInput
from worker.redaction import redact


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of secrets, and beside it a file that is none of it."""
    made = tmp_path / "secrets"
    made.mkdir()
    (made / "shop").write_text("p@ss word\n")
    (tmp_path / "shadow").write_text("root:hash")
    return made


def filled(url: str, env: dict[str, str]) -> str:
    connection = Connection(id="shop", type="postgres", settings={"url": url})
    found: str = resolve(connection, env).settings["url"]
    return found


def refused(url: str, env: dict[str, str]) -> str:
    with pytest.raises(BadInput) as refusal:
        filled(url, env)
    (fault,) = refusal.value.faults
    assert fault.field == "connections.shop.url"
    return fault.message


def test_a_secret_may_be_a_file_as_a_whole_or_in_a_url(folder: Path) -> None:
    env = {"SECRETS_DIR": str(folder), "HOST_NAME": "db"}
    (folder / "url").write_text("postgresql://u:p@db/d\r\n")
    assert filled(f"file:{folder}/url", env) == "postgresql://u:p@db/d"
    assert filled(f"file://{folder}/url", env) == "postgresql://u:p@db/d"
    assert filled(f"postgresql://u:${{file:{folder}/shop}}@${{HOST_NAME}}/d", env) == "postgresql://u:p@ss word@db/d"
    assert redact("it was p@ss word at db") == f"it was {redaction.MASK} at db"


def test_systemds_credentials_are_a_folder_of_secrets_too(folder: Path) -> None:
    assert filled(f"file:{folder}/shop", {"CREDENTIALS_DIRECTORY": str(folder)}) == "p@ss word"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/etc/shadow", "is not in"),
        ("/etc/passwd", "SECRETS_DIR names the folders"),
        ("{folder}/../shadow", "is not in"),
        ("{folder}/link", "leads out of"),
        ("{folder}/inner/shadow", "leads out of"),
        ("{folder}/nothing", "cannot be read: No such file"),
        ("{folder}/pipe", "no regular file"),
        ("{folder}", "no regular file"),
        ("{folder}/empty", "is empty"),
        ("{folder}/binary", "no UTF-8 text"),
        ("{folder}/large", "longer than 65,536 bytes"),
        ("{folder}/secret_key", "a secret of the program itself"),
        ("{folder}/syncworker_AUTH_TOKEN", "a secret of the program itself"),
        ("{folder}/copied", "holds a secret of the program itself"),
    ],
)
def test_a_file_reference_is_no_way_to_read_files(folder: Path, path: str, why: str) -> None:
    (folder / "link").symlink_to(folder.parent / "shadow")
    (folder / "inner").symlink_to(folder.parent)
    os.mkfifo(folder / "pipe")
    for name, data in {"empty": b"\n", "binary": b"\xff\xfe", "large": b"x" * 65_537, "copied": b"k" * 20}.items():
        (folder / name).write_bytes(data)
    for name in ("secret_key", "syncworker_AUTH_TOKEN"):
        (folder / name).write_text("0123456789abcdef")
    env = {"SECRETS_DIR": str(folder), "SECRET_KEY": "older-key-of-20-char," + "k" * 20}
    message = refused("file:" + path.format(folder=folder), env)
    assert why in message and "root:hash" not in message


def test_links_within_the_folder_are_followed_as_kubernetes_makes_them(folder: Path) -> None:
    (folder / "..2026").mkdir()
    (folder / "..2026" / "pw").write_text("mounted")
    (folder / "..data").symlink_to("..2026")
    (folder / "pw").symlink_to("..data/pw")
    assert filled(f"file:{folder}/pw", {"SECRETS_DIR": str(folder)}) == "mounted"


@pytest.mark.parametrize("name", ["SECRET_KEY", "AUTH_TOKEN", "ADMIN_PASSWORD"])
@pytest.mark.parametrize("setting", ["url", "schema"])
def test_no_connection_refers_to_the_programs_own_secrets(name: str, setting: str) -> None:
    document = {"type": "postgres", "url": "postgresql://h/d", setting: f"x${{{name}}}"}
    with pytest.raises(BadInput) as refusal:
        parse_connection("shop", document)
    assert f"${{{name}}}, a secret of the program itself" in str(refusal.value)
    assert "a secret of the program itself" in refused(f"postgresql://${{{name}}}@evil/d", {name: "x" * 20})


def test_a_copy_of_our_own_secret_under_another_name_is_refused_too() -> None:
    env = {"AUTH_TOKEN": "t" * 20, "MINE": "t" * 20}
    assert "holds a secret of the program itself" in refused("postgresql://u:${MINE}@evil/d", env)


def test_the_databases_url_may_be_referred_to_where_it_opens_nothing() -> None:
    plain, guarded = "mongodb://127.0.0.1/x", "mongodb://u:geheim77@h/x"
    lake = Connection(id="lake", type="mongodb", settings={"url": "${MONGO_URL}", "database": "lake"})
    assert resolve(lake, {"MONGO_URL": plain}).settings["url"] == plain
    with pytest.raises(BadInput, match="which has a password") as refusal:
        resolve(lake, {"MONGO_URL": guarded})
    assert "geheim77" not in str(refusal.value)


def test_what_a_reference_is_called_decides_whether_its_value_may_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", set())
    monkeypatch.setattr(redaction, "_spellings", ())
    env = {"SHOP_PASSWORD": "geheim-8", "SHOP_SCHEMA": "sales"}
    settings = {"url": "postgresql://h/d", "schema": "${SHOP_PASSWORD}${SHOP_SCHEMA}"}
    resolve(Connection(id="shop", type="postgres", settings=settings), env)
    assert redact("geheim-8 sales") == f"{redaction.MASK} sales"


@pytest.mark.parametrize(
    ("url", "literal"),
    [
        ("${URL}", False),
        ("file:/run/secrets/url", False),
        ("postgresql://u:${file:/run/secrets/pw}@h/d", False),
        ("postgresql://u:file:/run/secrets/pw@h/d", True),
        ("postgresql://u:x${PW}@h/d", True),
        ("postgresql://u:$${PW}@h/d", True),
    ],
)
def test_only_references_are_printed(url: str, literal: bool) -> None:
    connection = Connection(id="shop", type="postgres", settings={"url": url})
    assert literal_secrets(connection) == (["url"] if literal else [])


@pytest.mark.parametrize(
    "text", ["{{ 7*7 }}", "{{ $json }}", "$(id)", "`id`", "__import__('os')", "%(x)s", "{0}", "$HOME"]
)
def test_nothing_but_a_reference_is_ever_evaluated(text: str) -> None:
    settings: dict[str, Any] = {"url": "postgresql://h/d", "schema": text}
    assert resolve(Connection(id="shop", type="postgres", settings=settings), {"HOME": "/x"}).settings == settings
