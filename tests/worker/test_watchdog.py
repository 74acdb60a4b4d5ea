"""What the watchdog finds in a real database, what it mends, and that it tells each thing once."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Any

import pytest

from tests.waiting import until
from worker import main
from worker.alert import Alert
from worker.alert import Kind as AlertKind
from worker.finding import Finding, Kind
from worker.job import Job, Schedule, StreamSpec
from worker.lease import Lease
from worker.main import Worker
from worker.rescuer import Rescuer
from worker.run import RunState, Trigger
from worker.settings import WorkerSettings
from worker.store import Store
from worker.store.alert_events import new_event
from worker.store.client import Document
from worker.store.runs import new_run
from worker.vault import Vault
from worker.watchdog import Watchdog, findings

pytestmark = pytest.mark.own_database

KEY = "a key for the tests"


class Scene:
    """A database in which time passes by setting what is stored back."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lease = Lease(store.leases, instance="here", host="h", ttl=15, gained=lambda: None)
        self.watchdog = Watchdog(store, rescue=Rescuer(store).turn)

    def led(self) -> None:
        self.instance()
        self.lease.turn()

    def instance(
        self, name: str = "here", *, mode: str = "worker", slots: int = 4, active: tuple[str, ...] = ()
    ) -> None:
        facts = {"host": "h", "pid": 7, "version": "1", "mode": mode, "slots": slots}
        self.store.instances.beat(name, facts, active)

    def job(self, job_id: str = "orders", *, due: float = 3600.0) -> Job:
        """A job that fires every hour, next `due` seconds from now."""
        streams = (StreamSpec(name="orders"),)
        at = self.store.now() + timedelta(seconds=due)
        schedule = Schedule(every=3600)
        made = Job(id=job_id, source="a", destination="b", streams=streams, schedule=schedule, next_fire_time=at)
        return self.store.jobs.insert(made)

    def run(self, job_id: str = "orders") -> Document:
        return self.store.runs.create(job_id, Trigger.MANUAL)

    def ago(self, collection: str, field: str, seconds: float) -> None:
        """Let `field` of all documents lie `seconds` back."""
        moment = self.store.now() - timedelta(seconds=seconds)
        self.store.database[collection].update_many({}, {"$set": {field: moment}})

    def change(self, collection: str, change: dict[str, Any]) -> None:
        self.store.database[collection].update_many({}, {"$set": change})

    def found(self) -> list[tuple[str, str]]:
        return [(str(finding.kind), finding.subject) for finding in findings(self.store)]

    def one(self) -> Finding:
        (finding,) = findings(self.store)
        return finding


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)


def test_nothing_is_found_where_all_is_well(scene: Scene) -> None:
    scene.led()
    scene.job()
    scene.job("due", due=-30)
    scene.run()
    assert scene.found() == []


def test_a_job_that_nobody_planned_for_a_minute_is_late(scene: Scene) -> None:
    scene.led()
    scene.job(due=-90)
    finding = scene.one()
    assert (finding.kind, finding.subject) == (Kind.LATE_JOB, "orders")
    assert "was due 1m30s ago" in finding.message and "instance h, pid 7 leads (term 1)" in finding.message


def test_a_late_job_says_where_nobody_leads(scene: Scene) -> None:
    scene.job(due=-90)
    assert scene.one().message.endswith("no instance runs")


def test_a_disabled_job_is_never_late(scene: Scene) -> None:
    scene.led()
    scene.job(due=-90)
    scene.change("jobs", {"enabled": False})
    assert scene.found() == []


def test_a_job_without_a_next_fire_time_is_given_one(scene: Scene) -> None:
    scene.led()
    job = scene.job()
    scene.change("jobs", {"next_fire_time": None})
    assert scene.found() == [("unplanned_job", "orders")]
    scene.watchdog.turn()
    assert scene.found() == [] and scene.store.jobs.get("orders").next_fire_time is not None
    assert scene.store.jobs.get("orders").revision == job.revision, "no person changed it"


def test_a_job_is_planned_anew_from_its_last_fire_time_so_that_none_is_lost(scene: Scene) -> None:
    scene.led()
    scene.job()
    scene.ago("jobs", "updated_at", 10 * 3600)
    hour = scene.store.now().replace(minute=0, second=0, microsecond=0)
    last = hour - timedelta(hours=3)
    missed = new_run("orders", Trigger.SCHEDULE, state=RunState.MISSED, sequence=1, queued_at=hour, fire_time=last)
    scene.store.runs.insert_planned([missed])
    scene.change("jobs", {"next_fire_time": None})
    scene.watchdog.turn()
    assert scene.store.jobs.get("orders").next_fire_time == hour - timedelta(hours=2)


