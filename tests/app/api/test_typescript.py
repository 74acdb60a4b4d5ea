"""The dashboard's types are what the shapes say."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.api import typescript
from worker.run import RunState


def test_the_committed_file_is_what_the_shapes_say() -> None:
    assert typescript.main(["--check"]) == 0


def test_a_file_that_fell_behind_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(typescript, "FILE", tmp_path / "wire.ts")
    typescript.FILE.write_text("export type RunState = 'running'\n", encoding="utf-8")
    assert typescript.main(["--check"]) == 1
    assert "python -m app.api.typescript" in capsys.readouterr().err
    assert typescript.main([]) == 0 and typescript.main(["--check"]) == 0


def test_every_state_of_a_run_is_in_it() -> None:
    line = next(line for line in typescript.generate().splitlines() if line.startswith("export type RunState"))
    assert all(f"'{state}'" in line for state in RunState)
