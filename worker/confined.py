"""Open files and folders only where they really lie inside a given folder, and only regular files.

The path is opened without reading or running anything (O_PATH), then asked where it came out, and only then opened for
use, by that very descriptor: a link that is swapped between look and use is of no help. Links that stay inside are
followed. It needs Linux's /proc: open(2), O_PATH; proc(5), /proc/pid/fd.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


class Outside(Exception):
    """The path leads out of the folder, or to what is no regular file; the message says which."""


def open_file(path: Path, root: Path | None) -> int:
    """A descriptor of the regular file, to read from. `root` None: it may lie anywhere.

    Raises Outside, or OSError where it cannot be opened. It never waits: a pipe is refused before it is opened.
    """
    found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(found).st_mode):
            raise Outside("is no regular file: pipes, devices and folders are not read")
        if root is not None and not place_of(found).is_relative_to(root.resolve()):
            raise Outside(f"leads out of {root}")
        return os.open(f"/proc/self/fd/{found}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(found)


def open_folder(path: Path, root: Path) -> int:
    """A descriptor of the folder `path`, which is made with those between where they are missing.

    `root` is made too, wherever it is; below it, every step is looked at before the next. Raises Outside, or OSError.
    """
    root.mkdir(parents=True, exist_ok=True)
    at = _folder(root)
    try:
        end = place_of(at)
        for part in path.relative_to(root).parts:
            try:
                os.mkdir(part, dir_fd=at)
            except FileExistsError:
                pass
            inner = _folder(part, at)
            os.close(at)
            at = inner
            if not place_of(at).is_relative_to(end):
                raise Outside(f"leads out of {root}")
        return at
    except BaseException:
        os.close(at)
        raise


def _folder(path: Path | str, at: int | None = None) -> int:
    return os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=at)


def place_of(descriptor: int) -> Path:
    """Where the file behind a descriptor lies now. Raises OSError for what has no name, such as a pipe."""
    place = os.readlink(f"/proc/self/fd/{descriptor}")
    if not place.startswith("/"):
        raise OSError(errno.EINVAL, "has no place in the file system")
    return Path(place)
