"""Secrets from files, as systemd hands them over."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import main
from app.credentials import credentials


def test_each_file_is_a_variable(tmp_path: Path) -> None:
    (tmp_path / "syncworker_SECRET_KEY").write_text("0123456789abcdef\n", encoding="utf-8")
    (tmp_path / "other").write_text("not ours", encoding="utf-8")
    assert credentials({"CREDENTIALS_DIRECTORY": str(tmp_path)}) == {"SECRET_KEY": "0123456789abcdef"}


def test_without_a_folder_there_are_none(tmp_path: Path) -> None:
    assert credentials({}) == {}
    assert credentials({"CREDENTIALS_DIRECTORY": str(tmp_path / "gone")}) == {}


def test_the_environment_wins_over_credentials_and_they_over_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("SECRET_KEY=file\nAUTH_TOKEN=file\nADMIN_PASSWORD=file\n", encoding="utf-8")
    for name in ("SECRET_KEY", "AUTH_TOKEN"):
        (tmp_path / f"syncworker_{name}").write_text("credential", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {"CREDENTIALS_DIRECTORY": str(tmp_path), "SECRET_KEY": "environment"})
    found = main.environment()
    assert (found["SECRET_KEY"], found["AUTH_TOKEN"], found["ADMIN_PASSWORD"]) == ("environment", "credential", "file")
