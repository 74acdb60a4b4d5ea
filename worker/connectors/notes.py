"""What a connector has to tell of the values it met: once per column, with the count and one example."""

from __future__ import annotations

from typing import Any

EXAMPLE_CHARACTERS = 80


class Notes:
    """Counts of noteworthy values; `told` gives them as lines for the run's log, and starts anew."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], list[Any]] = {}
        self._lines: list[str] = []

    def add(self, column: str, what: str, example: object, count: int = 1) -> None:
        entry = self._seen.setdefault((column, what), [0, example])
        entry[0] += count

    def say(self, line: str) -> None:
        """A line of its own, that concerns no single value."""
        self._lines.append(line)

    def null_cursors(self, count: int, stream: str, cursor: str, is_: str = "null") -> None:
        """Rows that an incremental read leaves out; none is nothing to tell."""
        if count:
            rows, were, their = ("row", "was", "its") if count == 1 else ("rows", "were", "their")
            self.say(f"{count:,} {rows} of {stream} {were} not sent: {their} cursor {cursor} is {is_}")

    def told(self) -> list[str]:
        lines = [
            f"{column}: {count:,} {'value' if count == 1 else 'values'} {what}, for example {shown(example)}"
            for (column, what), (count, example) in self._seen.items()
        ]
        lines = self._lines + lines
        self._seen, self._lines = {}, []
        return lines


def shown(value: object) -> str:
    """A value for a message: its repr, cut where it is long."""
    text = repr(value)
    return text if len(text) <= EXAMPLE_CHARACTERS else f"{text[:EXAMPLE_CHARACTERS]}…"
