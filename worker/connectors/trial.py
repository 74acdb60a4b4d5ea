"""Try a connection stage by stage, each measured, and stop at the first that fails: name, tcp, tls, login, and so on.

A connector that has `stages` says what each is; of any other there is its own check alone. What failed is known by
where it failed and by types and codes, never by the words of a message. It changes nothing at the other end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol, runtime_checkable

from worker import clock, connectors
from worker.errors import BadInput, MissingExtra, SyncworkerError, Unsupported

End = Literal["source", "destination"]

PATIENCE = 20.0


class Step(StrEnum):
    NAME = "name"
    TCP = "tcp"
    TLS = "tls"
    LOGIN = "login"
    PERMISSION = "permission"
    QUERY = "query"


HINTS = {
    Step.NAME: "Check the name: the host, the path or the database.",
    Step.TCP: "Check that the server runs, and that this machine may reach its port.",
    Step.TLS: "Check the TLS parameters of the URL, and the server's certificate.",
    Step.LOGIN: "Check the user and the password.",
    Step.PERMISSION: "Grant this user what it needs.",
    Step.QUERY: "The message says what the other end refused.",
}


class Misstep(Exception):
    """A stage failed; `step` is what it failed at, which may be another than the stage was about."""

    def __init__(self, step: Step, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.step = step
        self.hint = hint or HINTS[step]


@dataclass(frozen=True)
class Stage:
    """`do` raises Misstep, or what the connector raises: then `step` failed. `end`: that end alone needs it."""

    step: Step
    do: Callable[[], None]
    end: End | None = None


@runtime_checkable
class Staged(Protocol):
    """A connector that can be tried stage by stage."""

    @staticmethod
    def stages(settings: Any) -> Iterator[Stage]:
        """The stages in order, each to be done before the next is asked for. Closed, it lets go what it holds."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    step: Step
    ms: int
    ok: bool
    end: End | None = None


@dataclass(kw_only=True)
class Trial:
    """How it went so far. `step` is the last that was tried: the one that failed, where `hint` is not None.

    `reads`, `writes`: whether it can be a source, a destination; None where that was not found out, or is not offered.
    """

    step: Step = Step.NAME
    message: str = "It works."
    hint: str | None = None
    reads: bool | None = None
    writes: bool | None = None
    steps: list[Measured] = field(default_factory=list)
    ms: int = 0

    @property
    def ok(self) -> bool:
        return self.hint is None

    def fail(self, step: Step, message: str, hint: str | None = None) -> None:
        self.step, self.message, self.hint = step, message, hint or HINTS[step]


def tried(
    type_: str, values: Mapping[str, Any], *, needs: frozenset[End] = frozenset(), patience: float = PATIENCE
) -> Trial:
    """Try a connection with its references filled. Never raises for what is wrong with it: that is the answer.

    It fails where an end that `needs` names does not work. Where none is named, that is the source, if it has one.
    """
    trial = Trial()
    begun = clock.monotonic()
    done = threading.Event()
    given_up = threading.Event()

    def work() -> None:
        try:
            _Trying(trial, needs, given_up).execute(type_, values)
        finally:
            done.set()

    threading.Thread(target=work, name="trial", daemon=True).start()
    if not done.wait(patience):
        given_up.set()
        late = Trial(step=trial.step, steps=list(trial.steps), reads=trial.reads, writes=trial.writes)
        late.fail(trial.step, f"There was no answer within {patience:g} s.", HINTS[Step.TCP])
        trial = late
    trial.ms = round((clock.monotonic() - begun) * 1000)
    return trial


class _Trying:
    def __init__(self, trial: Trial, needs: frozenset[End], given_up: threading.Event) -> None:
        self._trial = trial
        self._needs = needs
        self._given_up = given_up
        self._refused: dict[End, tuple[Step, str, str]] = {}

    def execute(self, type_: str, values: Mapping[str, Any]) -> None:
        trial = self._trial
        try:
            settings = connectors.settings_of(type_, values)
            connector = connectors.connector(type_)
            found = connector.stages(settings) if isinstance(connector, Staged) else _own_checks(type_, values)
        except (BadInput, MissingExtra) as error:
            trial.fail(Step.NAME, str(error), "Mend the settings of the connection.")
            return
        try:
            for stage in found:
                if not self._done(stage) or self._given_up.is_set():
                    return
        finally:
            close: Any = getattr(found, "close", None)
            if close:
                close()
        self._conclude()

    def _done(self, stage: Stage) -> bool:
        """Do a stage; False where nothing is left to try."""
        trial = self._trial
        if stage.end in self._refused:
            return True
        trial.step = stage.step
        begun = clock.monotonic()
        failed: tuple[Step, str, str] | None = None
        try:
            stage.do()
        except Misstep as error:
            failed = error.step, str(error), error.hint
        except Unsupported:  # this end is not offered; nobody was asked
            self._refused[stage.end or "source"] = Step.QUERY, "This end is not offered.", HINTS[Step.QUERY]
            return True
        except Exception as error:
            words = str(error) if isinstance(error, (SyncworkerError, OSError)) else f"{type(error).__name__}: {error}"
            failed = stage.step, words, HINTS[stage.step]
        ms = round((clock.monotonic() - begun) * 1000)
        trial.steps.append(Measured(step=failed[0] if failed else stage.step, ms=ms, ok=failed is None, end=stage.end))
        if failed is None:
            return True
        if stage.end is None or stage.end in self._needs:
            trial.fail(*failed)
            return False
        self._refused[stage.end] = failed
        return True

    def _conclude(self) -> None:
        trial, refused = self._trial, self._refused
        seen = {one.end for one in trial.steps if one.end}
        trial.reads = "source" not in refused if "source" in seen else None
        trial.writes = "destination" not in refused if "destination" in seen else None
        judged: End = "source" if "source" in seen else "destination"
        if judged in refused and not self._needs:
            trial.fail(*refused[judged])
            trial.hint = f"{trial.hint} As a destination it is fine." if trial.writes else trial.hint
        elif refused.keys() & seen:
            (_step, why, _hint), *_ = (refused[end] for end in ("destination", "source") if end in refused)
            trial.message = f"It works. As a {'destination' if trial.reads else 'source'} it would not: {why}"


def _own_checks(type_: str, values: Mapping[str, Any]) -> Iterator[Stage]:
    """A connector without stages: what its two ends say of themselves."""
    ends: tuple[End, End] = ("source", "destination")
    for end in ends:
        yield Stage(Step.QUERY, lambda end=end: _check(type_, values, end), end)  # type: ignore[misc]


def _check(type_: str, values: Mapping[str, Any], end: End) -> None:
    with connectors.open_end(type_, values, end) as opened:
        opened.check()
