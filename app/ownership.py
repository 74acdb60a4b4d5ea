"""Which process runs the embedded mongod, and on which port: one small file in DATA_DIR.

Its owner holds it by flock(2), and so does the mongod that it starts: a new owner cannot come in before the old
mongod is gone, however its owner ended. It decides nothing and starts nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from worker.errors import BadConfiguration, Fault


class Ownership:
    """The file at `path`. What it says (`read`) outlives its owner: the port is kept from one start to the next."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    @property
    def owned(self) -> bool:
        return self._file is not None

    @property
    def descriptor(self) -> int:
        assert self._file is not None
        return self._file

    def take(self) -> bool:
        """Become the owner; False where another is. Raises BadConfiguration where DATA_DIR cannot be written."""
        if self._file is not None:
            return True
        try:
            # DATA_DIR has the secret key: whatever the umask, nobody else may put another one there.
            self._path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            message = f"is {str(self._path.parent.parent)!r}, which cannot be written ({error.strerror})"
            raise BadConfiguration([Fault(field="DATA_DIR", message=message)]) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def is_held(self) -> bool:
        if self._file is not None:
            return True
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def read(self) -> dict[str, object]:
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def write(self, **facts: object) -> None:
        text = json.dumps(facts).encode()
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text, 0)