def test_a_job_by_hand_only_needs_no_next_fire_time(scene: Scene) -> None:
    scene.led()
    scene.job()
    scene.change("jobs", {"next_fire_time": None, "schedule": None})
    assert scene.found() == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schedule": {"cron": "now and then"}}, "cron"),
        ({"schedule": {"cron": "0 0 * * *", "timezone": "Mars/Olympus"}}, "Mars/Olympus"),
        ({"schedule": {"every": "often"}}, "every is 'often'"),
        ({"streams": 7}, "changed by hand"),
    ],
)
@pytest.mark.parametrize("next_fire_time", [True, False], ids=["planned", "unplanned"])
def test_a_job_that_was_broken_by_hand_is_named_with_what_is_wrong(
    scene: Scene, change: dict[str, Any], why: str, next_fire_time: bool
) -> None:
    scene.led()
    scene.job(due=-10)
    scene.change("jobs", change if next_fire_time else change | {"next_fire_time": None})
    finding = scene.one()
    assert (finding.kind, finding.subject) == (Kind.UNREADABLE_JOB, "orders") and why in finding.message
    scene.watchdog.turn()
    assert scene.one().kind is Kind.UNREADABLE_JOB, "it cannot be mended by a machine"


def test_a_run_without_a_live_claim_is_found_and_rescued(scene: Scene) -> None:
    scene.led()
    scene.job()
    run = scene.run()
    scene.store.claims.claim("gone", 30)
    assert scene.found() == []
    scene.ago("runs", "claim.renewed_at", 40)
    scene.ago("runs", "claim.expires_at", 1)
    assert scene.found() == [], "the rescuer has it in hand"
    scene.ago("runs", "claim.expires_at", 10)
    assert scene.found() == [("unclaimed_run", run["_id"])]
    scene.watchdog.turn()
    assert scene.found() == [] and scene.store.runs.get(run["_id"])["state"] == "queued"


def test_a_run_whose_claim_has_no_end_is_found(scene: Scene) -> None:
    scene.led()
    scene.job()
    run = scene.run()
    scene.store.claims.claim("gone", 30)
    scene.change("runs", {"claim.expires_at": None})
    assert scene.found() == [("unclaimed_run", run["_id"])]


@pytest.mark.parametrize(
    ("instances", "why"),
    [
        ((), "no instance runs"),
        (((2, ("x", "y")),), "no instance has a free slot (2 runs are worked on)"),
        (((2, ("x",)), (4, ())), "although 5 of 6 slots are free"),
    ],
)
def test_runs_that_wait_for_a_minute_are_told_with_the_reason(
    scene: Scene, instances: tuple[tuple[int, tuple[str, ...]], ...], why: str
) -> None:
    for number, (slots, active) in enumerate(instances):
        scene.instance(f"i{number}", slots=slots, active=active)
    if instances:
        scene.lease.turn()
    for job_id in ("orders", "items"):
        scene.job(job_id)
        scene.run(job_id)
    assert scene.found() == []
    scene.ago("runs", "queued_at", 90)
    finding = scene.one()
    assert (finding.kind, finding.subject) == (Kind.WAITING_RUNS, "queue")
    assert finding.message.startswith("2 runs wait") and why in finding.message


def test_a_run_that_waits_for_its_retry_or_has_just_come_back_does_not_wait_for_a_slot(scene: Scene) -> None:
    scene.led()
    scene.job()
    scene.run()
    scene.ago("runs", "queued_at", 900)
    scene.ago("runs", "not_before", -5)
    assert scene.found() == []
    scene.change("runs", {"not_before": None, "attempts": [{"ended_at": scene.store.now()}]})
    assert scene.found() == []


def test_a_lease_that_nobody_takes_although_instances_run_is_found(scene: Scene) -> None:
    scene.led()
    scene.ago("leases", "renewed_at", 40)
    scene.ago("leases", "expires_at", 10)
    assert scene.found() == [], "an instance that has just started takes it in a moment"
    scene.ago("instances", "started_at", 60)
    finding = scene.one()
    assert finding.kind is Kind.NO_LEADER and "although 1 instance runs" in finding.message
    scene.lease.turn()
    assert scene.found() == []


