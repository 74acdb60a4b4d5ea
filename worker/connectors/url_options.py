"""Which parameters a connection's URL may have: none that loads code, runs a program or reads a file of the machine.

What is not on the list of a connector is refused by its name. Files that a parameter needs (certificates, keys) may lie
in the folders of secrets alone. It reads no file and opens no connection.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from worker import confined, places


def parameters(url: str) -> list[tuple[str, str]]:
    """Name and value of each parameter, both decoded once, as the drivers do."""
    found = []
    for part in _parts(url)[1].replace(";", "&").split("&"):
        name, _, value = part.partition("=")
        if part:
            found.append((unquote(name), unquote(value)))
    return found


def _parts(url: str) -> tuple[str, str]:
    """Hosts and query. Raises ValueError where the two cannot be told apart: no part of a password may be repeated."""
    authority, _, rest = re.sub(r"^[^:]*://", "", url).partition("/")
    authority, question, query = authority.partition("?")
    if not question:
        rest, _, query = rest.partition("?")
    if "@" in rest + query or "#" in url or any(ord(character) < 33 for character in url):
        raise ValueError("cannot be read; write special characters, those of the password above all, as %XX")
    return authority.rpartition("@")[2], query


def check_parameters(url: str, allowed: Mapping[str, str | None]) -> None:
    """Raise ValueError for a parameter that is not `allowed`: name (in lower case) -> what its value is.

    That is None for any value, `file` for a file of a folder of secrets, else the values there are, by `|`.
    """
    for name, value in parameters(url):
        if name.lower() not in allowed:
            raise ValueError(f"has the parameter {name!r}, which is not taken; allowed: {', '.join(sorted(allowed))}")
        check_value(name, value, allowed[name.lower()])


def check_value(name: str, value: str, wanted: str | None) -> None:
    """Raise ValueError where a value is none that is wanted."""
    if name.lower() in ("host", "hostaddr"):
        for host in value.split(","):
            check_host(host)
    if wanted is None:
        return
    values = wanted.split("|")
    if value in values:
        return
    if "file" not in values:
        raise ValueError(f"has {name}={value!r}; allowed: {', '.join(values)}")
    _check_file(name, value)


def _check_file(name: str, value: str) -> None:
    allowed = places.secret_folders(os.environ)
    path = Path(os.path.normpath(value))
    within = next((folder for folder in allowed if path.is_relative_to(folder)), None)
    listed = ", ".join(map(str, allowed))
    if within is None:
        raise ValueError(f"has {name}={value!r}; a file must be in {listed}, which SECRETS_DIR names")
    try:
        os.close(confined.open_file(path, within))
    except confined.Outside as error:
        raise ValueError(f"has {name}={value!r}, which {error}") from None
    except OSError as error:
        raise ValueError(f"has {name}={value!r}, which cannot be read: {error.strerror}") from None


def check_hosts(url: str) -> None:
    """Raise ValueError for a socket of this machine in place of a host: it would log in as our own user."""
    for host in _parts(url)[0].split(","):
        check_host(unquote(host))


def check_host(host: str) -> None:
    if host.startswith(("/", "@")) or "/" in host or "\0" in host:
        raise ValueError(f"has the host {host!r}; sockets are not taken, only names and addresses")
