"""Prove that a stream's rows are the same on both sides, or name those that are not.

Both sides are brought into one order by key and compared row by row. It writes nothing: `worker.sync.mend` does.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from worker.connectors.bson_values import checkpoint_value
from worker.connectors.checkpoint_values import unpack
from worker.job import Mode, Write
from worker.sync.sides import Sides
from worker.sync.spool import Entry, Mark, Spool, original
from worker.sync.values import text

# Consecutive rows by key that are counted together: so a reader sees whether differences lie in one place.
RANGE = 256
_EXAMPLES = 20
_EXAMPLE_CHARACTERS = 200


class Difference(StrEnum):
    MISSING = "missing"  # at the source alone
    CHANGED = "changed"
    EXTRA = "extra"  # at the destination alone, where the stream would have deleted it


class Differing(NamedTuple):
    """One key, or one row where there is no key; the entries of each side."""

    kind: Difference
    source: list[Entry]
    there: list[Entry]

    @property
    def rows(self) -> int:
        """How many rows it is of a stream without a key."""
        return abs(len(self.source) - len(self.there))


@dataclass(kw_only=True)
class Verdict:
    """What a comparison found. `rows` are those of the source that were compared, `there` those of the destination.

    `others` are at the destination alone and may be: an upsert or append deletes nothing, a mirror nothing of others.
    `ahead` are newer than the checkpoint, `unsent` have no cursor: neither was compared. `at` is when reading began.
    """

    at: datetime
    through: str
    keyed: bool = True
    rows: int = 0
    there: int = 0
    missing: int = 0
    changed: int = 0
    extra: int = 0
    others: int = 0
    ahead: int = 0
    unsent: int = 0
    ranges: int = 0
    differing_ranges: int = 0
    reread: int = 0
    mended: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def differing(self) -> int:
        """Rows that differed and were not mended."""
        return self.missing + self.changed + self.extra - self.mended

    def document(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "through": self.through,
            "rows": self.rows,
            "differing": self.differing,
            "missing": self.missing,
            "changed": self.changed,
            "extra": self.extra,
            "others": self.others,
            "ahead": self.ahead,
            "unsent": self.unsent,
            "there": self.there,
            "ranges": self.ranges,
            "differing_ranges": self.differing_ranges,
            "reread": self.reread,
            "mended": self.mended,
            "examples": self.examples,
        }

    def words(self) -> str:
        return in_words(self.document())


def in_words(found: Mapping[str, Any]) -> str:
    """A verdict's document in one sentence."""
    rows = "1 row" if found["rows"] == 1 else f"{found['rows']:,} rows"
    state = f"verified through {found['through']}: {rows}"
    kinds = {"missing": found["missing"], "changed": found["changed"], "too many": found["extra"]}
    differed = sum(kinds.values())
    if not differed:
        return f"{state}, all equal{_besides(found)}"
    told = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)
    where = f", in {found['differing_ranges']:,} of {found['ranges']:,} key ranges" if found["ranges"] else ""
    state += f", {differed:,} {'differs' if differed == 1 else 'differ'} ({told}){where}"
    if found["reread"] or found["mended"]:
        state += f"; {found['mended']:,} mended, {found['reread']:,} read again"
    return state + _besides(found)


def _besides(found: Mapping[str, Any]) -> str:
    parts = [
        (found["others"], "more at the destination, which this stream never deletes"),
        (found["ahead"], "newer than the checkpoint"),
        (found["unsent"], "without a cursor"),
    ]
    return "".join(f"; {count:,} {what}" for count, what in parts if count)


