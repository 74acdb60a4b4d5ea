"""What must be true of a program that was told to stop and has ended, whatever it was doing."""

from __future__ import annotations

import socket
from typing import Any

from tests.journeys.moments import GONE, Scene
from tests.program import Program

# What it says where its time is up. All that is promised is done then; the instance is forgotten by itself.
LEFT_BEHIND = "not everything ended in time"


def check_end(scene: Scene, one: Program) -> None:
    """No process is left, the port is free, runs are handed back, the lease is released, the instance has left."""
    assert one.processes() == []
    with socket.create_server(("127.0.0.1", one.port)):
        pass
    for run_id in scene.runs:
        check_handed_back(scene.run(run_id))
    lease = scene.store.leases.current()
    assert lease is None or lease["holder"] is None, f"the lease is still held:\n{one.output}"
    assert {term["how"] for term in scene.store.database["lease_terms"].find()} <= {"released"}
    assert LEFT_BEHIND in one.output or scene.store.instances.list() == []


def check_handed_back(run: dict[str, Any]) -> None:
    """Finished, or queued with no attempt spent by the stop; or never ours."""
    if run["claim"]["instance"] == GONE:
        return
    if run["finished_at"] is not None:
        assert run["state"] == "succeeded", run["error"] or run["reason"]
        return
    assert run["state"] == "queued"
    assert run["claim"]["instance"] is None
    outcomes = [attempt["outcome"] for attempt in run["attempts"]]
    assert run["attempt"] == len([outcome for outcome in outcomes if outcome != "interrupted"])
    assert {stream["state"] for stream in run["progress"].values()} <= {"pending", "succeeded"}