def test_a_lease_that_was_never_taken_or_was_released_is_found(scene: Scene) -> None:
    scene.instance()
    scene.ago("instances", "started_at", 60)
    assert scene.found() == [("no_leader", "scheduler")]
    scene.lease.turn()
    scene.lease.release()
    assert scene.found() == [], "it was released a moment ago"
    scene.ago("leases", "renewed_at", 10)
    assert scene.found() == [("no_leader", "scheduler")]


def test_a_run_in_a_terminal_leads_nothing(scene: Scene) -> None:
    scene.instance(mode="run")
    scene.ago("instances", "started_at", 60)
    assert scene.found() == []


def test_an_instance_that_falls_silent_over_its_runs_is_found(scene: Scene) -> None:
    scene.job()
    run = scene.run()
    scene.store.claims.claim("silent", 300)
    scene.instance("silent", active=(run["_id"],))
    scene.ago("instances", "seen_at", 45)
    finding = scene.one()
    assert (finding.kind, finding.subject) == (Kind.SILENT_INSTANCE, "silent")
    assert run["_id"] in finding.message
    scene.change("runs", {"state": "queued"})
    assert scene.found() == [], "what it owned was rescued"


def test_an_alert_whose_messages_do_not_arrive_is_found(scene: Scene) -> None:
    scene.led()
    scene.store.alerts(Vault([KEY])).insert(Alert(id="chat", url="https://h/geheim"))
    event = new_event("chat", "orders", AlertKind.HELD, "r1", at=scene.store.now())
    scene.store.alert_events.add([event])
    failed = {"tries": 2, "last_error": "h answered 500"}
    scene.change("alerts", failed)
    assert scene.found() == [], "a receiver may restart"
    scene.change("alerts", failed | {"tries": 3})
    finding = scene.one()
    assert (finding.kind, finding.subject) == (Kind.UNDELIVERED_ALERT, "chat")
    assert finding.message == "messages of alert chat do not arrive, 1 event waits: h answered 500"
    scene.change("alerts", {"enabled": False})
    assert scene.found() == [], "nobody expects any"
    scene.change("alerts", {"enabled": True})
    scene.change("alert_events", {"state": "given_up"})
    assert scene.found() == [], "nothing waits any more"


def test_many_of_a_kind_are_counted(scene: Scene) -> None:
    scene.led()
    for number in range(25):
        scene.job(f"j{number:02}", due=-90)
    found = findings(scene.store)
    assert len(found) == 21 and found[-1].message == "5 more like these"


def test_each_finding_is_told_once_and_once_when_it_is_gone(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scene.led()
    scene.job(due=-90)
    for _ in range(3):
        scene.watchdog.turn()
    scene.change("jobs", {"enabled": False})
    for _ in range(2):
        scene.watchdog.turn()
    told = [(record.levelname, record.message[:24]) for record in caplog.records if "watchdog" in record.message]
    assert told == [("WARNING", "watchdog: job 'orders' w"), ("INFO", "watchdog: over: job 'ord")]


def test_an_instance_that_is_not_fit_resigns_and_leaves_the_lease_to_another(scene: Scene) -> None:
    scene.led()
    other = Lease(scene.store.leases, instance="there", host="h", ttl=15, gained=lambda: None)
    scene.lease.unfit = lambda: "its scheduler is stuck"
    scene.lease.turn()
    scene.lease.turn()
    assert scene.lease.holding() is None
    other.turn()
    assert other.holding() is not None
    how = [term["how"] for term in scene.store.leases.terms()]
    assert how == [None, "released"]


def test_an_instance_whose_scheduler_is_stuck_resigns_by_itself(
    store: Store, mongo_url: str, mongo_database: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "STUCK", 1.0)
    stuck, release = threading.Event(), threading.Event()

    def hang(scheduler: object) -> float:
        stuck.set()
        release.wait(60)
        return 0.1

    monkeypatch.setattr("worker.scheduler.Scheduler.turn", hang)
    settings = WorkerSettings(
        production=False, mongo_url=mongo_url, mongo_database=mongo_database, data_dir=tmp_path, lease_ttl=1.0
    )
    worker = Worker(settings, store, Vault([KEY]), mongo_url, mode="worker")
    worker.start()
    try:
        assert stuck.wait(20)
        until(lambda: any(term["how"] == "released" for term in store.leases.terms()), "the instance resigned")
        lease = store.leases.current()
        assert lease is not None and not lease["live"], "and it does not come back while it is stuck"
        release.set()
        until(worker.lease.holding, "it leads again when its scheduler turns")
    finally:
        release.set()
        worker.stop(0.1, threading.Event())
