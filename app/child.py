"""One child process: started, signalled, reaped. The only place that forks and execs. Standard library alone.

A child leads a session of its own, so that a terminal's Ctrl-C reaches its parent alone, and it is told by the kernel
when its parent dies, so that `kill -9` of the parent takes it along (prctl(2), PR_SET_PDEATHSIG). The kernel ties that
to the *thread* that forked: start a child on the main thread, or on one that outlives it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

PR_SET_PDEATHSIG = 1
KEPT_LINES = 20

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What to run. `death_signal` is what the child gets when its parent dies; `keep` are descriptors it inherits."""

    name: str
    arguments: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    folder: str | None = None
    death_signal: int = signal.SIGKILL
    keep: Sequence[int] = ()


class Child:
    """A running (or ended) process; `say` gets each line that it prints, without the line's end."""

    def __init__(self, command: Command, say: Callable[[str, str], None]) -> None:
        self.name = command.name
        self.last_lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._say = say
        parent = os.getpid()

        def tie_to_parent() -> None:
            _libc.prctl(PR_SET_PDEATHSIG, command.death_signal)
            if os.getppid() != parent:  # the parent died between fork and prctl
                os._exit(1)

        self._process = subprocess.Popen(
            list(command.arguments),
            env=dict(command.env),
            cwd=command.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=tuple(command.keep),
            start_new_session=True,
            preexec_fn=tie_to_parent,  # noqa: PLW1509 - no lock is taken between fork and exec: one libc call
        )
        self._reader = threading.Thread(target=self._read, name=f"output of {self.name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code (negative: the signal that killed it), or None while it runs. What it left behind is killed."""
        if self._process.returncode is None:
            if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                return None
            self._kill_group()  # before it is reaped: until then nobody else can have its number
            self._process.wait()
            self._reader.join(0.5)
        return self._process.returncode

    def signal(self, number: int) -> None:
        """Signal the child alone; no error where it has ended."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End the child's whole process group at once."""
        if self._process.returncode is None:
            self._kill_group()

    def _kill_group(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; None where it did not come in time."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            text = line.rstrip("\n")
            self.last_lines.append(text)
            self._say(self.name, text)
