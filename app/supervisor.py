"""Keep a few children running and end them together: a pure `step`, and a thin loop around it.

`step(state, event, now)` decides everything: what to start, restart, signal, kill, say, and when to exit with what
code. It starts no process and reads no clock, so its tests are tables of histories. Standard library alone.
It is for development; in production there is one process, and the system's own supervisor above it.
"""

from __future__ import annotations

import queue
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TextIO

from app.child import Child, Command

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# By this exit code a child says that its configuration is bad: starting it again cannot help.
BAD_CONFIGURATION = 2
LONGEST_DELAY = 30.0
DEATHS = 5
WITHIN = 60.0
# What is left of the grace for the children that others need, once those others are gone.
LAST_GRACE = 1.7
HURRY_GRACE = 1.5
TICK = 0.05
OWN_NAME = "syncworker"


class Phase(Enum):
    WAITING = "waiting"  # for its turn, or for the end of a delay
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True)
class ChildState:
    """`deaths` are the latest; `start_at` is when a waiting child may start; `ready` lets those start that need it."""

    name: str
    needs: tuple[str, ...] = ()
    phase: Phase = Phase.WAITING
    ready: bool = False
    start_at: float = 0.0
    started: float = 0.0
    deaths: tuple[float, ...] = ()
    row: int = 0
    told: bool = False


@dataclass(frozen=True)
class State:
    """`children` in the order in which they need each other; `deadline` is set while all are being ended."""

    children: tuple[ChildState, ...]
    grace: float
    stopping: bool = False
    hurry: bool = False
    deadline: float = 0.0
    exit_code: int = 0
    done: bool = False


# Events.


@dataclass(frozen=True)
class Ticked:
    """Time went by."""


@dataclass(frozen=True)
class Ready:
    """A child does what the next ones need it for."""

    name: str


@dataclass(frozen=True)
class Exited:
    name: str
    code: int
    last_lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class StopAsked:
    """SIGTERM or SIGINT; the second one hurries."""


Event = Ticked | Ready | Exited | StopAsked


# Actions.


@dataclass(frozen=True)
class Start:
    name: str


@dataclass(frozen=True)
class Terminate:
    name: str


@dataclass(frozen=True)
class Hurry:
    """Tell one that was told to end that there is no time left: a second signal, of another number than the first."""

    name: str


@dataclass(frozen=True)
class Kill:
    name: str


@dataclass(frozen=True)
class Say:
    text: str


Action = Start | Terminate | Hurry | Kill | Say


def step(state: State, event: Event, now: float) -> tuple[State, list[Action]]:
    """The state after `event` at `now` (monotonic seconds), and what to do."""
    actions: list[Action] = []
    if isinstance(event, StopAsked):
        state = _asked(state, now, actions)
    elif isinstance(event, Exited):
        state = _exited(state, event, now, actions)
    elif isinstance(event, Ready):
        state = _with(state, event.name, ready=True)
    state = _ending(state, now, actions) if state.stopping else _starting(state, now, actions)
    return state, actions


def _asked(state: State, now: float, actions: list[Action]) -> State:
    if not state.stopping:
        return _stop(state, now)
    if not state.hurry:
        actions += [Hurry(child.name) for child in state.children if child.phase is Phase.RUNNING and child.told]
        return replace(state, hurry=True, deadline=min(state.deadline, now + HURRY_GRACE))
    return state


def _stop(state: State, now: float, exit_code: int = 0) -> State:
    children = tuple(replace(c, phase=Phase.ENDED) if c.phase is Phase.WAITING else c for c in state.children)
    return replace(
        state, children=children, stopping=True, deadline=now + state.grace + LAST_GRACE, exit_code=exit_code
    )


def _exited(state: State, event: Exited, now: float, actions: list[Action]) -> State:
    child = _find(state, event.name)
    if state.stopping:
        return _with(state, event.name, phase=Phase.ENDED)
    deaths = (*[death for death in child.deaths if now - death < WITHIN], now)
    row = 1 if now - child.started >= WITHIN else child.row + 1
    how = f"was killed by signal {-event.code}" if event.code < 0 else f"ended with exit code {event.code}"
    if event.code == BAD_CONFIGURATION or len(deaths) >= DEATHS:
        hopeless = f"{DEATHS} times within {WITHIN:.0f} s, so all is stopped"
        why = "its configuration is bad, so all is stopped" if event.code == BAD_CONFIGURATION else hopeless
        actions.append(Say(f"{event.name} {how}: {why}. Its last lines:"))
        actions += [Say(f"  {line}") for line in event.last_lines]
        state = _with(state, event.name, phase=Phase.ENDED)
        return _stop(state, now, exit_code=BAD_CONFIGURATION if event.code == BAD_CONFIGURATION else 1)
    delay = min(2.0 ** (row - 1), LONGEST_DELAY)
    actions.append(Say(f"{event.name} {how}; it starts again in {delay:g} s"))
    return _with(state, event.name, phase=Phase.WAITING, ready=False, deaths=deaths, row=row, start_at=now + delay)


