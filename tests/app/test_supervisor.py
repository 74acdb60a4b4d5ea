"""The supervisor's decisions as histories: what happens when, and what it then does. No process is started here."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from app.child import Command
from app.supervisor import (
    Action,
    ChildState,
    Event,
    Exited,
    Hurry,
    Kill,
    Loop,
    Program,
    Ready,
    Say,
    Start,
    State,
    StopAsked,
    Terminate,
    Ticked,
    step,
)

GRACE = 25.0


@dataclass
class Supervised:
    """A history being told: `at(moment, event)` gives the actions, without what is only said."""

    state: State

    def at(self, now: float, event: Event | None = None) -> list[Action]:
        self.state, actions = step(self.state, event or Ticked(), now)
        return [action for action in actions if not isinstance(action, Say)]

    def said(self, now: float, event: Event) -> str:
        self.state, actions = step(self.state, event, now)
        return "\n".join(action.text for action in actions if isinstance(action, Say))


def development() -> Supervised:
    """mongod, API, worker and dashboard, none started yet; the dashboard needs the API."""
    names = (("mongod", ()), ("api", ()), ("worker", ()), ("dashboard", ("api",)))
    return Supervised(State(tuple(ChildState(name, needs) for name, needs in names), grace=GRACE))


def running() -> Supervised:
    one = development()
    one.at(0)
    for name in ("mongod", "api", "worker", "dashboard"):
        one.at(0, Ready(name))
    assert all(child.ready for child in one.state.children)
    return one


def test_children_start_in_order_and_wait_for_what_they_need() -> None:
    one = development()
    assert one.at(0) == [Start("mongod"), Start("api"), Start("worker")]
    assert one.at(0.5) == []
    assert one.at(1, Ready("worker")) == []
    assert one.at(2, Ready("api")) == [Start("dashboard")]


def test_what_ran_once_does_not_wait_for_others_again() -> None:
    one = running()
    one.at(100, Exited("api", 1))
    one.at(100, Exited("dashboard", 1))
    assert one.at(101) == [Start("api"), Start("dashboard")]


def test_a_child_that_dies_starts_again_after_growing_delays() -> None:
    one = running()
    now, delays = 0.0, []
    for _ in range(7):
        now += 20  # so far apart that it is never five within a minute
        assert one.at(now, Exited("worker", 1)) == []
        delay = 0.0
        while not one.at(now + delay):
            delay += 0.5
        delays.append(delay)
        now += delay
    assert delays == [1, 2, 4, 8, 16, 30, 30]


def test_a_minute_of_life_makes_the_delay_short_again() -> None:
    one = running()
    one.at(10, Exited("worker", 1))
    one.at(11)
    one.at(12, Exited("worker", 1))
    assert one.at(14) == [Start("worker")]
    one.at(75, Exited("worker", 1))
    assert one.at(75.9) == []
    assert one.at(76) == [Start("worker")]


def test_five_deaths_within_a_minute_stop_the_others_in_reverse() -> None:
    one = running()
    now = 0.0
    for delay in (1, 2, 4, 8):
        one.at(now, Exited("worker", -9))
        now += delay
        assert one.at(now) == [Start("worker")]
    told = one.said(now, Exited("worker", -9, last_lines=("no more memory",)))
    assert "5 times within 60 s" in told
    assert "no more memory" in told
    assert one.state.stopping
    assert one.at(now + 1, Exited("dashboard", 0)) == [Terminate("api")]
    assert one.at(now + 2, Exited("api", 0)) == [Terminate("mongod")]
    assert one.at(now + 3, Exited("mongod", 0)) == []
    assert one.state.done
    assert one.state.exit_code == 1


def test_the_fifth_death_tells_the_dashboard_to_end_first() -> None:
    one = running()
    for now in (0, 10, 20, 30):
        one.at(now, Exited("worker", 1))
        one.at(now + 9)
    assert one.at(40, Exited("worker", 1)) == [Terminate("dashboard")]


def test_five_deaths_in_more_than_a_minute_stop_nothing() -> None:
    one = running()
    for now in (0, 16, 32, 48, 64, 80):
        one.at(now, Exited("worker", 1))
        one.at(now + 15)
    assert not one.state.stopping


def test_the_deaths_of_different_children_are_not_added_up() -> None:
    one = running()
    for now, name in enumerate(["mongod", "api", "worker", "dashboard"] * 4):
        one.at(now * 4, Exited(name, 1))
        one.at(now * 4 + 3)
    assert not one.state.stopping


def test_bad_configuration_is_not_tried_again() -> None:
    one = running()
    assert one.at(1, Exited("api", 2)) == [Terminate("dashboard")]
    for name in ("dashboard", "worker", "mongod"):
        one.at(2, Exited(name, 0))
    assert one.state.done
    assert one.state.exit_code == 2


def test_a_signal_ends_all_in_reverse_one_after_the_other() -> None:
    one = running()
    assert one.at(10, StopAsked()) == [Terminate("dashboard")]
    assert one.at(10.1) == []
    assert one.at(10.2, Exited("dashboard", -15)) == [Terminate("worker")]
    assert one.at(20, Exited("worker", 0)) == [Terminate("api")]
    assert one.at(20.3, Exited("api", 0)) == [Terminate("mongod")]
    assert one.at(20.8, Exited("mongod", 0)) == []
    assert one.state.done
    assert one.state.exit_code == 0


def test_who_waits_to_be_started_again_is_not_started_while_all_ends() -> None:
    one = running()
    one.at(5, Exited("worker", 1))
    assert one.at(5.5, StopAsked()) == [Terminate("dashboard")]
    assert one.at(6.5, Exited("dashboard", 0)) == [Terminate("api")]


def test_a_death_in_the_middle_of_the_end_is_part_of_it() -> None:
    one = running()
    one.at(10, StopAsked())
    assert one.at(11, Exited("api", 1)) == []
    assert one.at(12, Exited("dashboard", 0)) == [Terminate("worker")]
    assert one.at(13, Exited("worker", 0)) == [Terminate("mongod")]


def test_when_the_grace_is_over_all_are_told_and_soon_killed() -> None:
    one = running()
    one.at(0, StopAsked())
    one.at(0, Exited("dashboard", 0))
    assert one.at(GRACE - 0.1) == []
    assert one.at(GRACE) == [Terminate("api")]
    assert one.at(GRACE + 1) == [Kill("api"), Kill("worker")]
    one.at(GRACE + 1, Exited("api", -9))
    assert one.at(GRACE + 1, Exited("worker", -9)) == [Terminate("mongod")]
    assert one.at(GRACE + 1.8) == [Kill("mongod")]


def test_a_second_signal_hurries_whoever_was_told_and_tells_the_rest() -> None:
    one = running()
    one.at(0, StopAsked())
    assert one.at(0.5, Exited("dashboard", 0)) == [Terminate("worker")]
    assert one.at(1, StopAsked()) == [Hurry("worker"), Terminate("api"), Hurry("api")]
    assert one.at(1.3, Exited("api", 0)) == []
    assert one.at(1.4, Exited("worker", 0)) == [Terminate("mongod"), Hurry("mongod")]


def test_a_second_signal_ends_all_within_two_seconds() -> None:
    one = running()
    one.at(10, StopAsked())
    one.at(10.1, StopAsked())
    left = [Kill("mongod"), Kill("api"), Kill("worker"), Kill("dashboard")]
    assert one.at(11.7) == left


def test_a_third_signal_changes_nothing() -> None:
    one = running()
    one.at(0, StopAsked())
    one.at(1, StopAsked())
    assert one.at(1.1, StopAsked()) == []


def test_without_children_there_is_nothing_to_wait_for() -> None:
    one = Supervised(State((), grace=GRACE))
    one.at(0, StopAsked())
    assert one.state.done


@pytest.mark.parametrize(("code", "words"), [(1, "exit code 1"), (0, "exit code 0"), (-9, "signal 9")])
def test_a_death_is_told_with_its_reason(code: int, words: str) -> None:
    assert words in running().said(1, Exited("worker", code))


# The loop, with real children.


def python(name: str, text: str, needs: Sequence[str] = ()) -> Program:
    return Program(name=name, command=Command(name=name, arguments=[sys.executable, "-c", text]), needs=tuple(needs))


@pytest.fixture
def signals_kept() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals_kept")
def test_every_line_has_its_childs_name_and_the_exit_code_is_passed_on() -> None:
    out = io.StringIO()
    loop = Loop([python("one", "print('hello'); print('there'); raise SystemExit(2)")], grace=1, out=out)
    assert loop.run() == 2
    lines = out.getvalue().splitlines()
    assert "one        | hello" in lines
    assert "one        | there" in lines
    assert not any("\x1b" in line for line in lines)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("signals_kept")
def test_on_a_terminal_each_child_has_a_colour() -> None:
    out = Terminal()
    Loop([python("one", "print('hello'); raise SystemExit(2)")], grace=1, out=out).run()
    assert "\x1b[36mone        |\x1b[0m hello" in out.getvalue()


@pytest.mark.usefixtures("signals_kept")
def test_a_program_that_cannot_be_started_is_a_death_like_any_other() -> None:
    out = io.StringIO()
    missing = Program(name="gone", command=Command(name="gone", arguments=["/nowhere/at-all"]))
    loop = Loop([missing, python("two", "raise SystemExit(2)")], grace=1, out=out)
    assert loop.run() == 2
    assert "gone ended with exit code 127; it starts again in 1 s" in out.getvalue()
