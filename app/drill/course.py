"""The course of a drill: start three instances, deal the blows one by one, then quiet, then the end.

It notes what it did and when (by the database's clock), tells it line by line, and judges nothing.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from app.drill import promises
from app.drill.ground import SYNC_ROWS, Ground
from app.drill.instances import CLAIM_TTL, END_SLACK, GRACE, LEASE_TTL, Instance, Instances
from app.drill.promises import Document
from worker import clock
from worker.errors import Stopped, StoreUnavailable, SyncworkerError
from worker.run import FINAL, RunState

COUNT = 3
SLACK = 2.0
TAKEOVER, HANDOVER, RESCUE = LEASE_TTL + SLACK, 1.0, CLAIM_TTL + SLACK
FROZEN = 2.5 * LEASE_TTL
LOOK = 0.05
STARTING, WAITING, WAKING = 60.0, 20.0, 10.0
# How long the quiet may take beyond the slowest job's interval, a large sync included.
QUIET = 60.0

T = TypeVar("T")


class Kind(StrEnum):
    KILL = "kill"
    SYNC = "kill in the middle of a sync"
    FREEZE = "freeze"
    STOP = "stop"


@dataclass(frozen=True, kw_only=True)
class Blow:
    """`at` on the server's clock, just before it; `token` where the victim held the lease.

    `ended`: exit code of one told to stop, None where it did not end in time. `before`: all runs when it was woken.
    """

    kind: Kind
    at: datetime
    pid: int
    instance: str
    token: int | None
    run: str | None = None
    woken_at: datetime | None = None
    ended: int | None = None
    before: Sequence[Document] = ()


@dataclass
class Course:
    """`say` takes a line of what happens; `stop` breaks it off with Stopped. No blow is begun after `seconds`."""

    ground: Ground
    instances: Instances
    say: Callable[[str], None]
    stop: threading.Event
    seconds: float
    blows: list[Blow] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    codes: dict[int, int | None] = field(default_factory=dict)

    def go(self) -> None:
        """All of it. Raises Stopped, StoreUnavailable, InstanceFailed."""
        self._begin()
        ends = clock.monotonic() + self.seconds
        while clock.monotonic() < ends:
            for blow in (self._kill, self._strike_sync, self._freeze, self._stop):
                if clock.monotonic() < ends:
                    blow()
        self._quiet()
        self._end()

    def _begin(self) -> None:
        self._add(COUNT)
        holder = self._holder()
        pids = ", ".join(str(one.pid) for one in self.instances.alive)
        self.ground.tick()
        self._until(lambda: self._succeeded() >= COUNT, STARTING)
        jobs = len(list(self.ground.ticking))
        self.say(
            f"{COUNT} instances run (pids {pids}), pid {holder.pid} leads (token {self._token()}); {jobs} jobs fire"
        )

    # The blows.

    def _kill(self) -> None:
        holder = self._holder()
        blow = self._deal(Kind.KILL, holder, signal.SIGKILL)
        self.say(f"killed the holder (pid {holder.pid}, token {blow.token}) with -9; {self._another_leads(blow)}")
        self._add(1)

    def _strike_sync(self) -> None:
        run_id = self.ground.sync()
        job = self.ground.syncs[-1]
        victim = self._until(lambda: self._at_work(run_id, job), WAITING)
        if victim is None:
            self.say(f"{job} was not caught in the middle, so nobody was killed")
            return
        blow = self._deal(Kind.SYNC, victim, signal.SIGKILL, run=run_id)
        arrived = self.ground.written(job)
        self.say(f"killed pid {victim.pid} in the middle of a sync ({arrived:,} of {SYNC_ROWS:,} rows had arrived)")
        if blow.token is not None:
            self.say(f"it led, too (token {blow.token}); {self._another_leads(blow)}")
        rescue = self._until(lambda: self._rescued(blow), WAITING)
        after = (
            f"another went on with the sync {rescue:.1f} s" if rescue is not None else "nobody went on with the sync"
        )
        self.say(f"{after} after the blow (promised: {RESCUE:g} s)")
        self._add(1)

    def _freeze(self) -> None:
        holder = self._holder()
        begun = clock.monotonic()
        blow = self._deal(Kind.FREEZE, holder, signal.SIGSTOP)
        self.say(f"froze the holder (pid {holder.pid}, token {blow.token}); {self._another_leads(blow)}")
        self._until(lambda: clock.monotonic() - begun >= FROZEN, FROZEN + SLACK)
        before = self.ground.all_documents("runs")
        woken_at = self.ground.store.now()
        self.blows[-1] = replace(blow, before=before, woken_at=woken_at)
        holder.child.signal(signal.SIGCONT)
        slept = clock.monotonic() - begun
        holder.struck = False
        back = self._until(lambda: self._is_back(holder, woken_at), WAKING)
        how = "it stands by" if back else "it does not come back"
        self.say(f"woke pid {holder.pid} after {slept:.1f} s, {slept / LEASE_TTL:.1f} times the lease; {how}")
        if not back:
            self.stuck.append(f"pid {holder.pid} was woken, and gave no sign of life within {WAKING:g} s")

    def _stop(self) -> None:
        holder = self._holder()
        begun = clock.monotonic()
        blow = self._deal(Kind.STOP, holder, signal.SIGTERM)
        self.say(f"told the holder to stop (pid {holder.pid}, token {blow.token}); {self._another_leads(blow)}")
        code = self._until(lambda: _answer(holder.child.poll()), GRACE + END_SLACK)
        self.blows[-1] = replace(blow, ended=code[0] if code else None)
        took = (
            f"it ended with exit code {code[0]} after {clock.monotonic() - begun:.1f} s" if code else "it did not end"
        )
        self.say(f"{took} (promised: 0 within {GRACE + END_SLACK:g} s)")
        self._add(1)

    def _deal(self, kind: Kind, victim: Instance, number: int, run: str | None = None) -> Blow:
        lease = self.ground.store.leases.current()
        token = lease["token"] if lease and lease["instance"] == victim.id and lease["holder"] else None
        at = self.ground.store.now()
        victim.struck = True
        victim.child.signal(number)
        blow = Blow(kind=kind, at=at, pid=victim.pid, instance=victim.id, token=token, run=run)
        self.blows.append(blow)
        return blow

    def _another_leads(self, blow: Blow) -> str:
        """Wait for it, and say it."""
        promised = HANDOVER if blow.kind is Kind.STOP else TAKEOVER
        token = blow.token
        if token is None:
            return "it had lost the lease a moment before"
        seconds = self._until(lambda: self._taken_over(token, blow.at), WAITING)
        if seconds is None:
            return f"nobody led after it for {WAITING:g} s (promised: {promised:g} s)"
        return f"another led {seconds:.1f} s later (promised: {promised:g} s)"

    # The end.

    def _quiet(self) -> None:
        since = self.ground.store.now()
        self.say("quiet: no more blows, all jobs must go on")
        waiting: list[str] = []

        def calm() -> bool:
            waiting[:] = self._not_yet(since)
            return not waiting

        if not self._until(calm, self.ground.slowest + QUIET):
            self.stuck += [f"{job} did not succeed again within {QUIET:g} s of quiet" for job in waiting]

    def _end(self) -> None:
        self.instances.look()
        self.codes = self.instances.stop()
        good = sum(code == 0 for code in self.codes.values())
        self.say(f"told all {len(self.codes)} to stop; {good} ended with exit code 0")

    def _not_yet(self, since: datetime) -> list[str]:
        """Jobs without a run that succeeded since, and syncs that have not ended."""
        runs = self.ground.all_documents("runs")
        well = {run["job_id"] for run in runs if run["state"] == RunState.SUCCEEDED and run["queued_at"] >= since}
        ended = {run["job_id"] for run in runs if run["state"] in FINAL}
        ticking = [job for job in self.ground.ticking if job not in well]
        return ticking + [job for job in self.ground.syncs if job not in ended]

    # What is seen meanwhile.

    def _add(self, count: int) -> None:
        """Start instances, and wait until all that live are known."""
        for _ in range(count):
            self.instances.start()
        if not self._until(self.instances.find, STARTING):
            raise SyncworkerError(f"an instance that was started told nobody that it lives within {STARTING:g} s")

    def _holder(self) -> Instance:
        """The instance that leads now."""
        holder = self._until(self._leading, WAITING)
        if holder is None:
            raise SyncworkerError(f"none of the instances led within {WAITING:g} s")
        return holder

    def _leading(self) -> Instance | None:
        lease = self.ground.store.leases.current()
        known = bool(lease and lease["live"] and lease["holder"]) and self.ground.store.leases.terms(limit=1)
        if lease is None or not known or known[0]["_id"] != lease["token"]:  # its term is not written yet
            return None
        return self.instances.of(lease["instance"])

    def _token(self) -> int:
        lease = self.ground.store.leases.current()
        return int(lease["token"]) if lease else 0

    def _taken_over(self, token: int, since: datetime) -> float | None:
        return promises.takeover(self.ground.store.leases.terms(), token, since)

    def _at_work(self, run_id: str, job: str) -> Instance | None:
        """Who works on the sync, once it has a checkpoint to go on from, and before all rows have arrived."""
        if not self.ground.has_checkpoint(job) or self.ground.written(job) >= SYNC_ROWS:
            return None
        return self.instances.of(self.ground.store.runs.get(run_id)["claim"]["instance"] or "")

    def _rescued(self, blow: Blow) -> float | None:
        found = promises.rescues([self.ground.store.runs.get(blow.run or "")], blow.instance, blow.at)
        return found[0].seconds if found else None

    def _is_back(self, instance: Instance, woken_at: datetime) -> bool:
        alive = {document["_id"]: document["seen_at"] for document in self.ground.store.instances.list()}
        return instance.id in alive and alive[instance.id] > woken_at

    def _succeeded(self) -> int:
        return len(self.ground.store.runs.list(states=[str(RunState.SUCCEEDED)], limit=COUNT))

    def _until(self, probe: Callable[[], T | None], seconds: float) -> T | None:
        """What `probe` answers once that is something; None after `seconds`. Raises Stopped, InstanceFailed."""
        ends = clock.monotonic() + seconds
        while True:
            try:
                self._note_token()
                found = probe()
            except StoreUnavailable:
                found = None
                if clock.monotonic() >= ends:
                    raise
            if found is not None and found is not False:
                return found
            self.instances.look()
            if clock.monotonic() >= ends:
                return None
            if self.stop.wait(LOOK):
                raise Stopped("the drill was broken off")

    def _note_token(self) -> None:
        token = self._token()
        if token and token != (self.tokens[-1] if self.tokens else 0):
            self.tokens.append(token)


def _answer(code: int | None) -> tuple[int] | None:
    """An exit code of 0 is an answer, too."""
    return None if code is None else (code,)
