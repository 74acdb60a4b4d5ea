"""Alerts: who is told what of which jobs; tried by the way that messages go. A secret goes in and never comes out."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from app.api import kept as owned
from app.api.context import Context
from app.api.jobs import merged
from app.api.masking import MASK
from app.api.operation import Answer, Ask, etag, revision_of
from app.api.problems import Stale
from app.api.questions import AlertDraft, Paging
from app.api.wire import Alert, AlertEvent, AlertEventPage, AlertList, AlertTest, Delivery, document
from worker import alert as records
from worker.alert import SECRETS
from worker.declaration import alert_document, parse_alert
from worker.declaration.alerts import MOST_FAILURES, OFF, host_of, origin_of, printable
from worker.duration import format_duration
from worker.errors import BadInput, Fault, NotFound, StaleRevision, Unreadable
from worker.logs import redact
from worker.messenger import try_alert
from worker.networks import networks
from worker.store.alerts import Alerts

log = logging.getLogger(__name__)

# What GET adds to an alert's draft: sent back, it changes nothing.
ADDED = frozenset(Alert.model_fields) - frozenset(AlertDraft.model_fields)
_UNTOLD = {"waiting": 0, "given_up": 0}


def list_(ask: Ask[Paging, None]) -> AlertList:
    """All alerts by id, and how their messages fare; URLs and secrets as asterisks."""
    after, limit = ask.query.after, ask.query.limit
    rest = [one for one in _saved(ask).list() if after is None or one.id > after]
    page = rest[:limit]
    return AlertList(items=shapes(ask.context, page), next=page[-1].id if len(rest) > limit else None)


def get(ask: Ask[Any, None]) -> Answer:
    """One alert; its revision is the ETag."""
    return _told(ask, _saved(ask).get(ask.path["id"]))


def create(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Save a new alert; it tells of what happens from now on."""
    alert_id = ask.body.get("id")
    if not isinstance(alert_id, str):
        raise BadInput([Fault(field="id", message="is missing" if alert_id is None else "is not a text")])
    stored = _saved(ask).insert(_parsed(ask, alert_id, ask.body, None))
    _note(ask, None, stored)
    told = _told(ask, stored)
    return replace(told, status=201, headers=told.headers | {"Location": f"/api/alerts/{alert_id}"})


