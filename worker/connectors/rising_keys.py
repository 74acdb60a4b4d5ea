"""Whether the keys of a stream's rows rise from row to row, so that none can be there twice. It keeps one key."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from worker.batch import Row


class RisingKeys:
    """`rise` is true as long as every key that was seen is greater than the one before it."""

    def __init__(self, key: Sequence[str], *, rise: bool = True) -> None:
        self._key = tuple(key)
        self._last: list[tuple[Any, ...]] = []
        self.rise = rise

    def see(self, rows: Sequence[Row]) -> None:
        if not self.rise or not rows:
            return
        keys = self._last + [tuple(row.get(name) for name in self._key) for row in rows]
        try:
            self.rise = all(a < b for a, b in pairwise(keys))
        except TypeError:  # of several types, or null
            self.rise = False
        self._last = keys[-1:]
