"""The part that a file is written from, and the state beside it: how far it is durable, whose it is, what became of it.

The state is a file of its own, replaced by rename: it says up to which byte the part counts, so that what a crash left
behind that is cut off. It knows no format. Between two processes on one file system it fences as well as a look before
each write can; a file system offers no transaction.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from worker.connectors.protocol import Fence, Position
from worker.errors import LostClaim
from worker.job import Write


@dataclass(frozen=True, kw_only=True)
class PartState:
    """The rows of one run that wait to become, or to join, the target. `size` bytes of the file called `name` count."""

    name: str
    sequence: int
    write: str
    key: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    size: int = 0
    rows: int = 0


@dataclass(frozen=True, kw_only=True)
class _State:
    """`holder`: (sequence, token) of the newest writer. `published`: the inode that was about to become the target.

    `finished`: the sequence of the last run whose rows all reached the target.
    """

    holder: tuple[int, int]
    position: Position | None = None
    part: PartState | None = None
    published: int | None = None
    finished: int | None = None


_ANEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def _open(path: Path, flags: int) -> int:
    """A descriptor of one of our own files; a link in its place is refused, a pipe not waited for."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)


def stem(target: Path, fence: Fence) -> str:
    """How the names of all files begin that we keep beside the target of a stream; hidden."""
    digest = hashlib.sha256(f"{fence.job}\0{fence.stream}".encode()).hexdigest()[:12]
    return f".{target.name}.syncworker-{digest}"


