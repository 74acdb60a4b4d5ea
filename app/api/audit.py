"""The audit: who did what, when and from where. It is read here; what changes something writes it by itself."""

from __future__ import annotations

from app.api.operation import Ask
from app.api.questions import AuditQuery
from app.api.wire import AuditPage, AuditRecord, document
from worker.access import Scope
from worker.errors import BadInput, Fault, NotFound
from worker.store.audit import asked

# Who logged in from where, and which tokens there are, is for admins; what became of jobs is for all.
PRIVATE = ("accounts", "tokens")


def list_(ask: Ask[AuditQuery, None]) -> AuditPage:
    """Who did what, newest first; logins and tokens for admins alone."""
    query = ask.query
    hidden = () if ask.who.scope.covers(Scope.ADMIN) else PRIVATE
    wanted = asked(subject=query.subject, who=query.who, action=query.action, hidden=hidden)
    try:
        found = ask.context.store.audit.list(wanted, since=query.since, after=query.after, limit=query.limit + 1)
    except NotFound:
        raise BadInput([Fault(field="after", message=f"is {query.after!r}; there is no such record")]) from None
    page = [AuditRecord.model_validate(document(one)) for one in found[: query.limit]]
    return AuditPage(items=page, next=page[-1].id if len(found) > query.limit else None)
