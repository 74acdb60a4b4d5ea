"""Events that wait are sent, many in one message, until each is: on any instance, at least once.

An alert is claimed for a time, so that one instance sends it; what waits is gathered under an id that every repeat of
the message keeps. A message that does not arrive is tried again, ever more rarely, and given up a day after what it
tells. Each alert has a thread of its own while it is sent: a receiver that hangs holds up no other.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import uuid
from collections.abc import Mapping
from datetime import timedelta

from worker import clock, metrics, webhook
from worker.alert import Alert
from worker.alert_words import Links
from worker.errors import StoreUnavailable, SyncworkerError
from worker.networks import Networks
from worker.redaction import shortened
from worker.store import Store
from worker.store.client import Document
from worker.vault import Vault
from worker.webhook import Tried

log = logging.getLogger(__name__)

POLL = 1.0
# Alerts that are sent at once by one instance.
AT_ONCE = 8
MOST_EVENTS = 100
# A message takes `webhook.MOST_SECONDS` at most, and the look-up of a name before it.
CLAIM_SECONDS = 60.0
MESSAGES_A_CLAIM = 4
# After a message, what happens is gathered for so long: the jobs of one hour fail within seconds of each other.
QUIET_SECONDS = 5.0
DELAYS = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0)
GIVEN_UP_AFTER = timedelta(hours=24)
# Answers that mean this message and no other: after so many of them it is given up, or it would hold up all behind it.
REFUSALS = frozenset({400, 413, 422})
MOST_REFUSALS = 8
SWEEP_EVERY = 60.0


class Messenger:
    """Driven by `turn()`, on every instance. `env`: what the references of alerts are filled from."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        *,
        instance: str,
        networks: Networks,
        public_url: str | None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._store = store
        self._alerts = store.alerts(vault)
        self._instance = instance
        self._networks = networks
        self._links = Links(base=public_url)
        self._env = os.environ if env is None else env
        self._sending: dict[str, threading.Thread] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._sweep_due = 0.0

    def turn(self) -> float:
        """Begin to send what waits; the seconds until the next look."""
        if clock.monotonic() >= self._sweep_due:
            self._give_up()
            self._sweep_due = clock.monotonic() + SWEEP_EVERY
        with self._changed:
            busy = set(self._sending)
        waiting = [alert_id for alert_id in self._store.alert_events.alerts_waiting() if alert_id not in busy]
        while waiting and len(busy) < AT_ONCE and not self._stopping:
            document = self._alerts.claim(waiting, self._instance, CLAIM_SECONDS)
            if document is None:
                break
            waiting.remove(document["_id"])
            busy.add(document["_id"])
            self._begin(document)
        return POLL

    def stop(self, timeout: float) -> None:
        """Begin nothing more, and let what is on its way arrive, for so long; what does not is sent again."""
        until = clock.monotonic() + timeout
        with self._changed:
            self._stopping = True
            self._changed.wait_for(lambda: not self._sending, max(0.0, until - clock.monotonic()))

    def idle(self, timeout: float) -> bool:
        """Wait until nothing is on its way; False where something still is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._sending, timeout)

    def _begin(self, document: Document) -> None:
        thread = threading.Thread(target=self._deliver, args=(document,), name="message", daemon=True)
        with self._changed:
            self._sending[document["_id"]] = thread
        thread.start()

    def _deliver(self, document: Document) -> None:
        """The messages of one claim, on a thread of their own; whatever happens to it, the claim expires."""
        alert_id = document["_id"]
        try:
            for _ in range(MESSAGES_A_CLAIM):
                if self._stopping or not self._send_one(document):
                    break
            self._alerts.free(alert_id, self._instance)
        except StoreUnavailable as error:
            log.warning("alert %s: %s; what was sent may be sent again", alert_id, error)
        except Exception:
            if not self._stopping:
                log.exception("alert %s: the sending broke off; it is tried again", alert_id)
        finally:
            with self._changed:
                self._sending.pop(alert_id, None)
                self._changed.notify_all()

    def _send_one(self, document: Document) -> bool:
        """Send the next message of a claimed alert; True where it arrived and another waits."""
        alert_id = document["_id"]
        events = self._store.alert_events.gather(alert_id, f"msg_{uuid.uuid4().hex}", MOST_EVENTS)
        if not events:
            return False
        group = events[0]["group"]
        tried = self._try(document, group, events)
        metrics.COUNTERS.count(metrics.ALERT_MESSAGES, result="sent" if tried.ok else "failed")
        if tried.ok:
            full = len(events) >= MOST_EVENTS
            self._store.alert_events.sent(group)
            self._alerts.delivered(alert_id, self._instance, 0.0 if full else QUIET_SECONDS)
            log.info("alert %s: told of %s, %s", alert_id, _counted(len(events)), tried.message)
            return full
        tries = document.get("tries") or 0
        delay = tried.retry_after or delay_after(tries)
        self._store.alert_events.unsent(group)
        self._alerts.failed(alert_id, self._instance, tried.message, delay, document.get("revision", 0))
        if tried.status in REFUSALS and events[0]["tries"] + 1 >= MOST_REFUSALS:
            note = f"given up after {events[0]['tries'] + 1} tries: {tried.message}"
            self._store.alert_events.give_up_message(group, note)
            log.error("alert %s: %s: %s", alert_id, _counted(len(events)), note)
            return False
        level = logging.WARNING if tries == 0 else logging.INFO
        log.log(level, "alert %s: %s; trying again in %.0f s", alert_id, tried.message, delay)
        return False

    def _try(self, document: Document, group: str, events: list[Document]) -> Tried:
        try:
            alert = webhook.resolve(self._alerts.opened(document), self._env)
            body = webhook.message(alert, events, self._links, self._store.now())
        except StoreUnavailable:
            raise
        except Exception as error:  # a reference without a value, a document broken by hand: said, and tried again
            return _not_sent(error)
        return webhook.send(alert, group, body, self._networks)

    def _give_up(self) -> None:
        now = self._store.now()
        states = None
        for alert_id in self._store.alert_events.overdue(GIVEN_UP_AFTER, now):
            states = states or self._alerts.states()
            why = (states.get(alert_id) or {}).get("last_error") or "the alert was off, or no instance could send it"
            note = f"given up after {GIVEN_UP_AFTER // timedelta(hours=1)} hours: {why}"
            count = self._store.alert_events.give_up(alert_id, GIVEN_UP_AFTER, now, note)
            log.error("alert %s: %s: %s", alert_id, _counted(count), note)


def _counted(events: int) -> str:
    return "1 event" if events == 1 else f"{events:,} events"


def delay_after(tries: int) -> float:
    """Seconds until the next try after so many that failed before this one, give or take a tenth."""
    return DELAYS[min(tries, len(DELAYS) - 1)] * random.uniform(0.9, 1.1)


def try_alert(alert: Alert, networks: Networks, public_url: str | None, env: Mapping[str, str] | None = None) -> Tried:
    """Send a test by the way of every message, now and once; nothing is kept of it. Never raises."""
    try:
        ready = webhook.resolve(alert, os.environ if env is None else env)
        body = webhook.message(ready, [], Links(base=public_url), clock.wall())
    except SyncworkerError as error:
        return _not_sent(error)
    return webhook.send(ready, f"msg_{uuid.uuid4().hex}", body, networks)


def _not_sent(error: Exception) -> Tried:
    text = str(error) if isinstance(error, SyncworkerError) else f"{type(error).__name__}: {error}"
    return Tried(ok=False, status=None, ms=0, message=shortened(text, webhook.MOST_MESSAGE))
