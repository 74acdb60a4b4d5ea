"""Plants connectors that misbehave into a program that is started for a test: what no real source does on demand.

A stream's name says what its source (or, for `blocks`, its destination) does. All else is the real connector's work.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

FLOOD_LINES, FLOOD_LINE = 250_000, "all work and no play makes a dull log; " * 110  # 1 GB


class Odd(BaseException):
    """No Exception, and cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def exits() -> None:
    os._exit(7)


def segfaults() -> None:
    ctypes.string_at(0)


def eats() -> None:
    hoard = []
    while True:
        hoard.append(bytearray(64 * 1024 * 1024))


def quits() -> None:
    raise SystemExit("enough")


def is_odd() -> None:
    raise Odd


DEEDS = {deed.__name__: deed for deed in (exits, segfaults, eats, quits, is_odd)}


class Source:
    def __init__(self, real: Any) -> None:
        self._real = real
        self._flood = False

    def __enter__(self) -> Self:
        self._real.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._real.__exit__(*exc)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def read(self, spec: Any, checkpoint: Any) -> Iterator[Any]:
        for batch in self._real.read(spec, checkpoint):
            if spec.name in DEEDS:
                DEEDS[spec.name]()
            self._flood = spec.name == "floods"
            if self._flood:
                print("x" * 10_000)  # a library that prints must not be taken for a report
            yield batch

    def told(self) -> Iterator[str]:
        if self._flood:
            yield from (f"{number} {FLOOD_LINE}" for number in range(FLOOD_LINES))


class Destination:
    def __init__(self, real: Any) -> None:
        self._real = real

    def __enter__(self) -> Self:
        self._real.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._real.__exit__(*exc)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def open(self, target: Any) -> Any:
        if target.name == "blocks":
            while True:
                ctypes.CDLL(None).pause()  # in a call that nothing from outside can end
        return self._real.open(target)


def plant() -> None:
    """Wrap every end that the program opens."""
    from worker import connectors

    real = connectors.open_end

    def open_end(name: str, settings: Any, end: Literal["source", "destination"]) -> Any:
        opened = real(name, settings, end)
        return Source(opened) if end == "source" else Destination(opened)

    connectors.open_end = open_end  # type: ignore[assignment]


def python_path(folder: Path) -> str:
    """A PYTHONPATH under which every Python that starts is planted."""
    (folder / "planted").mkdir(exist_ok=True)
    code = "from tests.journeys import misbehaving\nmisbehaving.plant()\n"
    (folder / "planted" / "sitecustomize.py").write_text(code, encoding="utf-8")
    return f"{folder / 'planted'}:{Path(__file__).resolve().parents[2]}"
