"""The event listener that ends supervisord when one of its programs is beyond help."""

from __future__ import annotations

import io

from app.undertaker import FATAL, Undertaker, listen

EXITED = "PROCESS_STATE_EXITED"


def death(name: str = "api", *, expected: str = "0") -> dict[str, str]:
    return {"processname": name, "groupname": "syncworker", "from_state": "RUNNING", "expected": expected, "pid": "7"}


def test_an_expected_exit_is_bad_configuration() -> None:
    assert Undertaker().judge(EXITED, death(expected="1"), 0) == "api cannot run as it is configured"


def test_fatal_is_beyond_help() -> None:
    assert Undertaker().judge(FATAL, death(), 0) == "api cannot be started"


def test_the_fifth_death_within_a_minute_is_one_too_many() -> None:
    undertaker = Undertaker()
    assert [undertaker.judge(EXITED, death(), now) for now in (0, 10, 20, 30)] == [None] * 4
    assert undertaker.judge(EXITED, death("worker"), 35) is None
    assert undertaker.judge(EXITED, death(), 40) == "api ended 5 times within 60 s"


def test_deaths_longer_apart_are_none_of_its_business() -> None:
    undertaker = Undertaker()
    assert {undertaker.judge(EXITED, death(), now) for now in range(0, 200, 16)} == {None}


def test_it_answers_each_event_and_returns_with_a_reason() -> None:
    payload = "processname:worker groupname:syncworker from_state:RUNNING expected:1 pid:9"
    header = f"ver:3.0 server:supervisor serial:21 pool:undertaker poolserial:10 eventname:{EXITED} len:{len(payload)}"
    out = io.StringIO()
    assert listen(io.StringIO(f"{header}\n{payload}"), out, Undertaker()) == "worker cannot run as it is configured"
    assert out.getvalue() == "READY\nRESULT 2\nOK"


def test_it_ends_when_supervisord_does() -> None:
    assert listen(io.StringIO(""), io.StringIO(), Undertaker()) is None