class Comparison:
    """A context in which both sides lie in order; `verdict` is counted, `differing` may be gone through again."""

    def __init__(self, sides: Sides, at: datetime, checkpoint: Any) -> None:
        self._sides = sides
        self._checkpoint = checkpoint
        spec = sides.spec
        through = text(at) if spec.mode is Mode.FULL else _cursor(checkpoint, hidden=bool(spec.hash), at=at)
        self.verdict = Verdict(at=at, through=through, keyed=bool(sides.key))
        self._deletes = spec.write in (Write.REPLACE, Write.MIRROR)

    def __enter__(self) -> Comparison:
        self._spools = [Spool().__enter__() for _ in range(3)]
        source, there, keys = self._spools
        self._sides.read_source(source, self._checkpoint)
        self._sides.read_there(there)
        if self._sides.spec.write is Write.MIRROR:
            self._sides.read_keys(keys)
        self.verdict.there = there.rows
        self._count()
        return self

    def __exit__(self, *exc: object) -> None:
        for spool in self._spools:
            spool.__exit__(*exc)

    def _count(self) -> None:
        verdict = self.verdict
        last = -1
        for place, one in self._walk(verdict):
            count = 1 if verdict.keyed else one.rows
            setattr(verdict, one.kind, getattr(verdict, one.kind) + count)
            if place != last and verdict.keyed:
                verdict.differing_ranges += 1
            last = place
            if verdict.keyed and len(verdict.examples) < _EXAMPLES:
                verdict.examples.append(f"{one.kind}: {self._named(one)}"[:_EXAMPLE_CHARACTERS])
        verdict.ranges = -(-verdict.rows // RANGE) if verdict.keyed else 0

    def _named(self, one: Differing) -> str:
        """The key in words, as it is at the destination: a hashed one stays hashed."""
        sides = self._sides
        of_source = bool(one.source) and not set(sides.source_key) & set(sides.spec.hash)
        key = original(one.source[0]) if of_source else (original(one.there[0]) if one.there else None)
        return "(hashed)" if key is None else ", ".join(f"{name} {text(value)}" for name, value in key.items())

    def differing(self) -> Iterator[Differing]:
        """What differs, by key."""
        for _, one in self._walk(Verdict(at=self.verdict.at, through="")):
            yield one

    def _walk(self, seen: Verdict) -> Iterator[tuple[int, Differing]]:
        """(number of the range, what differs there), by key; `seen` counts the rest."""
        judge = self._judge if self._sides.key else self._judge_rows
        for source, there, ours in side_by_side([spool.groups() for spool in self._spools]):
            place = seen.rows // RANGE
            kind = judge(source, there, bool(ours), seen)
            if kind is not None:
                yield place, Differing(kind, source, there)

    def _judge(self, source: list[Entry], there: list[Entry], ours: bool, seen: Verdict) -> Difference | None:
        marks = {entry.mark for entry in source}
        if Mark.AHEAD in marks:
            seen.ahead += 1
            return None
        plain = [entry.digest for entry in source if entry.mark is Mark.PLAIN]
        if plain:
            seen.rows += 1
            if not there:
                return Difference.MISSING
            return None if len(there) == 1 and there[0].digest in plain else Difference.CHANGED
        if Mark.UNSENT in marks:
            seen.unsent += 1
            return None
        if not there:
            return None  # deleted on both sides, or of a mirror's keys alone
        deletes = Mark.GONE in marks or (ours if self._sides.spec.write is Write.MIRROR else self._deletes)
        if not deletes:
            seen.others += len(there)
        return Difference.EXTRA if deletes else None

    def _judge_rows(self, source: list[Entry], there: list[Entry], ours: bool, seen: Verdict) -> Difference | None:
        """Without a key: how often a row is on each side."""
        ahead = sum(entry.mark is Mark.AHEAD for entry in source)
        seen.ahead += ahead
        seen.unsent += sum(entry.mark is Mark.UNSENT for entry in source)
        here = max(0, sum(entry.mark is Mark.PLAIN for entry in source) - ahead)
        seen.rows += here
        source[:] = [entry for entry in source if entry.mark is Mark.PLAIN][:here]
        if here == len(there):
            return None
        if here > len(there):
            return Difference.MISSING
        if not self._deletes:
            seen.others += len(there) - here
        return Difference.EXTRA if self._deletes else None


def side_by_side(sides: list[Iterator[tuple[bytes, list[Entry]]]]) -> Iterator[list[list[Entry]]]:
    """The entries of each side that have the same key, key after key."""

    def numbered(number: int, groups: Iterable[tuple[bytes, list[Entry]]]) -> Iterator[tuple[bytes, int, list[Entry]]]:
        for key, entries in groups:
            yield key, number, entries

    merged = heapq.merge(*(numbered(n, side) for n, side in enumerate(sides)), key=lambda one: one[:2])
    current: bytes | None = None
    row: list[list[Entry]] = []
    for key, number, entries in merged:
        if key != current:
            if row:
                yield row
            current, row = key, [[] for _ in sides]
        row[number] = entries
    if row:
        yield row


def _cursor(checkpoint: Any, *, hidden: bool, at: datetime) -> str:
    """The cursor of a checkpoint in words; the time where it is not to be shown."""
    if hidden or not isinstance(checkpoint, dict):
        return text(at)
    if "after" in checkpoint:
        return text(unpack(checkpoint["after"][0]))
    return text(checkpoint_value(checkpoint["cursor"])) if "cursor" in checkpoint else text(at)
