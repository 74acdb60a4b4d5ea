"""The real program as a subprocess: started with a clean environment, watched, ended, and never left behind.

Every process it starts inherits a mark in its environment, so `processes()` finds them all, adopted ones included.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from pathlib import Path

from tests.servers import free_port
from tests.waiting import until

ROOT = Path(__file__).resolve().parent.parent
MARK = "SYNCWORKER_TEST_MARK"
KEPT = ("PATH", "HOME", "USER", "TMPDIR", "LANG", "LC_ALL")


class Program:
    """One start of `python ARGUMENTS` in `folder`, which is also where `DATA_DIR` and a `.env` are."""

    def __init__(self, *arguments: str, folder: Path, env: Mapping[str, str], executable: str = sys.executable) -> None:
        self.mark = uuid.uuid4().hex
        self.folder = folder
        self.arguments = arguments
        self.env = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.env |= {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "DATA_DIR": str(folder / "data")}
        self.env |= {"PORT": str(free_port()), MARK: self.mark, **env}
        self.port = int(self.env["PORT"])
        self.url = f"http://127.0.0.1:{self.port}"
        self._lines: list[str] = []
        self._told = threading.Condition()
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "--", executable, *arguments],
            cwd=folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._told:
                self._lines.append(line)
                self._told.notify_all()
        with self._told:
            self._told.notify_all()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        """What it and its children have printed so far, both channels."""
        with self._told:
            return "".join(self._lines)

    def wait_for(self, text: str, timeout: float = 20.0) -> str:
        """Wait until a line with `text` is printed, and return that line."""
        with self._told:
            found = self._told.wait_for(lambda: next((line for line in self._lines if text in line), None), timeout)
        assert found, f"{text!r} was not printed in {timeout:g} s:\n{self.output}"
        return found

    def wait_ready(self, timeout: float = 30.0) -> Program:
        """Wait until `/readyz` answers 200; fail at once where the program ended."""

        def ready() -> bool:
            return self.process.poll() is not None or self.status("/readyz") == 200

        try:
            until(ready, f"{self.url}/readyz answers 200", timeout=timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.output}") from error
        assert self.process.poll() is None, f"ended with {self.process.returncode} before it was ready:\n{self.output}"
        return self

    def status(self, path: str, headers: Mapping[str, str] | None = None) -> int:
        """The HTTP status of GET `path`; 0 while nobody answers."""
        request = urllib.request.Request(self.url + path, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def text(self, path: str) -> str:
        """What GET `path` answers to a browser."""
        request = urllib.request.Request(self.url + path, headers={"Accept": "text/html"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return str(answer.read().decode())

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, timeout: float = 40.0) -> int:
        """Wait for the end and return the exit code; minus the signal's number where one killed it."""
        code = self.process.wait(timeout)
        self._reader.join(5)
        return code

    def terminate(self, timeout: float = 40.0) -> int:
        """SIGTERM, then as `wait`."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self) -> int:
        """SIGKILL this one process; its children are left to notice by themselves."""
        self.signal(signal.SIGKILL)
        return self.wait()

    def processes(self) -> list[int]:
        """Every live process that descends from this start, by the mark in its environment."""
        mark = f"{MARK}={self.mark}".encode()
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:
                continue
        return sorted(found)

    def end(self) -> None:
        """Leave nothing behind: SIGTERM, a few seconds, then SIGKILL to all that still lives."""
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        self._reader.join(5)
        if self.process.stdout is not None and not self._reader.is_alive():
            self.process.stdout.close()