def put(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Replace an alert; url and secret left out or sent as asterisks stay, null removes a secret."""
    return _replaced(ask, owned.mendable(_saved(ask), "alert", ask.path["id"]), ask.body)


def patch(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Merge into an alert (RFC 7396); null takes a field back to its default, failures and stale to never."""
    before = owned.own(_saved(ask), "alert", ask.path["id"])
    open_ = {name: value for name, value in alert_document(before).items() if name not in SECRETS}
    nothing = {name: None for name in ("failures", *SECRETS) if name in ask.body and ask.body[name] is None}
    return _replaced(ask, before, merged(open_, ask.body) | nothing)


def delete(ask: Ask[Any, Any]) -> Response:
    """Delete an alert, with what it has told and was about to tell; one that cannot be read too."""
    _note(ask, owned.mendable(_saved(ask), "alert", ask.path["id"]), None)
    try:
        _saved(ask).delete(ask.path["id"], revision_of(ask.if_match))
    except StaleRevision as error:
        raise _stale(ask, error) from None
    return Response(status_code=204)


def test(ask: Ask[Any, Any]) -> AlertTest:
    """Send one message that says it is a test, as every message is sent; what came of it."""
    return tried(_saved(ask).get(ask.path["id"]), ask.context.settings.worker.public_url)


def try_draft(ask: Ask[Any, dict[str, Any]]) -> AlertTest:
    """Try an alert before it is saved; with the `id` of a saved one, its secrets stand in for those left out."""
    alert_id = ask.body.get("id")
    if alert_id is not None and not isinstance(alert_id, str):
        raise BadInput([Fault(field="id", message="is not a text")])
    before = _saved(ask).find(alert_id) if alert_id else None
    draft = _parsed(ask, alert_id or "draft", ask.body, before)
    return tried(draft, ask.context.settings.worker.public_url)


def events(ask: Ask[Paging, None]) -> AlertEventPage:
    """What an alert has told, is about to tell, or gave up to tell; newest first."""
    alert_id, query = ask.path["id"], ask.query
    _saved(ask).owner(alert_id)  # which raises NotFound
    try:
        found, following = ask.context.store.alert_events.page(alert_id, query.limit, query.after)
    except NotFound:
        raise BadInput([Fault(field="after", message=f"is {query.after!r}; there is no such event")]) from None
    return AlertEventPage(items=[said for one in found if (said := _event(one))], next=following)


def _event(stored: dict[str, Any]) -> AlertEvent | None:
    """None for one that was broken by hand: it hides no other."""
    try:
        return AlertEvent.model_validate(document(stored))
    except ValidationError as error:
        log.warning(
            "event %s of an alert cannot be read: %s fields are not what they were", stored["_id"], error.error_count()
        )
        return None


def shown(alert: records.Alert, name: str) -> str | None:
    """`url` or `secret` as it goes out: asterisks, or the references that it is made of."""
    text: str | None = getattr(alert, name)
    if name in alert.unreadable:
        return MASK
    return text if printable(name, text) else MASK


def shapes(context: Context, alerts: list[records.Alert]) -> list[Alert]:
    """Alerts as they go out, with how their messages fare."""
    if not alerts:
        return []
    states = context.store.alerts(context.vault).states()
    there = context.store.jobs.existing(name for one in alerts for name in one.jobs or ())
    return [_shape(one, states.get(one.id, _UNTOLD), there) for one in alerts]


def _shape(alert: records.Alert, state: dict[str, Any], there: set[str]) -> Alert:
    assert alert.created_at is not None and alert.updated_at is not None  # it was stored
    return Alert(
        id=alert.id,
        url=shown(alert, "url") or MASK,
        host=host_of(alert.url),
        format=alert.format,
        secret=shown(alert, "secret"),
        jobs=None if alert.jobs is None else list(alert.jobs),
        missing_jobs=[name for name in alert.jobs or () if name not in there],
        failures=alert.failures,
        recovery=alert.recovery,
        held=alert.held,
        stale=None if alert.stale is None else format_duration(alert.stale),
        enabled=alert.enabled,
        owner=alert.owner,
        created_at=alert.created_at,
        updated_at=alert.updated_at,
        revision=alert.revision,
        delivery=Delivery(
            waiting=state["waiting"],
            given_up=state["given_up"],
            last_sent_at=state.get("last_sent_at"),
            last_error=redact(state["last_error"]) if state.get("last_error") else None,
            last_error_at=state.get("last_error_at"),
            next_try_at=state.get("not_before") if state["waiting"] else None,
        ),
    )


def _told(ask: Ask[Any, Any], alert: records.Alert) -> Answer:
    return Answer(shape=shapes(ask.context, [alert])[0], headers=etag(alert.revision))


def _saved(ask: Ask[Any, Any]) -> Alerts:
    return ask.context.store.alerts(ask.context.vault)


def tried(alert: records.Alert, public_url: str | None) -> AlertTest:
    """One message that says it is a test, on its real way. Never raises for what is wrong with the alert."""
    found = try_alert(alert, networks(os.environ), public_url)
    return AlertTest(ok=found.ok, ms=found.ms, status=found.status, message=redact(found.message))


def _parsed(ask: Ask[Any, Any], alert_id: str, body: dict[str, Any], before: records.Alert | None) -> records.Alert:
    """The alert that `body` says, with the secrets of `before` where they stay. Raises BadInput.

    The jobs that it names are there, or it named them before.
    """
    said = {name: value for name, value in body.items() if name not in ADDED}
    if said.get("failures", 1) is None:
        said["failures"] = OFF
    elif said.get("failures") is False:  # what YAML makes of off; JSON has a word for it
        allowed = f'a whole number from 1 to {MOST_FAILURES}, null or "{OFF}"'
        raise BadInput([Fault(field="failures", message=f"is false; allowed: {allowed}")])
    named = said.get("jobs")
    wanted = {name for name in named if isinstance(name, str)} if isinstance(named, list) else set()
    jobs = ask.context.store.jobs.existing(wanted) | set((before and before.jobs) or ())
    return parse_alert(alert_id, kept(said, before), jobs=jobs)


def kept(said: dict[str, Any], before: records.Alert | None) -> dict[str, Any]:
    """`said` with the stored url and secret where they were left out or sent as they are shown; null removes one.

    Raises BadInput where a stored secret would sign what goes to another server than the one that it was entered for.
    """
    result = {name: value for name, value in said.items() if value is not None}
    if before is None:
        return result
    faults = []
    stays = {name for name in SECRETS if name not in said or said[name] == shown(before, name) is not None}
    for name in SECRETS:
        if name in stays and name in before.unreadable:
            faults.append(Fault(field=name, message="is sealed under another SECRET_KEY; enter it again"))
        elif name in stays and getattr(before, name):
            result[name] = getattr(before, name)
        elif isinstance(said.get(name), str) and MASK in said[name]:
            faults.append(Fault(field=name, message="has asterisks for a secret; enter it, or leave it out"))
    url = result.get("url")
    moved = isinstance(url, str) and origin_of(url) != origin_of(before.url)
    if moved and "secret" in stays and not printable("secret", before.secret):
        faults.append(Fault(field="secret", message="does not follow to another url; enter it again"))
    if faults:
        raise BadInput(faults)
    return result


def _replaced(ask: Ask[Any, Any], before: records.Alert | None, body: dict[str, Any]) -> Answer:
    given = body.get("id", ask.path["id"])
    if given != ask.path["id"]:
        raise BadInput([Fault(field="id", message=f"is {given!r}; an alert's id cannot change")])
    alert = _parsed(ask, ask.path["id"], body, before)
    try:
        stored = _saved(ask).replace(alert, revision_of(ask.if_match))
    except StaleRevision as error:
        raise _stale(ask, error) from None
    _note(ask, before, stored)
    return _told(ask, stored)


def _note(ask: Ask[Any, Any], before: records.Alert | None, after: records.Alert | None) -> None:
    """Say for the audit what became of an alert: a secret that is another one now is only called changed."""
    old, new = _trace(before), _trace(after)
    if before and after and old and new:
        for name in SECRETS:
            if name in new and old.get(name) == new[name] and getattr(before, name) != getattr(after, name):
                new[name] = "changed"
    ask.note(old, new, subject=f"alerts/{after.id}" if after else "")


def _trace(alert: records.Alert | None) -> dict[str, Any] | None:
    if alert is None:
        return None
    hidden = {name: text for name in SECRETS if (text := shown(alert, name)) is not None}
    return alert_document(alert, hidden)


def _stale(ask: Ask[Any, Any], error: StaleRevision) -> Stale:
    try:
        current = shapes(ask.context, [_saved(ask).get(ask.path["id"])])[0].model_dump(mode="json", fallback=str)
    except Unreadable:
        current = {"id": ask.path["id"], "revision": error.current}
    return Stale(str(error), current)
