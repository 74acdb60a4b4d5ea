"""Fixtures of the journeys that stop a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import StartProgram
from tests.journeys.moments import GRACE, KEY, Scene
from worker.store import Store


@pytest.fixture
def scene(
    store: Store,
    program: StartProgram,
    environment: Callable[..., dict[str, str]],
    postgres_database: str,
    tmp_path: Path,
) -> Iterator[Scene]:
    """A scene on this test's own databases; change its `way` and `env` before it begins."""
    env = environment(SECRET_KEY=KEY, SHUTDOWN_GRACE=str(GRACE))
    made = Scene(store=store, folder=tmp_path, start=program, postgres=postgres_database, env=env)
    with made.ends:
        yield made
