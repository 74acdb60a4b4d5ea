"""Seal and open secrets with AES-256-GCM, each bound to the place where it is stored.

Keys are derived from the texts of SECRET_KEY (newest first); a sealed record names its key, so that older keys still
open it. It does not store anything, and it cannot open what was sealed under a key that is gone.
Source: NIST SP 800-38D; HKDF, RFC 5869.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from worker.errors import Permanent

NONCE_BYTES = 12


class Vault:
    """`keys` newest first: the first seals, all open."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("a vault needs at least one key")
        self._keys = {_key_id(key): AESGCM(_derive(key)) for key in keys}
        self._newest = _key_id(keys[0])

    @property
    def key_ids(self) -> list[str]:
        """The names of our keys, newest first."""
        return list(self._keys)

    def seal(self, plain: str, *, context: str) -> dict[str, Any]:
        """A record {key, nonce, text} that only opens with the same `context` (where it is stored)."""
        nonce = os.urandom(NONCE_BYTES)
        text = self._keys[self._newest].encrypt(nonce, plain.encode(), context.encode())
        return {"key": self._newest, "nonce": _encode(nonce), "text": _encode(text)}

    def open(self, sealed: dict[str, Any], *, context: str) -> str:
        """The plain text. Raises Permanent where the key is not ours, or the record was moved or altered."""
        cipher = self._keys.get(sealed["key"])
        if cipher is None:
            raise Permanent(
                f"the secret {context} was sealed under another SECRET_KEY (key {sealed['key']}); "
                "add the old key behind the new one, comma-separated, or enter the secret again"
            )
        try:
            return cipher.decrypt(_decode(sealed["nonce"]), _decode(sealed["text"]), context.encode()).decode()
        except InvalidTag:
            raise Permanent(f"the secret {context} was altered, or moved from another place; enter it again") from None

    def under(self, key: str) -> Vault:
        """A vault that seals with `key`, and opens what that or this one sealed."""
        made = Vault([key])
        made._keys |= {name: cipher for name, cipher in self._keys.items() if name not in made._keys}
        return made

    def reseal(self, sealed: dict[str, Any], *, context: str) -> dict[str, Any]:
        """The record under the newest key; itself where it already is."""
        if sealed["key"] == self._newest:
            return sealed
        return self.seal(self.open(sealed, context=context), context=context)


def _derive(key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"syncworker vault").derive(key.encode())


def _key_id(key: str) -> str:
    """A name for a key that tells nothing of it."""
    return hashlib.sha256(b"syncworker key id" + _derive(key)).hexdigest()[:12]


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text)