class Part:
    """The part and the state of one stream's target. Making one claims it: older writers lose theirs."""

    def __init__(self, target: Path, fence: Fence) -> None:
        self._target = target
        self._fence = fence
        self._stem = stem(target, fence)
        self._state_path = target.with_name(f"{self._stem}.json")
        self._state = self._read() or _State(holder=self._mine)
        self._refuse_newer(self._state)
        self._drop_strays()
        self._claim()

    @property
    def _mine(self) -> tuple[int, int]:
        return self._fence.sequence, self._fence.token

    @property
    def state(self) -> PartState | None:
        return self._state.part

    @property
    def path(self) -> Path:
        assert self._state.part is not None, "no part was begun"
        return self._target.with_name(self._state.part.name)

    @property
    def is_ours(self) -> bool:
        """Whether there is a part of this very run."""
        return self._state.part is not None and self._state.part.sequence == self._fence.sequence

    @property
    def is_durable(self) -> bool:
        """Whether rows of the part were acknowledged with a checkpoint, so that they must not be lost."""
        part, position = self._state.part, self._state.position
        return part is not None and position is not None and position.sequence == part.sequence

    @property
    def holds_rows(self) -> bool:
        """Whether rows that were acknowledged still have to reach the target."""
        return self.is_durable and self.state is not None and self.state.write != Write.REPLACE

    @property
    def position(self) -> Position | None:
        return self._state.position

    @property
    def is_finished(self) -> bool:
        """Whether an earlier attempt of this very run had put all its rows into the target."""
        return self._state.finished == self._fence.sequence

    # The state's file.

    def _read(self) -> _State | None:
        try:
            with open(_open(self._state_path, os.O_RDONLY), encoding="utf-8") as file:
                kept = json.load(file)
        except FileNotFoundError:
            return None
        part = kept["part"]
        return _State(
            holder=(kept["holder"][0], kept["holder"][1]),
            position=Position(**kept["position"]) if kept["position"] else None,
            part=PartState(**part | {"key": tuple(part["key"]), "columns": tuple(part["columns"])}) if part else None,
            published=kept["published"],
            finished=kept["finished"],
        )

    def _store(self, state: _State) -> None:
        self._state = state
        temporary = self._state_path.with_name(f"{self._state_path.name}.new")
        with open(_open(temporary, _ANEW), "w", encoding="utf-8") as file:
            json.dump(asdict(state), file)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, self._state_path)
        self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self._target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _refuse_newer(self, found: _State | None) -> None:
        if found is not None and found.holder > self._mine:
            raise LostClaim(f"a newer run or claim of {self._fence.job} writes {self._target.name}")

    def prove(self) -> None:
        """Raise LostClaim where a newer writer has made its claim."""
        self._refuse_newer(self._read())

    def _drop_strays(self) -> None:
        """Files of ours that no state speaks of: a crash between two steps left them."""
        kept = self._state.part.name if self._state.part else None
        for path in self._target.parent.glob(f"{glob.escape(self._stem)}-*"):
            if path.name != kept:
                path.unlink(missing_ok=True)

    def _part_name(self, sequence: int) -> str:
        return f"{self._stem}-{sequence}-{self._fence.token}.part"

    def _claim(self) -> None:
        """Be the newest writer. A part that is there gets our name, so that an older claim finds it no more."""
        part = self._state.part
        if part is None:
            self._store(replace(self._state, holder=self._mine))
            return
        old, mine = self._target.with_name(part.name), self._target.with_name(self._part_name(part.sequence))
        if not old.exists():  # renamed over the target, or lost with its folder
            self._store(replace(self._state, holder=self._mine))
            return
        if old != mine:
            os.link(old, mine)
        self._store(replace(self._state, holder=self._mine, part=replace(part, name=mine.name)))
        if old != mine:
            old.unlink()
        with open(_open(mine, os.O_WRONLY), "wb") as file:
            os.truncate(file.fileno(), part.size)

    # Steps, each durable when it returns.

    def begin(self, write: Write, key: tuple[str, ...], columns: list[str], header: bytes) -> None:
        """An empty part with its header."""
        name = self._part_name(self._fence.sequence)
        self._write(self._target.with_name(name), [header])
        part = PartState(
            name=name,
            sequence=self._fence.sequence,
            write=str(write),
            key=key,
            columns=tuple(columns),
            size=len(header),
        )
        self._store(replace(self._state, part=part, published=None))

    def _write(self, path: Path, pieces: Iterable[bytes]) -> int:
        size = 0
        with open(_open(path, _ANEW), "wb") as file:
            for piece in pieces:
                size += file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        return size

    def add(self, data: bytes, checkpoint: Any, rows: int) -> None:
        """Write behind the last durable byte, then move the checkpoint."""
        part = self._state.part
        assert part is not None
        try:
            descriptor = _open(self.path, os.O_WRONLY)
        except FileNotFoundError:
            raise LostClaim(f"a newer claim of {self._fence.job} has taken over {self._target.name}") from None
        with open(descriptor, "wb") as file:
            file.seek(part.size)
            file.write(data)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        self.prove()
        sequence, token = self._mine
        position = None
        if checkpoint is not None:
            position = Position(sequence=sequence, token=token, checkpoint=checkpoint)
        grown = replace(part, size=part.size + len(data), rows=part.rows + rows)
        self._store(replace(self._state, position=position or self._state.position, part=grown))

    def rewrite(self, pieces: Iterable[bytes], columns: list[str]) -> None:
        """The same rows with more columns. The new file counts from the moment that the state names it."""
        assert self._state.part is not None
        made = self._target.with_name(f"{self._part_name(self._fence.sequence)}-wider")
        size = self._write(made, pieces)
        self._store(
            replace(self._state, part=replace(self._state.part, name=made.name, columns=tuple(columns), size=size))
        )
        self._drop_strays()

    def widen(self, columns: list[str]) -> None:
        """More columns in a format that needs no header."""
        assert self._state.part is not None
        self._store(replace(self._state, part=replace(self._state.part, columns=tuple(columns))))

    def rename_over(self) -> None:
        """The part becomes the target."""
        self._become_target(self.path)

    def publish(self, pieces: Iterable[bytes]) -> None:
        """`pieces` become the target."""
        made = self._target.with_name(f"{self._stem}-published")
        self._write(made, pieces)
        self._become_target(made)

    def _become_target(self, path: Path) -> None:
        if self._target.exists():
            with open(_open(path, os.O_WRONLY), "wb") as file:
                os.fchmod(file.fileno(), self._target.stat().st_mode & 0o7777)
        self._store(replace(self._state, published=path.stat().st_ino))
        os.rename(path, self._target)
        self._sync_folder()

    def was_published(self) -> bool:
        """Whether a crash came between the rename over the target and the note that it was done."""
        published = self._state.published
        return published is not None and self._target.exists() and self._target.stat().st_ino == published

    def done(self) -> None:
        """Nothing is staged any more. The position stays, save that of a `replace`, which spoke of the part alone."""
        part = self._state.part
        finished = part.sequence if part else self._state.finished
        position = None if part and part.write == Write.REPLACE else self._state.position
        self._store(_State(holder=self._state.holder, position=position, finished=finished))
        self._drop_strays()

    def drop(self) -> None:
        """Forget what was staged, and the position with it where it speaks of these rows."""
        position = None if self.is_durable else self._state.position
        self._store(_State(holder=self._state.holder, position=position, finished=self._state.finished))
        self._drop_strays()

    def stand(self, checkpoint: Any) -> None:
        """Forget what was staged: the target is what it was at `checkpoint`, and this run is through with it."""
        sequence, token = self._mine
        position = None
        if checkpoint is not None:
            position = Position(sequence=sequence, token=token, checkpoint=checkpoint)
        self._store(_State(holder=self._state.holder, position=position, finished=sequence))
        self._drop_strays()
