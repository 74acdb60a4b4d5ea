"""Server-sent events: runs, jobs, connections, lease and instances as they change, and the progress of what runs.

One look at the database a period serves all listeners of a process, and only while there are any. An event's id is
the server's time of the look and a number: who comes back with `Last-Event-ID`, to whichever process, gets every run
that changed since, perhaps once more. It does not promise every step in between.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from app.api import runs
from app.api.auth import COOKIE
from app.api.context import Context
from app.api.operation import Ask, dump
from app.api.problems import Refused
from app.api.questions import EventsQuery
from app.api.wire import Instance, Lease, document
from worker import clock
from worker.access import How, Who
from worker.errors import StoreUnavailable, SyncworkerError

log = logging.getLogger(__name__)

# Who the listener is now; None where it may listen no longer.
May = Callable[[], Awaitable[Who | None]]

PERIOD = 0.7
HEARTBEAT = 15.0
# A stream ends after this long; browsers come back.
LONGEST = 3600.0
# How often it is asked whether a listener still may: a token was revoked, a session ended.
RECHECK = 20.0
MOST_LISTENERS = 200
# Of one token, session or, where nobody has to say who he is, address.
MOST_EACH = 20
MOST_RUNS = 500
REMEMBERED = 1000
WAITING = 2000
# A commit may become visible a little later than its time says.
SLACK = timedelta(seconds=3)


@dataclass(frozen=True)
class Event:
    id: str
    type: str
    data: str

    def encoded(self) -> bytes:
        return f"id: {self.id}\nevent: {self.type}\ndata: {self.data}\n\n".encode()


@dataclass
class Watcher:
    """What was seen last, and what is new. Blocking."""

    context: Context
    since: datetime | None = None
    seen: dict[tuple[str, str], str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> list[Event]:
        """Everything that differs from the last look; the first one only remembers."""
        with self.lock:
            return self._look()

    def _look(self) -> list[Event]:
        store = self.context.store
        now = store.now()
        after = None if self.since is None else self.since - SLACK
        found = snapshot(self.context, after)
        for collection in ("job", "connection"):
            for name, revision in store.watch.revisions(f"{collection}s").items():
                found[collection, name] = json.dumps({"id": name, "revision": revision})
        for instance in store.instances.list():
            facts = Instance.model_validate(document(instance)).model_dump(mode="json", exclude={"seen_at"})
            found["instance", instance["_id"]] = json.dumps(facts)
        gone = {
            (kind, name): json.dumps({"id": name, "deleted": True})
            for kind, name in self.seen
            if kind not in {"run", "lease"} and (kind, name) not in found
        }
        first = self.since is None
        changed = {key: data for key, data in found.items() if self.seen.get(key) != data}
        events = [] if first else [Event("", kind, data) for (kind, _), data in (gone | changed).items()]
        self.seen, self.since = found, now
        stamp = round(now.timestamp() * 1000)
        return [Event(f"{stamp}-{number}", one.type, one.data) for number, one in enumerate(events)]


def snapshot(context: Context, since: datetime | None) -> dict[tuple[str, str], str]:
    """The lease, the live runs and those that ended since then, as data of events."""
    found: dict[tuple[str, str], str] = {}
    lease = context.store.leases.current()
    if lease:
        said = Lease.model_validate(document(lease))
        found["lease", "scheduler"] = said.model_dump_json(exclude={"renewed_at", "expires_at"})
    for run in runs.shapes(context.store.watch.runs(since, MOST_RUNS)):
        found["run", run.id] = dump(run)
    return found


class Feed:
    """All listeners of this process. Everything here runs on the event loop but the looks themselves."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._watcher = Watcher(context)
        self._remembered: deque[Event] = deque(maxlen=REMEMBERED)
        self._listeners: dict[asyncio.Queue[Event | None], str] = {}
        self._looking: asyncio.Task[None] | None = None

    async def stream(self, last_id: str | None, listener: str = "", may: May | None = None) -> AsyncIterator[bytes]:
        """The bytes of one listener's stream, until it goes, may no longer, this process stops, or it cannot keep up.

        `listener` is who it is; `may` asks whether it still may.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue(WAITING)
        self._listeners[queue] = listener
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield b"retry: 1000\n: hello\n\n"
            for event in await self._missed(last_id):
                yield event.encoded()
            begun = clock.monotonic()
            ends, asks = begun + LONGEST, begun + RECHECK
            while clock.monotonic() < ends:
                if may is not None and clock.monotonic() >= asks:
                    if not await _still(may):
                        return
                    asks = clock.monotonic() + RECHECK
                try:
                    event_or_end = await asyncio.wait_for(queue.get(), HEARTBEAT)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if event_or_end is None:
                    return
                yield event_or_end.encoded()
        finally:
            self._listeners.pop(queue, None)

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def refuse(self, listener: str) -> None:
        """Raise Refused where there are as many listeners as may be, of all or of this one."""
        if sum(one == listener for one in self._listeners.values()) >= MOST_EACH:
            message = f"You have {MOST_EACH} streams of events open at this process; close some first."
            raise Refused(429, message, headers={"Retry-After": "10"})
        if len(self._listeners) >= MOST_LISTENERS:
            raise Refused(503, f"This process has {MOST_LISTENERS} listeners already.", headers={"Retry-After": "10"})

    async def _missed(self, last_id: str | None) -> list[Event]:
        """What happened after `last_id`, or, where that is not known, how things stand."""
        ids = [event.id for event in self._remembered]
        if last_id in ids:
            return list(self._remembered)[ids.index(last_id) + 1 :]
        stamp = (last_id or "").partition("-")[0]
        since = None
        if stamp.isascii() and stamp.isdigit() and len(stamp) <= 14:
            since = datetime.fromtimestamp(int(stamp) / 1000, UTC) - SLACK
        try:
            if self._watcher.since is None:  # what changes after the snapshot must differ from something
                await self._look_once()
            found = await run_in_threadpool(snapshot, self._context, since)
            now = await run_in_threadpool(self._context.store.now)
        except StoreUnavailable:
            return []
        begun = round(now.timestamp() * 1000)
        return [Event(f"{begun}-s{n}", kind, data) for n, ((kind, _), data) in enumerate(found.items())]

    async def _look(self) -> None:
        """Look and tell while anybody listens; end every stream when this process stops."""
        stopping = self._context.stopping
        due = 0.0
        while self._listeners and not stopping.is_set():
            if clock.monotonic() >= due:
                due = clock.monotonic() + PERIOD
                try:
                    await self._look_once()
                except StoreUnavailable as error:
                    log.debug("no events: %s", error)
                except Exception:
                    log.exception("a look for events failed")
            await asyncio.sleep(0.1)
        if stopping.is_set():
            for queue in list(self._listeners):
                _end(queue)

    async def _look_once(self) -> None:
        self._tell(await run_in_threadpool(self._watcher.look))

    def _tell(self, events: list[Event]) -> None:
        self._remembered.extend(events)
        for queue in list(self._listeners):
            if queue.maxsize - queue.qsize() <= len(events):
                # Too slow: it reads what is there, and comes back with the id of the last event that it read.
                del self._listeners[queue]
                _end(queue)
                continue
            for event in events:
                queue.put_nowait(event)


def _end(queue: asyncio.Queue[Event | None]) -> None:
    """Behind all that is in it: `_tell` always leaves a place for this."""
    queue.put_nowait(None)


async def _still(may: May) -> bool:
    """Whether a listener still may; while the database is away, nobody can tell, and nothing is told either."""
    try:
        return await may() is not None
    except SyncworkerError:
        return True


def _listener(ask: Ask[EventsQuery, None]) -> str:
    """Who listens, for the count: a token, a session (not its id, which is a secret), an address."""
    who, cookie = ask.who, ask.request.cookies.get(COOKIE)
    if who.how is How.ANYONE:
        return f"address {who.address}"
    session = hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest() if cookie else ""
    return f"{who.how} {who.token or who.name} {session if who.how is How.SESSION else ''}"


def events(ask: Ask[EventsQuery, None]) -> StreamingResponse:
    """Changes as they happen: `run`, `job`, `connection`, `lease`, `instance`; resumes by Last-Event-ID."""
    feed: Feed = ask.request.app.state.feed
    listener = _listener(ask)
    feed.refuse(listener)
    last_id = ask.request.headers.get("last-event-id") or ask.query.last_event_id
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    told = feed.stream(last_id, listener, ask.request.scope.get("again"))
    return StreamingResponse(told, headers=headers, media_type="text/event-stream")
