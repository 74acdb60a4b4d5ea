"""A TCP proxy in front of a mongod that misbehaves on demand: refuses, goes silent, delays, cuts, loses answers.

It knows the frames of MongoDB's wire protocol, so that it can lose the answer to one command after the server has
executed it. All of it runs on an event loop on a thread of its own; switch faults from any thread.
"""

from __future__ import annotations

import asyncio
import random
import struct
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

from tests.servers import free_port

HEADER = struct.Struct("<iiii")
OP_MSG = 2013


class Proxy:
    """Listens at `host` and relays to `port` on loopback; passes everything until told otherwise."""

    def __init__(self, port: int) -> None:
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.lost: list[str] = []
        self._upstream = port
        self._silent = False
        self._forgets = False
        self._delay = 0.0
        self._loses: Callable[[str], bool] = lambda _: False
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self._speaking = asyncio.Event()
        self._speaking.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self.listen()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.refuse()
        self._call(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    # Faults.

    def listen(self) -> None:
        """Take connections (again)."""
        self._call(self._listen())

    def refuse(self) -> None:
        """Refuse new connections and cut the open ones."""
        self._call(self._refuse())

    def silence(self, *, forget: bool) -> None:
        """Take connections and bytes, and pass nothing on: a black hole.

        `forget`: what was open then stays silent for ever, as behind a firewall that lost its table; else it goes on.
        """
        self._silent, self._forgets = True, forget
        for link in list(self._links):
            link.forgotten |= forget
        self._loop.call_soon_threadsafe(self._speaking.clear)

    def speak(self) -> None:
        """End the silence."""
        self._silent = False
        self._loop.call_soon_threadsafe(self._speaking.set)

    def delay(self, seconds: float) -> None:
        """Deliver everything so much later, in each direction."""
        self._delay = seconds

    def lose(self, commands: frozenset[str], *, share: float = 1.0, seed: int = 0) -> None:
        """Let the server execute these commands, and cut the connection in place of its answer; `lost` counts them."""
        dice = random.Random(seed)
        self._loses = lambda command: command in commands and dice.random() < share

    # Within the loop.

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for link in list(self._links):
            link.cut()

    async def _end_tasks(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(self, writer)
        link.forgotten = self._silent and self._forgets
        self._links.add(link)
        try:
            if link.forgotten:
                await reader.read(-1)
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._upstream)
            link.ends.append(back)
            await asyncio.wait(
                [asyncio.create_task(link.ask(reader, back)), asyncio.create_task(link.answer(there, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        except OSError:
            pass  # the server is down: the client is cut off, as it would be there
        finally:
            link.cut()
            self._links.discard(link)

    async def voice(self) -> None:
        """Wait while the proxy is silent."""
        await self._speaking.wait()

    def loses(self, command: str) -> bool:
        """Whether the answer to this command is to be lost."""
        return self._loses(command)

    def later(self, writer: asyncio.StreamWriter, message: bytes, after: float) -> float:
        """Deliver in order, `delay` seconds from now; when, on the loop's clock. `after`: when the one before was."""
        due = max(self._loop.time() + self._delay, after + 1e-6) if self._delay else 0.0
        if due:
            self._loop.call_at(due, _write, writer, message)
        else:
            _write(writer, message)
        return due


class _Link:
    """One client's connection and ours to the server."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter) -> None:
        self.ends = [client]
        self.forgotten = False
        self._proxy = proxy
        self._unanswered: dict[int, str] = {}

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what the client asks; remember whose answer is to be lost."""
        last = 0.0
        while message := await _frame(reader):
            await self._proxy.voice()
            if self.forgotten:
                continue
            _, number, _, kind = HEADER.unpack_from(message)
            if kind == OP_MSG and self._proxy.loses(name := _command(message)):
                self._unanswered[number] = name
            last = self._proxy.later(writer, message, last)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what the server answers, until an answer is to be lost: then cut."""
        last = 0.0
        while message := await _frame(reader):
            await self._proxy.voice()
            if self.forgotten:
                continue
            _, _, asked, _ = HEADER.unpack_from(message)
            if asked in self._unanswered:
                self._proxy.lost.append(self._unanswered[asked])
                return
            last = self._proxy.later(writer, message, last)

    def cut(self) -> None:
        for end in self.ends:
            end.transport.abort()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """One message of the wire protocol; empty at the end."""
    try:
        header = await reader.readexactly(HEADER.size)
        length: int = HEADER.unpack(header)[0]
        return header + await reader.readexactly(length - HEADER.size)
    except (asyncio.IncompleteReadError, OSError):
        return b""


def _command(message: bytes) -> str:
    """The name of an OP_MSG's command: the first element of its body, behind flags, kind, length and type."""
    start = HEADER.size + 4 + 1 + 4 + 1
    return message[start : message.index(0, start)].decode()


def _write(writer: asyncio.StreamWriter, message: bytes) -> None:
    if not writer.transport.is_closing():
        writer.write(message)
