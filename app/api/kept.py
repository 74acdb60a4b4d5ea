"""What a file keeps is not changed here: one rule for whatever is saved by id. It changes nothing itself."""

from __future__ import annotations

from typing import Protocol, TypeVar

from worker.errors import Conflict, Unreadable

T_co = TypeVar("T_co", covariant=True)


class Saved(Protocol[T_co]):
    """A collection of the store; both raise NotFound, `get` Unreadable too."""

    def owner(self, id: str, /) -> str | None: ...
    def get(self, id: str, /) -> T_co: ...


def refuse_kept(saved: Saved[object], kind: str, id: str) -> None:
    """Raise Conflict where a file says what it is, NotFound where there is none."""
    owner = saved.owner(id)
    if owner is not None:
        raise Conflict(f"{kind} {id} is kept by {owner}; change it there")


def own(saved: Saved[T_co], kind: str, id: str) -> T_co:
    """What is stored, if it is ours to change. Raises Conflict, NotFound, Unreadable."""
    refuse_kept(saved, kind, id)
    return saved.get(id)


def mendable(saved: Saved[T_co], kind: str, id: str) -> T_co | None:
    """As `own`; None where what is stored cannot be read."""
    try:
        return own(saved, kind, id)
    except Unreadable:
        return None
