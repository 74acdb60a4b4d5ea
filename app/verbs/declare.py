"""`validate`, `apply` and `export`: the declarative file from a terminal."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from app.verbs.session import session
from worker import apply as applying
from worker.apply import ADDED, CHANGED, REMOVED, Change
from worker.declaration import Declaration, load
from worker.errors import BadInput, Fault

DONE, REFUSED, BAD = 0, 1, 2
DID = {ADDED: "added", CHANGED: "changed", REMOVED: "deleted"}


def validate(file: str) -> int:
    """Print every mistake of a file as `FILE:LINE:COLUMN: message`."""
    try:
        declared = load(_read(file))
    except BadInput as error:
        for fault in error.faults:
            print(_placed(file, fault))
        return BAD
    connections, jobs = _number(len(declared.connections), "connection"), _number(len(declared.jobs), "job")
    print(f"{file}: {connections}, {jobs}, no mistakes")
    return DONE


def apply(file: str, *, prune: bool, dry_run: bool, yes: bool) -> int:
    """Print the difference between a file and the database, and make it so."""
    declared = read(file)
    with session() as here:
        changes = applying.plan(here.store, here.vault, declared, prune=prune)
        _print(changes)
        if dry_run or not changes:
            print("nothing was changed" if changes else "nothing to change")
            return DONE
        if prune and not yes and not _agreed(changes):
            print("nothing was changed")
            return REFUSED
        done = applying.apply(here.store, here.vault, declared, prune=prune)
    counts = Counter(change.mark for change in done)
    print(", ".join(f"{counts[mark]} {word}" for mark, word in DID.items() if counts[mark]))
    return DONE


def export() -> int:
    """Print what is there as a file."""
    with session() as here:
        sys.stdout.write(applying.export(here.store, here.vault))
    return DONE


def read(file: str) -> Declaration:
    """The file's content; its faults carry FILE:LINE:COLUMN in their field. Raises BadInput."""
    try:
        return load(_read(file))
    except BadInput as error:
        raise BadInput([Fault(field="", message=_placed(file, fault)) for fault in error.faults]) from None


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise BadInput([Fault(field="", message=f"cannot be read: {error.strerror}", line=1, column=1)]) from None


def _placed(file: str, fault: Fault) -> str:
    what = f"{fault.field}: {fault.message}" if fault.field else fault.message
    return f"{file}:{fault.line or 1}:{fault.column or 1}: {what}"


def _print(changes: list[Change]) -> None:
    for change in changes:
        print(change)


def _agreed(changes: list[Change]) -> bool:
    """Ask a person at a terminal before something is deleted; a program is not asked."""
    gone = sum(change.mark == REMOVED for change in changes)
    if not gone or not sys.stdin.isatty():
        return True
    sys.stdout.flush()
    answer = input(f"Delete {_number(gone, 'of these')}, with checkpoints? [y/N] ")
    return answer.strip().lower() in {"y", "yes"}


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 or " " in noun else f"{count} {noun}s"
