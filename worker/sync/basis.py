"""What a checkpoint is of: the source and the target that it stands between, and how the stream was read.

It goes wherever its checkpoint goes, so that no run goes on from a place in other data. Which change ends a checkpoint
is decided here, once, for the engine and for the plan that tells of it beforehand.
Source: docs/decisions/0030-what-a-changed-job-means.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from worker.declaration.streams import stream_document
from worker.job import Job, Mode, StreamSpec, Write

Basis = Mapping[str, Any]

# Where the rows come from, and where they go. A full stream that is half done also depends on all else that shapes it.
_FROM, _TO, _SHAPE = ("source", "mode", "cursor"), ("destination", "target"), "shape"
_NO_MATTER = ("name", "mode", "cursor", "target", "undo", "schema")
# A checkpoint as a destination keeps it.
_OF, _AT = "of", "at"


class Fate(StrEnum):
    """What becomes of a checkpoint: reading goes on from it, begins anew, or is refused until a person resets it."""

    KEPT = "kept"
    ANEW = "anew"
    REFUSED = "refused"


def basis_of(job: Job, spec: StreamSpec) -> Basis:
    """Plain JSON, to be kept with the stream's checkpoints."""
    basis: dict[str, Any] = {
        "source": job.source,
        "mode": str(spec.mode),
        "cursor": spec.cursor if spec.mode is Mode.INCREMENTAL else None,
        "destination": job.destination,
        "target": spec.destination_name,
    }
    if spec.mode is Mode.FULL:
        said = {name: value for name, value in stream_document(spec).items() if name not in _NO_MATTER}
        basis[_SHAPE] = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]
    return basis


def changed(before: Basis | None, now: Basis | None) -> list[str]:
    """What differs of the two, in words; nothing where either is not known, as of a checkpoint of an older version."""
    if before is None or now is None:
        return []
    words = [
        f"{name} was {before.get(name) or 'none'} and is {now.get(name) or 'none'} now"
        for name in (*_FROM, *_TO)
        if before.get(name) != now.get(name)
    ]
    if not words and before.get(_SHAPE) != now.get(_SHAPE):
        words.append("the stream was changed while a run of it was half done")
    return words


def fate(before: Basis | None, now: Basis | None, write: Write) -> Fate:
    """What becomes of a checkpoint of `before`. To append from the beginning again is for a person to ask for.

    In a new place nothing was appended yet, so that there is nothing to ask.
    """
    if not changed(before, now):
        return Fate.KEPT
    assert before is not None and now is not None
    moved = any(before.get(name) != now.get(name) for name in _TO)
    return Fate.REFUSED if write is Write.APPEND and not moved else Fate.ANEW


def kept_with(checkpoint: Any, basis: Basis | None) -> Any:
    """A checkpoint as a destination is to keep it; None stays None."""
    return checkpoint if checkpoint is None or basis is None else {_OF: dict(basis), _AT: checkpoint}


def parted(kept: Any) -> tuple[Any, Basis | None]:
    """The checkpoint and its basis, of what a destination kept."""
    if isinstance(kept, dict) and kept.keys() == {_OF, _AT}:
        return kept[_AT], kept[_OF]
    return kept, None
