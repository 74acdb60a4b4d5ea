"""`audit`: who did what, when and from where."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from app.api.wire import AuditRecord, document
from app.terminal import print_json
from app.verbs.following import moment
from app.verbs.session import session
from worker.clock import iso
from worker.duration import parse_duration
from worker.errors import BadInput
from worker.logs import redact
from worker.store import Store
from worker.store.audit import asked

LONGEST_VALUE = 120


def audit(
    subject: str | None, who: str | None, action: str | None, *, since: str | None, count: int, as_json: bool
) -> int:
    """Records, newest first: a line each, and what differs below it."""
    with session() as here:
        begin = None if since is None else _since(since, here.store)
        wanted = asked(subject=subject, who=who, action=action)
        found = here.store.audit.list(wanted, since=begin, limit=count)
    records = [AuditRecord.model_validate(document(one)) for one in found]
    if as_json:
        print_json({"items": records, "next": None})
        return 0
    for one in records:
        origin = f" from {one.from_}" if one.from_ else ""
        at = iso(one.at.replace(microsecond=0))
        print(redact(f"{at}  {one.who} ({one.how}, {one.scope}){origin}: {one.action} {one.subject}"))
        for line in _differences(one):
            print(redact(f"    {line}"))
    if not records:
        print("no records")
    return 0


def _differences(one: AuditRecord) -> list[str]:
    before, after = one.before or {}, one.after or {}
    lines = []
    for name in {**before, **after}:
        old, new = _short(before[name]) if name in before else "-", _short(after[name]) if name in after else "-"
        lines.append(f"{name}: {new}" if one.before is None else f"{name}: {old} -> {new}")
    return lines


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _since(text: str, store: Store) -> datetime:
    try:
        return store.now() - timedelta(seconds=parse_duration(text))
    except (ValueError, BadInput):
        return moment(text)
