"""`tokens` and `hash-password`: credentials of programs, and the hash of the password of people."""

from __future__ import annotations

import getpass
import secrets
import sys

from app.api.password import hashed
from app.api.tokens import lifetime, shape
from app.api.wire import NewToken
from app.terminal import print_json, print_table, when
from app.verbs.session import session
from worker.access import Scope
from worker.errors import BadInput, Fault

SALT_BYTES = 16


def list_(*, as_json: bool) -> int:
    """Every token, never the credential itself."""
    with session() as here:
        found = [shape(one) for one in here.store.tokens.list()]
        now = here.store.now()
    if as_json:
        print_json({"items": found, "next": None})
        return 0
    rows = []
    for one in found:
        ends = "never" if one.expires_at is None else when(one.expires_at, now)
        state = "revoked" if one.revoked_at else "live" if one.live else "expired"
        rows.append([one.id, one.name, one.scope, f"{one.prefix}…", state, ends, when(one.last_used_at, now)])
    if rows:
        print_table(["ID", "NAME", "SCOPE", "BEGINS", "STATE", "EXPIRES", "LAST USED"], rows)
    else:
        print("no tokens; see `syncworker tokens create`")
    return 0


def create(name: str, scope: str, expires_in: str | None, *, as_json: bool) -> int:
    """Print a new token, alone on standard output: nowhere can it be read again. Raises BadInput."""
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise BadInput([Fault(field="NAME", message=f"is {name!r}; allowed: 1 to 100 printable characters")])
    with session() as here:
        seconds = lifetime(expires_in)
        stored, token = here.store.tokens.create(name, Scope(scope), seconds, here.who.name)
        made = shape(stored | {"live": True})
        here.store.audit.record(here.who, "token.create", f"tokens/{made.id}", after=made.model_dump(mode="json"))
        now = here.store.now()
    if as_json:
        print_json(NewToken(**made.model_dump(), token=token))
        return 0
    print(token)
    ends = "until it is revoked" if made.expires_at is None else f"until {when(made.expires_at, now)}"
    print(f"token {made.id} ({name}) opens with the scope {scope}, {ends}; it is not shown again", file=sys.stderr)
    return 0


def revoke(token_id: str, *, as_json: bool) -> int:
    """End a token at once. Raises NotFound."""
    with session() as here:
        gone = here.store.tokens.revoke(token_id)
        before = {"name": gone["name"], "scope": gone["scope"], "prefix": gone["prefix"]}
        here.store.audit.record(here.who, "token.revoke", f"tokens/{token_id}", before=before)
    if as_json:
        print_json(shape(gone | {"live": False}))
    else:
        print(f"token {token_id} ({gone['name']}) opens nothing any more")
    return 0


def hash_password() -> int:
    """Print the argon2id hash of the password on standard input: ADMIN_PASSWORD may be that in its place."""
    if sys.stdin.isatty():
        given = getpass.getpass("Password: ")
        if given != getpass.getpass("Once more: "):
            raise BadInput([Fault(field="the passwords", message="differ")])
    else:
        given = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    if not given or given != given.strip() or "\n" in given:
        message = "is empty, begins or ends with a blank, or has two lines; allowed: one line of text"
        raise BadInput([Fault(field="the password", message=message)])
    print(hashed(given, secrets.token_bytes(SALT_BYTES)))
    return 0
