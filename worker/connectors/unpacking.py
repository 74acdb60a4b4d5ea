"""A gzip file unpacked as it is read, within bounds: a small file must not become an endless one.

Beyond FLOOR bytes it may be no more than so many times its packed size, and never larger than the limit. Memory is no
matter here, it stays flat; what a bomb would cost is time, and the destination's disk.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

from worker.errors import BadData

# Below this a high ratio is nothing strange: a few rows that are all alike.
FLOOR = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """`largest` in bytes, `ratio` times the packed size: a connection's `max_unpacked` and `max_ratio`."""

    largest: int
    ratio: int


@contextmanager
def unpacked(packed: BinaryIO, where: str, bounds: Bounds) -> Iterator[BinaryIO]:
    """The bytes in `packed`, of the file that messages call `where`. Raises BadData beyond the bounds."""
    with gzip.GzipFile(fileobj=packed, mode="rb") as plain:
        yield cast(BinaryIO, io.BufferedReader(_Bounded(plain, packed, where, bounds), 1 << 16))


class _Bounded(io.RawIOBase):
    def __init__(self, plain: gzip.GzipFile, packed: BinaryIO, where: str, bounds: Bounds) -> None:
        self._plain = plain
        self._packed = packed
        self._where = where
        self._bounds = bounds
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's buffer cannot be assigned to
        data = self._plain.read1(len(buffer))
        self._count += len(data)
        self._check()
        buffer[: len(data)] = data
        return len(data)

    def _check(self) -> None:
        if self._count > self._bounds.largest:
            raise BadData(
                f"{self._where} unpacks to more than {self._bounds.largest:,} bytes; if that is right, set "
                "`max_unpacked` on the connection"
            )
        if self._count > FLOOR and self._count > self._bounds.ratio * self._packed.tell():
            raise BadData(
                f"{self._where} unpacks to more than {self._bounds.ratio} times its size; if that is right, set "
                "`max_ratio` on the connection"
            )
