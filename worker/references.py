"""What a setting may refer to instead of holding it: `${NAME}` of the environment, `file:/run/secrets/x`.

References are kept as text wherever a connection is stored or shown; `fill` alone reads their values, in the process
that opens the connection. They never reach the program's own secrets, nor a file outside the folders of secrets. `$${`
stands for a literal `${`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from worker import confined, places, redaction, url_secrets
from worker.redaction import OWN_SECRETS

MOST_BYTES = 65_536

_REFERENCE = re.compile(r"(\$?)\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILE = re.compile(r"file:(?://)?(/[^\0]*)")
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|key|credential", re.IGNORECASE)


class NotFilled(Exception):
    """A reference that has no value; the message begins with a verb."""


def references(text: str) -> Iterator[str]:
    """What stands between the braces of each reference."""
    return (name for escape, name in _REFERENCE.findall(text) if not escape)


def whole_file(text: str) -> bool:
    """Whether a text is `file:/…` and nothing else. Only a secret setting may be: elsewhere it is just a text."""
    return _FILE.fullmatch(text) is not None


def nothing_else(text: str) -> bool:
    """Whether a text is made of references in braces alone, so that it shows nothing."""
    return "${" in text and not _REFERENCE.sub(lambda one: one[1], text)


def fault(name: str) -> str | None:
    """What is wrong with a reference by its name alone; None where only its value can tell."""
    if name in OWN_SECRETS and name != "MONGO_URL":
        return f"refers to ${{{name}}}, a secret of the program itself, which no connection may read"
    if _NAME.fullmatch(name) or _FILE.fullmatch(name):
        return None
    return f"has ${{{name}}}; allowed: ${{NAME}}, ${{file:/run/secrets/NAME}}, or $${{ for a literal ${{"


def fill(text: str, env: Mapping[str, str], missing: Callable[[str], None], *, secret: bool) -> str:
    """`text` with its references replaced; what cannot be is told to `missing`. Secret values are registered."""
    if secret and whole_file(text):
        text = f"${{{text}}}"

    def value(match: re.Match[str]) -> str:
        escape, name = match.groups()
        if escape:
            return f"${{{name}}}"
        try:
            found = _value(name, env)
        except NotFilled as error:
            missing(str(error))
            return ""
        if _SECRET_NAME.search(name) or name.startswith("file:") or url_secrets.is_url(found):
            redaction.register_setting(found)
        return found

    return _REFERENCE.sub(value, text)


def _value(name: str, env: Mapping[str, str]) -> str:
    wrong = fault(name)
    if wrong:
        raise NotFilled(wrong)
    file = _FILE.fullmatch(name)
    found = _content(Path(file[1]), env) if file else env.get(name)
    if found is None:
        raise NotFilled(f"refers to ${{{name}}}, which is not set in the environment")
    if name == "MONGO_URL" and "@" in found:
        raise NotFilled("refers to ${MONGO_URL}, which has a password: give the connection a variable of its own")
    if found in _own_values(env):
        raise NotFilled(f"refers to ${{{name}}}, which holds a secret of the program itself; no connection may read it")
    return found


def _own_values(env: Mapping[str, str]) -> set[str]:
    """Our own secrets as they are, so that a copy under another name is known for one."""
    values = [*env.get("SECRET_KEY", "").split(","), env.get("AUTH_TOKEN", ""), env.get("ADMIN_PASSWORD", "")]
    if "@" in env.get("MONGO_URL", ""):
        values.append(env["MONGO_URL"])
    return {value.strip() for value in values if value.strip()}


def _content(path: Path, env: Mapping[str, str]) -> str:
    """The text of a file in a folder of secrets, without the line's end that editors put behind it."""
    allowed = places.secret_folders(env)
    within = next((folder for folder in allowed if Path(os.path.normpath(path)).is_relative_to(folder)), None)
    if within is None:
        listed = ", ".join(map(str, allowed))
        raise NotFilled(f"refers to file:{path}, which is not in {listed}; SECRETS_DIR names the folders of secrets")
    if path.name.upper().removeprefix("SYNCWORKER_") in OWN_SECRETS:  # as systemd and Docker hand them to us
        raise NotFilled(f"refers to file:{path}, a secret of the program itself, which no connection may read")
    try:
        with open(confined.open_file(path, within), "rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise NotFilled(f"refers to file:{path}, which is longer than {MOST_BYTES:,} bytes")
        text = data.decode("utf-8")
    except confined.Outside as error:
        raise NotFilled(f"refers to file:{path}, which {error}") from None
    except UnicodeDecodeError:
        raise NotFilled(f"refers to file:{path}, which is no UTF-8 text") from None
    except OSError as error:
        raise NotFilled(f"refers to file:{path}, which cannot be read: {error.strerror}") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if "\0" in text or not text:
        raise NotFilled(f"refers to file:{path}, which is {'empty' if not text else 'no text: it has a NUL'}")
    return text
