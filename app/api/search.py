"""The search language of jobs: words and `field:value`, each of which must hold, or with `-` must not.

A word is part of an id, a source, a destination or a stream's name. It only reads the search; the store finds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from worker.declaration.fields import meant
from worker.errors import BadInput, Fault
from worker.standing import Standing

_TERM = re.compile(r'(-?)(?:([a-z_]+):(?:"([^"]*)"|(\S*))|"([^"]*)"|(\S+))')
FIELDS = {"id": "_id", "source": "source", "destination": "destination", "stream": "streams.name", "owner": "owner"}
PLACES = ("_id", "source", "destination", "streams.name")
STANDINGS = {str(one).replace("_", "-"): one for one in Standing}


@dataclass(frozen=True, kw_only=True)
class Search:
    """`conditions` are MongoDB filters that must all hold; `standings` is None where any will do."""

    conditions: tuple[dict[str, Any], ...] = ()
    standings: frozenset[Standing] | None = None


def read(text: str | None) -> Search:
    """What is searched for. Raises BadInput naming a field or a standing that there is not."""
    conditions: list[dict[str, Any]] = []
    wanted, unwanted, faults = set[Standing](), set[Standing](), []
    for minus, field, *values in _TERM.findall(text or ""):
        value = "".join(values)
        if field == "is":
            if value in STANDINGS:
                (unwanted if minus else wanted).add(STANDINGS[value])
            else:
                faults.append(Fault(field="q", message=f"has is:{value}; {meant(value, STANDINGS)}"))
        elif field and field not in FIELDS:
            faults.append(Fault(field="q", message=f"has {field}:; {meant(field, [*FIELDS, 'is'])}"))
        elif value:
            holds = {"$regex": re.escape(value), "$options": "i"}
            condition = {"$or": [{place: holds} for place in ([FIELDS[field]] if field else PLACES)]}
            conditions.append({"$nor": [condition]} if minus else condition)
    if faults:
        raise BadInput(faults)
    standings = None
    if wanted or unwanted:
        standings = frozenset((wanted or set(Standing)) - unwanted)
    return Search(conditions=tuple(conditions), standings=standings)