def _starting(state: State, now: float, actions: list[Action]) -> State:
    """Start, in order, what may start: a child waits, the first time, until those that it needs are ready."""
    for child in state.children:
        met = child.deaths or all(_find(state, need).ready for need in child.needs)
        if child.phase is Phase.WAITING and now >= child.start_at and met:
            actions.append(Start(child.name))
            state = _with(state, child.name, phase=Phase.RUNNING, started=now)
    return state


def _ending(state: State, now: float, actions: list[Action]) -> State:
    """Ask the last running child to end, then the one before it. When the grace is over or in a hurry ask all but the
    first, which others may need until they are gone; kill what is left, the first a little later."""
    running = [child for child in state.children if child.phase is Phase.RUNNING]
    if not running:
        return replace(state, done=True)
    urgent = now >= state.deadline - LAST_GRACE
    if now >= state.deadline:
        actions += [Kill(child.name) for child in running]
        return state
    if now >= state.deadline - LAST_GRACE / 2 and len(running) > 1:
        actions += [Kill(child.name) for child in running[1:]]
        return state
    for child in reversed(running):
        if not child.told and (child is running[-1] or (urgent and child is not running[0])):
            actions.append(Terminate(child.name))
            if state.hurry:
                actions.append(Hurry(child.name))
            state = _with(state, child.name, told=True)
    return state


def _find(state: State, name: str) -> ChildState:
    return next(child for child in state.children if child.name == name)


def _with(state: State, name: str, **changes: object) -> State:
    children = tuple(replace(c, **changes) if c.name == name else c for c in state.children)  # type: ignore[arg-type]
    return replace(state, children=children)


# The loop.


@dataclass(frozen=True, kw_only=True)
class Program:
    """A child to keep running. `ready` is asked, on the loop, until it says True: be fast."""

    name: str
    command: Command
    needs: tuple[str, ...] = ()
    ready: Callable[[], bool] = field(default=lambda: True)


class Loop:
    """Feeds `step` with what happens and does what it says. Runs on the main thread."""

    def __init__(self, programs: Sequence[Program], *, grace: float, out: TextIO = sys.stdout) -> None:
        self._programs: Mapping[str, Program] = {program.name: program for program in programs}
        self._state = State(tuple(ChildState(program.name, program.needs) for program in programs), grace=grace)
        self._children: dict[str, Child] = {}
        self._unready: set[str] = set()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._printer = Printer(list(self._programs), out)

    def say(self, text: str) -> None:
        """Print a line of the supervisor's own."""
        self._printer.say(OWN_NAME, text)

    def run(self) -> int:
        """Until all is ended; the exit code. Takes SIGTERM and SIGINT."""
        for number in SIGNALS:
            signal.signal(number, lambda *_: self._events.put(StopAsked()))
        while not self._state.done:
            for event in self._happened():
                self._state, actions = step(self._state, event, time.monotonic())
                for action in actions:
                    self._do(action)
        return self._state.exit_code

    def _happened(self) -> list[Event]:
        events: list[Event] = []
        try:
            events.append(self._events.get(timeout=TICK))
        except queue.Empty:
            events.append(Ticked())
        for name, child in list(self._children.items()):
            code = child.poll()
            if code is not None:
                del self._children[name]
                child.kill()  # whatever it left behind in its group
                self._unready.discard(name)
                events.append(Exited(name, code, tuple(child.last_lines)))
        for name in list(self._unready):
            if self._programs[name].ready():
                self._unready.discard(name)
                events.append(Ready(name))
        return events

    def _do(self, action: Action) -> None:
        if isinstance(action, Say):
            self.say(action.text)
        elif isinstance(action, Start):
            try:
                self._children[action.name] = Child(self._programs[action.name].command, self._printer.say)
            except OSError as error:
                self._events.put(Exited(action.name, 127, (str(error),)))
            else:
                self._unready.add(action.name)
        elif child := self._children.get(action.name):
            if isinstance(action, Terminate):
                child.signal(signal.SIGTERM)
            elif isinstance(action, Hurry):
                child.signal(signal.SIGINT)
            else:
                child.kill()


class Printer:
    """Lines of all children on one output, each behind its child's name, in colour on a terminal."""

    COLOURS = (36, 33, 35, 32, 34)

    def __init__(self, names: Sequence[str], out: TextIO) -> None:
        self._out = out
        self._width = max(len(name) for name in [*names, OWN_NAME])
        colours = dict(zip(names, self.COLOURS, strict=False)) if out.isatty() else {}
        self._prefixes = {name: f"\x1b[{colour}m{name:<{self._width}} |\x1b[0m" for name, colour in colours.items()}

    def say(self, name: str, text: str) -> None:
        prefix = self._prefixes.get(name, f"{name:<{self._width}} |")
        try:
            self._out.write(f"{prefix} {text}\n")
            self._out.flush()
        except (BrokenPipeError, ValueError):
            pass  # nobody reads any more; the children matter more than their lines
