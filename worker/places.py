"""Which places of this machine a connection may read or write: none of the kernel's, and none where our secrets lie.

A connection is made over the API too, so that "a file that this user may read" would be the key that seals all secrets.
`ALLOW_PATHS` narrows it further. What it refuses is decided by where a path really leads; it opens nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

KERNEL = tuple(map(Path, ("/proc", "/sys", "/dev")))
# A file system in memory that programs use as a temporary folder.
IN_MEMORY = Path("/dev/shm")
SECRETS = "/run/secrets"


def folders(text: str | None) -> tuple[Path, ...]:
    """The folders of a variable, separated by commas or colons. Raises ValueError naming one that is not absolute."""
    found = [part.strip() for part in (text or "").replace(":", ",").split(",")]
    for part in filter(None, found):
        if not part.startswith("/") or "\0" in part:
            raise ValueError(part)
    return tuple(Path(part) for part in found if part)


def secret_folders(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Where `file:` references may point: SECRETS_DIR, and systemd's credentials."""
    return folders(env.get("SECRETS_DIR") or SECRETS) + folders(env.get("CREDENTIALS_DIRECTORY"))


def refusal(path: Path, env: Mapping[str, str] | None = None) -> str | None:
    """Why a connection may not use `path`; None where it may. A folder may be used though a part of it may not."""
    env = os.environ if env is None else env
    place = path.resolve()
    # As it is written too: /proc/1/root leads into another container, and says that it leads to /.
    if any(_below(one, KERNEL) and not _below(one, [IN_MEMORY]) for one in (place, Path(os.path.abspath(path)))):
        return "belongs to the kernel: no file of it is read or written"
    if _below(place, secret_folders(env)):
        return "is where secrets lie; a secret setting may refer to a file there, as file:/…"
    if _is_ours(place, env):
        return "is a part of syncworker's own: its key and its database are not for connections"
    allowed = folders(env.get("ALLOW_PATHS"))
    if allowed and not _below(place, allowed):
        return f"is not in {', '.join(map(str, allowed))}; ALLOW_PATHS names the folders that connections may use"
    return None


def _is_ours(place: Path, env: Mapping[str, str]) -> bool:
    data = Path(env.get("DATA_DIR", "").strip() or "./.data").resolve()
    if place == Path(".env").resolve() or place == data or _below(place, [data / "mongod"]):
        return True
    is_key = place.parent == data and place.name.lstrip(".").startswith("secret_key")
    return is_key or _same(place, data / "secret_key")


def _same(place: Path, key: Path) -> bool:
    """Whether a path is the key by another name (a hard link)."""
    try:
        return place.samefile(key)
    except OSError:
        return False


def _below(place: Path, roots: tuple[Path, ...] | list[Path]) -> bool:
    return any(place.is_relative_to(root.resolve()) for root in roots)
