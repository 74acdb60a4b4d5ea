"""The event stream: what changes is told, once a process looks for all, and nobody holds up the end."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api import live
from app.api.context import Context
from app.api.live import Feed
from tests.app.api.conftest import SETTINGS
from worker.run import Trigger
from worker.store import Store
from worker.vault import Vault

PATIENCE = 10.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PERIOD", 0.05)


@pytest.fixture
def context(store: Store, vault: Vault, job: dict[str, Any]) -> Context:
    return Context(SETTINGS, store, vault, stopping=threading.Event())


class Listener:
    """Reads events off a stream."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self.stream = stream
        self.comments = 0

    async def next(self) -> dict[str, Any]:
        """The next event: {id, event, data}."""
        while True:
            raw = await asyncio.wait_for(anext(self.stream), PATIENCE)
            fields = dict(line.split(": ", 1) for line in raw.decode().splitlines() if line)
            if "event" in fields:
                return fields | {"data": json.loads(fields["data"])}
            self.comments += 1

    async def until(self, found: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            event = await self.next()
            if found(event):
                return event

    async def opened(self) -> Listener:
        """Waits for the greeting and for the first look, so that every later change is told."""
        await anext(self.stream)
        return self


def is_run(state: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event["event"] == "run" and event["data"]["state"] == state


def on_loop(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 30))


def test_a_run_is_told_from_queue_to_end(context: Context) -> None:
    async def story() -> None:
        listener = Listener(Feed(context).stream(None))
        await listener.opened()
        run = await asyncio.to_thread(context.store.runs.create, "orders", Trigger.MANUAL)
        event = await listener.until(is_run("queued"))
        assert event["data"]["id"] == run["_id"]
        await asyncio.to_thread(context.store.claims.claim, "this", 30.0)
        await listener.until(is_run("running"))
        progress = {"main/books": {"state": "running", "read": 7}}
        await asyncio.to_thread(context.store.claims.beat, run["_id"], 1, 30.0, progress)
        event = await listener.until(lambda e: e["event"] == "run" and e["data"]["progress"] != {})
        assert event["data"]["progress"]["main/books"]["read"] == 7

    on_loop(story)


def test_who_comes_new_is_told_how_things_stand(context: Context) -> None:
    context.store.runs.create("orders", Trigger.MANUAL)
    context.store.leases.hold("holder", "fresh", "this", None, 60)

    async def story() -> None:
        listener = Listener(Feed(context).stream(None))
        kinds = {(await listener.next())["event"] for _ in range(2)}
        assert kinds == {"run", "lease"}

    on_loop(story)


def test_who_comes_back_is_told_what_was_missed_by_any_process(context: Context) -> None:
    async def story() -> None:
        listener = Listener(Feed(context).stream(None))
        await listener.opened()
        run = await asyncio.to_thread(context.store.runs.create, "orders", Trigger.MANUAL)
        last = (await listener.until(is_run("queued")))["id"]
        await asyncio.to_thread(context.store.runs.cancel, run["_id"], "anyone")
        other = Listener(Feed(context).stream(last))  # a process that never saw this id
        await other.until(is_run("cancelled"))

    on_loop(story)


def test_who_comes_back_to_the_same_process_goes_on_where_it_was(context: Context) -> None:
    async def story() -> None:
        feed = Feed(context)
        await feed._look_once()
        staying, leaving = Listener(feed.stream(None)), Listener(feed.stream(None))
        await staying.opened()
        await leaving.opened()
        await asyncio.to_thread(context.store.jobs.set_enabled, "orders", False, None)
        last = (await leaving.until(lambda event: event["event"] == "job"))["id"]
        await staying.until(lambda event: event["id"] == last)
        await asyncio.to_thread(context.store.runs.create, "orders", Trigger.MANUAL)
        missed = await staying.next()
        back = Listener(feed.stream(last))
        assert await back.next() == missed

    on_loop(story)


def test_jobs_connections_and_the_lease_are_told(context: Context) -> None:
    store = context.store

    async def story() -> None:
        listener = Listener(Feed(context).stream(None))
        await listener.opened()
        await asyncio.to_thread(store.leases.hold, "holder", "fresh", "this", None, 60)
        await listener.until(lambda e: e["event"] == "lease" and e["data"]["holder"] == "holder")
        await asyncio.to_thread(store.jobs.set_enabled, "orders", False, None)
        event = await listener.until(lambda e: e["event"] == "job")
        assert event["data"] == {"id": "orders", "revision": 2}
        await asyncio.to_thread(store.jobs.delete, "orders")
        event = await listener.until(lambda e: e["event"] == "job")
        assert event["data"] == {"id": "orders", "deleted": True}
        await asyncio.to_thread(store.connections(context.vault).delete, "attic")
        assert (await listener.until(lambda e: e["event"] == "connection"))["data"]["deleted"] is True

    on_loop(story)


def test_all_listeners_share_one_look_and_nobody_looks_for_none(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[live.Watcher] = []
    look = live.Watcher.look

    def counted(self: live.Watcher) -> list[live.Event]:
        looks.append(self)
        return look(self)

    monkeypatch.setattr(live.Watcher, "look", counted)

    async def story() -> None:
        feed = Feed(context)
        listeners = [Listener(feed.stream(None)) for _ in range(5)]
        for listener in listeners:
            await listener.opened()
        await asyncio.to_thread(context.store.runs.create, "orders", Trigger.MANUAL)
        for listener in listeners:
            await listener.until(is_run("queued"))
            await listener.stream.aclose()  # type: ignore[attr-defined]
        assert len({id(one) for one in looks}) == 1
        looking = feed._looking
        assert looking is not None
        await asyncio.wait_for(looking, PATIENCE)

    on_loop(story)


def test_the_end_of_the_process_ends_every_stream(context: Context) -> None:
    async def story() -> None:
        listener = Listener(Feed(context).stream(None))
        await listener.opened()
        context.stopping.set()
        with pytest.raises(StopAsyncIteration):
            await listener.next()

    on_loop(story)


def test_silence_is_filled_with_comments(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT", 0.05)

    async def story() -> None:
        stream = Feed(context).stream(None)
        assert [(await anext(stream))[:2] for _ in range(3)][-1] == b": "

    on_loop(story)


def test_who_cannot_keep_up_is_let_go(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "WAITING", 2)

    async def story() -> None:
        feed = Feed(context)
        listener = Listener(feed.stream(None))
        await listener.opened()
        feed._tell([live.Event(str(number), "run", "{}") for number in range(5)])
        with pytest.raises(StopAsyncIteration):
            await listener.next()

    on_loop(story)


def test_a_missing_database_breaks_no_stream(offline: TestClient, context: Context) -> None:
    gone: Context = offline.app.state.feed._context  # type: ignore[attr-defined]

    async def story() -> None:
        listener = Listener(Feed(gone).stream("12-3"))
        await listener.opened()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(listener.next(), 1.0)

    on_loop(story)


def test_the_route_streams_events(client: TestClient, context: Context) -> None:
    feed: Feed = client.app.state.feed  # type: ignore[attr-defined]
    feed._context.stopping.set()  # a stream that ends at once is one that the test client can read
    answer = client.get("/api/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store" and answer.text.startswith("retry: ")
