"""`validate`, `apply`, `export` and `release`: the declarative file from a terminal."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.terminal import print_json
from app.verbs.session import session
from worker import apply as applying
from worker import export as exporting
from worker.apply import Declined
from worker.change import ADDED, CHANGED, REMOVED, Change
from worker.declaration import Declaration, load
from worker.declaration.notes import notes
from worker.errors import BadInput, Fault, NotFound

DONE, REFUSED, BAD = 0, 1, 2
DID = {ADDED: "added", CHANGED: "changed", REMOVED: "deleted"}


def validate(files: Sequence[str], *, as_json: bool) -> int:
    """Print every mistake of each file as `FILE:LINE:COLUMN: message`; what is only worth knowing, on stderr."""
    found = [_validated(file) for file in files]
    good = all(one["ok"] for one in found)
    if as_json:
        print_json({"ok": good, "files": found})
        return DONE if good else BAD
    for one in found:
        for fault in one["faults"]:
            print(_line(one["file"], fault))
        sys.stdout.flush()
        for note in one["notes"]:
            print(_line(one["file"], note | {"message": f"note: {note['message']}"}), file=sys.stderr)
        if one["ok"]:
            counts = f"{_number(one['connections'], 'connection')}, {_number(one['jobs'], 'job')}"
            counts += f", {_number(one['alerts'], 'alert')}" if one["alerts"] else ""
            print(f"{one['file']}: {counts}, no mistakes")
    return DONE if good else BAD


def _validated(file: str) -> dict[str, Any]:
    try:
        declared = load(_read(file))
    except BadInput as error:
        return {"file": file, "ok": False, "faults": [_plain(fault) for fault in error.faults], "notes": []}
    told = [_plain(note) for note in notes(declared, os.environ)]
    counts = {
        "connections": len(declared.connections),
        "jobs": len(declared.jobs),
        "alerts": len(declared.alerts),
    }
    return {"file": file, "ok": True, "faults": [], "notes": told, **counts}


def apply(file: str, *, prune: bool, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Print the difference between a file and the database, and make it so, all of it or nothing."""
    declared = read(file)
    seen: list[list[Change]] = []

    def agree(changes: list[Change]) -> bool:
        """Show what is to be done, once more where somebody changed something meanwhile."""
        if seen and not as_json:
            print("changed meanwhile; now it is:")
        seen.append(changes)
        if not as_json:
            _print(changes)
        return not prune or yes or _agreed(changes)

    with session() as here:
        if dry_run:
            changes = applying.plan(here.store, here.vault, declared, prune=prune)
            blocked = any(change.blocked for change in changes)
            _tell(changes, as_json=as_json, applied=False)
            return REFUSED if blocked else DONE
        try:
            done = applying.apply(here.store, here.vault, declared, prune=prune, agree=agree)
        except Declined as error:
            print(error)
            return REFUSED
        applying.record(here.store, here.who, done)
        if here.store.replica_set():
            standalone = ""
        else:
            standalone = (
                "MongoDB runs standalone: had this been cut off, a part of it would be there; apply it again then"
            )
    if as_json:
        _tell(done, as_json=True, applied=True)
    else:
        counts = Counter(change.mark for change in done)
        said = ", ".join(f"{counts[mark]} {word}" for mark, word in DID.items() if counts[mark])
        print(said or "nothing to change")
    if done and standalone:
        print(f"syncworker: {standalone}", file=sys.stderr)
    return DONE


def export(jobs: Sequence[str] | None) -> int:
    """Print what is there as a file; with `jobs` those alone, and their connections. Raises NotFound."""
    with session() as here:
        for job_id in jobs or ():
            if here.store.jobs.find(job_id) is None:
                raise NotFound(f"there is no job {job_id!r}")
        text = exporting.export(here.store, here.vault, jobs)
    sys.stdout.buffer.write(text.encode())
    return DONE


def release(file: str) -> int:
    """What belongs to a file belongs to nobody from now on. Raises NotFound where nothing does."""
    with session() as here:
        owned = here.store.declared.owners()
        if file not in owned and str(Path(file).absolute()) in owned:
            file = str(Path(file).absolute())  # as JOBS_FILE keeps it
        freed = here.store.declared.release(file)
        if not freed:
            known = f"; files that own jobs: {', '.join(owned)}" if owned else ""
            raise NotFound(f"nothing belongs to {file}{known}")
        for kind, id in freed:
            print(f"{CHANGED} {kind} {id}")
            here.store.audit.record(
                here.who, f"{kind}.update", f"{kind}s/{id}", before={"owner": file}, after={"owner": None}
            )
    print(f"{len(freed)} belong to nobody now")
    return DONE


def read(file: str) -> Declaration:
    """The file's content; its faults carry FILE:LINE:COLUMN in their field. Raises BadInput."""
    try:
        return load(_read(file))
    except BadInput as error:
        placed = [Fault(field="", message=_line(file, _plain(fault))) for fault in error.faults]
        raise BadInput(placed) from None


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise BadInput([Fault(field="", message=f"cannot be read: {error.strerror}", line=1, column=1)]) from None


def _plain(fault: Fault) -> dict[str, Any]:
    return {"line": fault.line or 1, "column": fault.column or 1, "field": fault.field, "message": fault.message}


def _line(file: str, fault: dict[str, Any]) -> str:
    what = f"{fault['field']}: {fault['message']}" if fault["field"] else fault["message"]
    return f"{file}:{fault['line']}:{fault['column']}: {what}"


def _print(changes: list[Change]) -> None:
    for change in changes:
        print(change)
    sys.stdout.flush()


def _tell(changes: list[Change], *, as_json: bool, applied: bool) -> None:
    if as_json:
        names = ("mark", "kind", "id", "fields", "details", "means", "blocked")
        print_json({"applied": applied, "changes": [{name: getattr(one, name) for name in names} for one in changes]})
        return
    _print(changes)
    print("nothing was changed" if changes else "nothing to change")


def _agreed(changes: list[Change]) -> bool:
    """Ask a person at a terminal before something is deleted; a program is not asked."""
    gone = sum(change.mark == REMOVED for change in changes)
    if not gone or not sys.stdin.isatty():
        return True
    answer = input(f"Delete {_number(gone, 'of these')}, with checkpoints? [y/N] ")
    return answer.strip().lower() in {"y", "yes"}


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 or " " in noun else f"{count} {noun}s"
