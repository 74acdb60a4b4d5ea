"""Typed reads from one mapping that collect every fault under its path. A bad value is replaced by the default."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from worker.duration import parse_duration
from worker.errors import Fault
from worker.job import ID_PATTERN

E = TypeVar("E", bound=StrEnum)

_LONGEST_NAME = 255


def meant(name: str, known: Iterable[str]) -> str:
    """`did you mean cursor?`, or all that is known where nothing is near."""
    known = sorted(known)
    if not known:
        return "there is none yet"
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"allowed: {', '.join(known)}"


class Fields:
    """One mapping of a document. `path` is where it stands; faults go into the list that all of them share."""

    def __init__(self, document: object, path: str, faults: list[Fault]) -> None:
        self.path = path
        self.faults = faults
        self.readable = isinstance(document, Mapping)
        self._document: Mapping[str, Any] = document if isinstance(document, Mapping) else {}
        if not self.readable:
            faults.append(Fault(field=path, message=f"is {shown(document)}; allowed: fields with values"))

    def __contains__(self, name: str) -> bool:
        return self._document.get(name) is not None

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def fault(self, name: str, message: str) -> None:
        self.faults.append(Fault(field=self.at(name), message=message))

    def raw(self, name: str) -> Any:
        return self._document.get(name)

    def names_of_fields(self) -> list[str]:
        return [str(name) for name in self._document]

    def need(self, *names: str) -> None:
        """A fault for each of `names` that is absent."""
        for name in names:
            if self.readable and name not in self:
                self.fault(name, "is missing")

    def know(self, *known: str) -> None:
        """A fault for each field that is none of `known`."""
        for name in self.names_of_fields():
            if name not in known:
                self.fault(name, f"is not known here; {meant(name, known)}")

    def text(self, name: str) -> str | None:
        """A text that is not empty; None where it is absent."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.fault(name, f"is {shown(value)}; allowed: a text (quote it)")
            return None
        return value if self._is_name(name, value) else None

    def choice(self, name: str, words: type[E], default: E) -> E:
        value = self.raw(name)
        if value is None:
            return default
        try:
            return words(value)
        except ValueError:
            near = difflib.get_close_matches(str(value).lower(), list(words), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            self.fault(name, f"is {shown(value)}; allowed: {', '.join(words)}{hint}")
            return default

    def flag(self, name: str, default: bool) -> bool:
        value = self.raw(name)
        if value is not None and not isinstance(value, bool):
            self.fault(name, f"is {shown(value)}; allowed: true, false")
            return default
        return default if value is None else value

    def whole(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.fault(name, f"is {shown(value)}; allowed: a whole number from {low} to {high}")
            return default
        return value

    def duration(self, name: str, default: float | None = None) -> float | None:
        """Seconds."""
        return default if self.raw(name) is None else self.converted(name, parse_duration, default)

    def converted(self, name: str, convert: Callable[[object], float], default: float | None) -> float | None:
        """`convert` of the value; its ValueError becomes a fault here."""
        try:
            return convert(self.raw(name))
        except ValueError as error:
            self.fault(name, str(error))
            return default

    def names(self, name: str) -> tuple[str, ...] | None:
        """A list of different texts; None where it is absent."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
            self.fault(name, f"is {shown(value)}; allowed: a list of texts, such as [id]")
            return None
        if any(not self._is_name(f"{name}[{i}]", item) for i, item in enumerate(value)):
            return None
        twice = sorted({item for item in value if value.count(item) > 1})
        if twice:
            self.fault(name, f"names {', '.join(twice)} twice")
        return tuple(value)

    def renames(self, name: str) -> dict[str, str]:
        """A mapping of texts to different texts."""
        value = self.raw(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not all(isinstance(t, str) for pair in value.items() for t in pair):
            self.fault(name, f"is {shown(value)}; allowed: {{old: new}}")
            return {}
        new = list(value.values())
        twice = sorted({item for item in new if new.count(item) > 1})
        if twice:
            self.fault(name, f"gives the name {', '.join(twice)} to two columns")
        return {old: new for old, new in value.items() if self._is_name(f"{name}.{old}", new)}

    def inner(self, name: str) -> Fields:
        """The mapping in a field; empty where it is absent."""
        value = self.raw(name)
        return Fields({} if value is None else value, self.at(name), self.faults)

    def _is_name(self, name: str, value: str) -> bool:
        if value and len(value) <= _LONGEST_NAME and "\0" not in value:
            return True
        self.fault(name, f"is {shown(value)}; allowed: 1 to {_LONGEST_NAME} characters, none of them NUL")
        return False


def check_id(value: str, path: str, faults: list[Fault]) -> None:
    if not re.fullmatch(ID_PATTERN, value):
        allowed = "up to 63 of a-z, 0-9, _ and -, beginning with a letter or a digit"
        faults.append(Fault(field=path, message=f"is no id; allowed: {allowed}"))


def shown(value: object) -> str:
    """A value as a message shows it: short, and the kind of what is not a scalar."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "empty", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
