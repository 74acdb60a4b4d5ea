"""An outbox, and messengers that look into it when a test says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.worker.watch_post import VAULT
from worker.alert import Alert, Kind
from worker.messenger import Messenger
from worker.networks import Networks, parsed
from worker.store import Store
from worker.store.alert_events import new_event

LOOPBACK = Networks(allowed=parsed("127.0.0.0/8"))
HOUR = timedelta(hours=1)


class Office:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.alerts = store.alerts(VAULT)
        self.messenger = self.another("here")

    def another(self, instance: str, store: Store | None = None, **more: Any) -> Messenger:
        given: dict[str, Any] = {"networks": LOOPBACK, "public_url": "https://sync.example.com", "env": {}} | more
        return Messenger(store or self.store, VAULT, instance=instance, **given)

    def alert(self, url: str, alert_id: str = "chat", **more: Any) -> Alert:
        return self.alerts.insert(Alert(id=alert_id, url=url, **more))

    def event(self, job: str = "orders", alert: str = "chat", *, ago: timedelta = timedelta()) -> str:
        at = self.store.now() - ago
        event = new_event(alert, job, Kind.FAILING, "r", at=at, run_id="r", text=f"{job} failed", failures=1)
        self.store.alert_events.add([event])
        return str(event["_id"])

    def send(self, one: Messenger | None = None) -> None:
        one = one or self.messenger
        one.turn()
        assert one.idle(20)

    def hurry(self) -> None:
        """All delays are over."""
        past = self.store.now() - HOUR
        self.store.database["alerts"].update_many({}, {"$set": {"not_before": past}})

    def state(self, alert_id: str = "chat") -> dict[str, Any]:
        return self.alerts.states()[alert_id]

    def states(self, alert: str = "chat") -> list[str]:
        return [event["state"] for event in self.store.alert_events.page(alert, 10_000)[0]]
