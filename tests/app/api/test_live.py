"""The event stream: what changes is told, once a process looks for all, and nobody holds up the end."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from app.api import live
from app.api.context import Context
from app.api.live import Feed
from tests.app.api.conftest import SETTINGS, TOKEN
from tests.waiting import until
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


def test_two_hundred_viewers_cost_the_database_what_one_costs(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted by the server: the commands between the moment when all watch and the next ten looks."""
    looks = 0
    look = live.Watcher.look

    def counted(self: live.Watcher) -> list[live.Event]:
        nonlocal looks
        looks += 1
        return look(self)

    monkeypatch.setattr(live.Watcher, "look", counted)
    status = context.store.database.client.admin

    def commands() -> int:
        return sum(entry["total"] for name, entry in status.command("serverStatus")["metrics"]["commands"].items()
                   if name in {"find", "aggregate", "hello"} and isinstance(entry, dict))  # fmt: skip

    async def cost(viewers: int) -> float:
        nonlocal looks
        feed = Feed(context)
        listeners = [Listener(feed.stream(None)) for _ in range(viewers)]
        for listener in listeners:
            await listener.opened()
        readers = [asyncio.create_task(listener.until(is_run("queued"))) for listener in listeners]
        await asyncio.to_thread(until, lambda: len(feed._listeners) == viewers and looks >= 3, "all watch")
        begun, before = looks, await asyncio.to_thread(commands)
        await asyncio.to_thread(until, lambda: looks >= begun + 10, "ten looks")
        spent = (await asyncio.to_thread(commands) - before) / (looks - begun)
        run = await asyncio.to_thread(context.store.runs.create, "orders", Trigger.MANUAL)
        told = await asyncio.wait_for(asyncio.gather(*readers), PATIENCE)
        assert {event["data"]["id"] for event in told} == {run["_id"]} and len(told) == viewers
        await asyncio.to_thread(context.store.runs.cancel, run["_id"], "the test")
        for listener in listeners:
            await listener.stream.aclose()  # type: ignore[attr-defined]
        looks = 0
        return spent

    async def story() -> None:
        one, many = await cost(1), await cost(200)
        assert many < 2 * one, f"{one} commands a look for one viewer, {many} for 200"

    asyncio.run(asyncio.wait_for(story(), 60))


def test_a_slow_reader_is_let_go_and_misses_nothing_when_it_comes_back(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "WAITING", 6)

    def is_end_of(run_id: str) -> Callable[[dict[str, Any]], bool]:
        return lambda event: event["data"].get("id") == run_id and event["data"].get("state") == "cancelled"

    async def story() -> None:
        feed = Feed(context)
        slow, quick = Listener(feed.stream(None)), Listener(feed.stream(None))
        await slow.opened()
        await quick.opened()
        await feed._look_once()
        runs = []
        for _ in range(8):  # which the slow one does not read
            run = await asyncio.to_thread(context.store.runs.create, "orders", Trigger.MANUAL)
            await asyncio.to_thread(context.store.runs.cancel, run["_id"], "the test")
            await quick.until(is_end_of(run["_id"]))
            runs.append(run["_id"])
        seen: dict[str, str] = {}
        last = None
        with pytest.raises(StopAsyncIteration):
            while True:
                event = await slow.next()
                last = event["id"]
                seen[event["data"].get("id", "")] = event["data"].get("state", "")
        back = Listener(feed.stream(last))
        while any(seen.get(run) != "cancelled" for run in runs):
            event = await back.next()
            seen[event["data"].get("id", "")] = event["data"].get("state", "")

    on_loop(story)


def test_who_may_listen_no_longer_is_let_go_within_seconds(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "RECHECK", 0.05)
    monkeypatch.setattr(live, "HEARTBEAT", 0.05)

    async def story() -> None:
        may: list[Any] = ["somebody", "somebody"]

        async def asked() -> Any:
            return may.pop() if may else None

        stream = Feed(context).stream(None, "him", asked)
        with pytest.raises(StopAsyncIteration):
            while True:
                await asyncio.wait_for(anext(stream), PATIENCE)
        assert may == []

    on_loop(story)


def test_a_revoked_token_and_an_ended_session_end_their_streams(
    served: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over real connections; the heartbeat and the second look are quickened, not what they do."""
    monkeypatch.setattr(live, "RECHECK", 0.1)
    monkeypatch.setattr(live, "HEARTBEAT", 0.1)
    with httpx.Client(base_url=served, timeout=PATIENCE) as client:
        admin = {"Authorization": f"Bearer {TOKEN}"}
        made = client.post("/api/tokens", json={"name": "tv", "scope": "read"}, headers=admin).json()
        viewer = {"Authorization": f"Bearer {made['token']}"}
        with client.stream("GET", "/api/events", headers=viewer) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 1000"
            assert client.delete(f"/api/tokens/{made['id']}", headers=admin).status_code == 204
            assert list(lines) is not None  # it comes to its end
        assert client.get("/api/events", headers=viewer).status_code == 401
        client.post("/api/login", json={"password": TOKEN})
        with client.stream("GET", "/api/events") as stream:
            lines = stream.iter_lines()
            assert stream.status_code == 200 and next(lines) == "retry: 1000"
            client.post("/api/logout")
            assert list(lines) is not None


def test_one_user_cannot_take_every_place(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_EACH", 2)
    monkeypatch.setattr(live, "MOST_LISTENERS", 3)
    with httpx.Client(base_url=served, timeout=PATIENCE) as client, ExitStack() as open_:
        admin = {"Authorization": f"Bearer {TOKEN}"}
        tokens = [client.post("/api/tokens", json={"name": n, "scope": "read"}, headers=admin).json()["token"]
                  for n in ("one", "two", "three")]  # fmt: skip

        reading = []

        def listen(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            stream = open_.enter_context(client.stream("GET", "/api/events", headers=headers))
            if stream.status_code == 200:
                reading.append(stream.iter_lines())  # which closes the stream when it is forgotten
                next(reading[-1])
            return stream.status_code

        assert [listen(tokens[0]) for _ in range(3)] == [200, 200, 429]
        assert listen(tokens[1]) == 200
        assert listen(tokens[2]) == 503, "the total cap is everybody's"
