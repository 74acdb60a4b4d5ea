"""The generation before a `replace`, as a hidden file beside its target that is named after the run that took it away.

It is the old file itself under a second name (a hard link), made before the new one is renamed over the first: as long
as both names mean one file, nothing was swapped.
"""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worker.connectors.folder import HeldFolder, as_destination
from worker.connectors.part_file import Part, stem
from worker.connectors.protocol import Fence, Position
from worker.connectors.sql_undo import gone, no_target
from worker.errors import Permanent

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EXDEV})


class KeptFile:
    """What is kept of one stream's target."""

    def __init__(self, target: Path, fence: Fence) -> None:
        self._target = target
        self._prefix = f"{stem(target, fence)}.undo-"
        self._ours = self.at(fence.sequence)

    def at(self, sequence: int) -> Path:
        return self._target.with_name(f"{self._prefix}{sequence}")

    def found(self) -> list[int]:
        """The sequences of what is not the target any more, the newest last."""
        there = [path for path in self._all() if not (self._target.exists() and path.samefile(self._target))]
        return sorted(int(path.name.removeprefix(self._prefix)) for path in there)

    def keep(self) -> Path | None:
        """Keep the target; None where there is none. What an earlier attempt of this run kept stays."""
        if not self._target.exists():
            return None
        if not self._ours.exists():
            try:
                os.link(self._target, self._ours)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                message = f"{self._target.name}: the file system has no hard links, which `undo` needs; leave it out"
                raise Permanent(message) from None
        return self._ours

    def drop_others(self, kept: Path | None) -> None:
        for path in self._all():
            if path != kept:
                path.unlink(missing_ok=True)

    def _all(self) -> list[Path]:
        return list(self._target.parent.glob(f"{glob.escape(self._prefix)}*"))


class FileGenerations:
    """The kept generation of one stream, for one run. Making one claims the target: older writers lose theirs."""

    def __init__(self, held: HeldFolder, fence: Fence, count: Callable[[Path], int]) -> None:
        self._held = held
        self._target = held.file.path
        self._sequence = fence.sequence
        self._count = count
        self._kept = KeptFile(self._target, fence)
        try:
            self._part = Part(self._target, fence)
        except BaseException:
            held.close()
            raise
        self._stood = self._part.position

    def stood(self) -> Position | None:
        return self._stood

    def kept(self) -> list[int]:
        with as_destination():
            return self._kept.found()

    def swap(self, sequence: int, checkpoint: Any) -> int:
        with as_destination():
            self._part.prove()
            if self._part.holds_rows:
                message = "an unfinished run left rows that have not reached it; run the job first, then undo"
                raise Permanent(f"{self._target.name}: {message}")
            if self._sequence not in self._kept.found():
                self._swap(sequence)
            self._part.stand(checkpoint)
            ours = self._kept.at(self._sequence)
            self._kept.drop_others(ours)
            return self._count(ours)

    def _swap(self, sequence: int) -> None:
        theirs = self._kept.at(sequence)
        if sequence not in self._kept.found():
            raise gone(self._target.name)
        if self._kept.keep() is None:
            raise no_target(self._target.name, theirs.name)
        self._rename(theirs)

    def _rename(self, theirs: Path) -> None:
        os.rename(theirs, self._target)

    def close(self) -> None:
        self._held.close()
