"""The password of people, checked with argon2id; of the text in the environment only a hash stays here.

The profile is the second that RFC 9106 recommends (64 MiB, 3 passes, 4 lanes): a look takes some 0.1 s, one at a time.
The salt of a plain ADMIN_PASSWORD is fixed: the hash is never stored, and every start has to make the same session key.
"""

from __future__ import annotations

import hashlib
import threading

from argon2.exceptions import VerificationError
from argon2.low_level import Type, hash_secret, verify_secret
from argon2.profiles import RFC_9106_LOW_MEMORY as PROFILE

HASHED = "$argon2id$"
_SALT = hashlib.sha256(b"syncworker ADMIN_PASSWORD").digest()[: PROFILE.salt_len]
# One look at a time in this process: logins may be slow together, but never eat the memory.
_one = threading.Lock()


def hashed(password: str, salt: bytes) -> str:
    """`password` as `$argon2id$…`, which ADMIN_PASSWORD may be."""
    with _one:
        return hash_secret(
            password.encode("utf-8", "surrogatepass"),
            salt,
            time_cost=PROFILE.time_cost,
            memory_cost=PROFILE.memory_cost,
            parallelism=PROFILE.parallelism,
            hash_len=PROFILE.hash_len,
            type=Type.ID,
        ).decode()


class Password:
    """`given` is the plain password, or its hash as `syncworker hash-password` prints it."""

    def __init__(self, given: str) -> None:
        self._hash = given if given.startswith(HASHED) else hashed(given, _SALT)

    def __repr__(self) -> str:
        return "Password(********)"

    @property
    def session_key(self) -> bytes:
        """Another password is another key."""
        return hashlib.sha256(self._hash.encode()).digest()

    def right(self, given: str) -> bool:
        with _one:
            try:
                return verify_secret(self._hash.encode(), given.encode("utf-8", "surrogatepass"), Type.ID)
            except VerificationError:
                return False
