"""`alerts`: what is told to whom, the URL and the signing secret sealed; and how far the sending of each has got.

A save by a person never touches a sending that is under way, and lets a mended alert be tried at once. It sends
nothing: `worker.messenger` does. All times are the server's.
"""

from __future__ import annotations

import builtins
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from worker.alert import SECRETS, Alert, Format
from worker.errors import Conflict, NotFound, Permanent, StaleRevision, Unreadable
from worker.store.alert_events import count_by_alert
from worker.store.client import Document, guarded
from worker.vault import Vault

SEALED = "sealed"
# What a save by a person sets back: whatever was wrong may be mended now.
_UNTRIED: Document = {"tries": 0, "not_before": None, "last_error": None, "last_error_at": None}
# The sender's own fields, as an alert is born.
_UNSENT: Document = {"sending": None, "quiet_until": None, "last_sent_at": None}

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Watching:
    """Enabled alerts, each with when it was made or enabled again; what happened before is not told.

    `broken`: id -> why a document cannot be read.
    """

    alerts: tuple[tuple[Alert, datetime], ...]
    broken: dict[str, str]


@guarded
class Alerts:
    def __init__(self, database: Database[Document], vault: Vault) -> None:
        self._alerts = database["alerts"]
        self._events = database["alert_events"]
        self._vault = vault

    # What people save.

    def find(self, alert_id: str) -> Alert | None:
        document = self._alerts.find_one({"_id": alert_id})
        return self._open(document) if document else None

    def get(self, alert_id: str) -> Alert:
        alert = self.find(alert_id)
        if alert is None:
            raise NotFound(f"there is no alert {alert_id!r}")
        return alert

    def list(self) -> builtins.list[Alert]:
        """Those that can be read, by id."""
        found = []
        for document in self._alerts.find().sort("_id", 1):
            try:
                found.append(self._open(document))
            except Unreadable as error:
                log.warning("%s", error)
        return found

    def owner(self, alert_id: str) -> str | None:
        """The file that an alert belongs to, even of one that cannot be read. Raises NotFound."""
        document = self._alerts.find_one({"_id": alert_id}, {"owner": 1})
        if document is None:
            raise NotFound(f"there is no alert {alert_id!r}")
        return document.get("owner")

    def insert(self, alert: Alert) -> Alert:
        """Save a new alert; Conflict where its id is taken."""
        stamp = {"created_at": "$$NOW", "updated_at": "$$NOW", "enabled_at": "$$NOW", "revision": 1}
        change = self._seal(alert) | stamp | _UNTRIED | _UNSENT
        try:  # no stored alert has revision 0
            self._alerts.update_one({"_id": alert.id, "revision": 0}, [{"$set": change}], upsert=True)
        except DuplicateKeyError:
            raise Conflict(f"alert {alert.id!r} exists already") from None
        saved = self.get(alert.id)
        # Of another alert of that id, whose deletion was cut off: they would keep this one from telling the same.
        self._events.delete_many({"alert": alert.id, "at": {"$lt": saved.created_at}})
        return saved

    def replace(self, alert: Alert, revision: int | None = None) -> Alert:
        """Save a changed alert. Raises NotFound, or StaleRevision where `revision` is not the current one."""
        enabled_at = {"$cond": [{"$eq": ["$enabled", True]}, {"$ifNull": ["$enabled_at", "$$NOW"]}, "$$NOW"]}
        stamp: Document = {"updated_at": "$$NOW", "revision": {"$add": ["$revision", 1]}, "enabled_at": enabled_at}
        after = self._alerts.find_one_and_update(
            _at(alert.id, revision),
            [{"$set": self._seal(alert) | stamp | _UNTRIED}],
            return_document=ReturnDocument.AFTER,
        )
        if after is None:
            self._refuse(alert.id)
        assert after is not None
        return self._open(after)

    def delete(self, alert_id: str, revision: int | None = None) -> None:
        """Delete an alert with all that it told or was about to tell. Raises NotFound, StaleRevision."""
        if self._alerts.delete_one(_at(alert_id, revision)).deleted_count == 0:
            self._refuse(alert_id)
        self._events.delete_many({"alert": alert_id})

    def let_go(self, alert_id: str, revision: int | None = None) -> None:
        """The alert belongs to no file from now on; nothing else of it is touched. Raises NotFound, StaleRevision."""
        change = {"owner": None, "updated_at": "$$NOW", "revision": {"$add": ["$revision", 1]}}
        if self._alerts.update_one(_at(alert_id, revision), [{"$set": change}]).matched_count == 0:
            self._refuse(alert_id)

    def states(self) -> dict[str, Document]:
        """Alert id -> {waiting, given_up, last_sent_at, last_error, last_error_at, not_before, tries} of each."""
        counts = count_by_alert(self._events)
        fields = dict.fromkeys(("last_sent_at", "last_error", "last_error_at", "not_before", "tries"), 1)
        found = {}
        for document in self._alerts.find({}, fields):
            alert_id = document.pop("_id")
            said = {name: document.get(name) for name in fields} | {"tries": document.get("tries") or 0}
            found[alert_id] = said | counts.get(alert_id, {"waiting": 0, "given_up": 0})
        return found

    # What the evaluator needs.

    def watching(self) -> Watching:
        """The enabled ones; none where there are none, in one look."""
        found, broken = [], {}
        for document in self._alerts.find({"enabled": True}).sort("_id", 1):
            try:
                alert = self._open(document)
                since = document.get("enabled_at") or document["created_at"]
                if not isinstance(since, datetime):
                    raise Unreadable(f"alert {alert.id!r} cannot be read: enabled_at is no time")
                found.append((alert, since))
            except Unreadable as error:
                broken[str(document["_id"])] = str(error)
        return Watching(alerts=tuple(found), broken=broken)

    # What the sender needs.

    def claim(self, alert_ids: Sequence[str], instance: str, seconds: float) -> Document | None:
        """One of these that is enabled, whose time has come and that nobody sends: ours for so long; None: none is.

        As it is stored; `opened` makes an alert of it. What was tried least goes first.
        """
        change = {"sending": {"instance": {"$literal": instance}, "until": {"$add": ["$$NOW", round(seconds * 1000)]}}}
        free = [_passed("$not_before"), _passed("$quiet_until"), _passed("$sending.until")]
        return self._alerts.find_one_and_update(
            {"_id": {"$in": builtins.list(alert_ids)}, "enabled": True, "$expr": {"$and": free}},
            [{"$set": change}],
            sort=[("tries", 1), ("_id", 1)],
            return_document=ReturnDocument.AFTER,
        )

    def opened(self, document: Document) -> Alert:
        """The alert that a claim answered. Raises Unreadable."""
        return self._open(document)

    def delivered(self, alert_id: str, instance: str, quiet: float) -> None:
        """A message arrived; so many seconds shall pass before the next, which gathers what comes meanwhile."""
        change = {"last_sent_at": "$$NOW", "quiet_until": {"$add": ["$$NOW", round(quiet * 1000)]}, **_UNTRIED}
        self._alerts.update_one(_ours(alert_id, instance), [{"$set": change}])

    def failed(self, alert_id: str, instance: str, why: str, delay: float, revision: int) -> None:
        """A message did not arrive: try again in so many seconds, or at once where a person saved it meanwhile."""
        change = {
            "tries": {"$add": [{"$ifNull": ["$tries", 0]}, 1]},
            "not_before": {"$add": ["$$NOW", round(delay * 1000)]},
            "last_error": {"$literal": why},
            "last_error_at": "$$NOW",
        }
        self._alerts.update_one(_ours(alert_id, instance) | {"revision": revision}, [{"$set": change}])

    def free(self, alert_id: str, instance: str) -> None:
        """Nobody sends it any more, if it was us."""
        self._alerts.update_one(_ours(alert_id, instance), {"$set": {"sending": None}})

    # As it is stored.

    def _refuse(self, alert_id: str) -> None:
        current = self._alerts.find_one({"_id": alert_id}, {"revision": 1})
        if current is None:
            raise NotFound(f"there is no alert {alert_id!r}")
        revision = current.get("revision", 0)
        raise StaleRevision(f"alert {alert_id!r} was changed meanwhile; its revision is {revision}", current=revision)

    def _seal(self, alert: Alert) -> Document:
        """`$set` values, each a literal: what a person typed is never an expression."""
        said: Document = {
            "format": str(alert.format),
            "jobs": None if alert.jobs is None else builtins.list(alert.jobs),
            "failures": alert.failures,
            "recovery": alert.recovery,
            "held": alert.held,
            "stale": alert.stale,
            "enabled": alert.enabled,
            "owner": alert.owner,
        }
        for name, value in (("url", alert.url), ("secret", alert.secret)):
            plain = value is None or name in alert.unreadable
            said[name] = None if plain else {SEALED: self._vault.seal(str(value), context=context(alert.id, name))}
        return {name: {"$literal": value} for name, value in said.items() if name not in alert.unreadable}

    def _open(self, document: Document) -> Alert:
        """Raises Unreadable where it is not what was stored."""
        try:
            return self._opened(document)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            message = f"alert {document['_id']!r} cannot be read, its document was changed by hand: {what}"
            raise Unreadable(f"{message}; save the alert anew, or delete it") from error

    def _opened(self, document: Document) -> Alert:
        plain: dict[str, str | None] = {}
        unreadable = []
        for name in SECRETS:
            plain[name] = None
            if document[name] is not None:
                try:
                    plain[name] = self._vault.open(document[name][SEALED], context=context(document["_id"], name))
                except Permanent:
                    unreadable.append(name)
        return Alert(
            id=document["_id"],
            url=plain["url"] or "",
            format=Format(document["format"]),
            secret=plain["secret"],
            jobs=_names(document["jobs"]),
            failures=_checked(document, "failures", int),
            recovery=bool(document["recovery"]),
            held=bool(document["held"]),
            stale=_checked(document, "stale", int, float),
            enabled=bool(document["enabled"]),
            unreadable=tuple(unreadable),
            owner=document["owner"],
            created_at=_checked(document, "created_at", datetime),
            updated_at=_checked(document, "updated_at", datetime),
            revision=_checked(document, "revision", int) or 0,
        )


def context(alert_id: str, field: str) -> str:
    return f"alerts/{alert_id}/{field}"


def _at(alert_id: str, revision: int | None) -> Document:
    return {"_id": alert_id} | ({} if revision is None else {"revision": revision})


def _ours(alert_id: str, instance: str) -> Document:
    return {"_id": alert_id, "sending.instance": instance}


def _passed(field: str) -> Document:
    """An aggregation expression: the moment has come, or there is none."""
    return {"$lte": [{"$ifNull": [field, "$$NOW"]}, "$$NOW"]}


def _names(value: Any) -> tuple[str, ...] | None:
    if value is not None and not (isinstance(value, builtins.list) and all(isinstance(one, str) for one in value)):
        raise ValueError("jobs is no list of ids")
    return None if value is None else tuple(value)


def _checked(document: Document, name: str, *kinds: type) -> Any:
    value = document[name]
    if value is not None and (isinstance(value, bool) or not isinstance(value, kinds)):
        raise ValueError(f"{name} is {value!r}")
    return value
