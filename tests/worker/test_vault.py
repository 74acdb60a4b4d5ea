"""Sealing: it opens with any of the keys, in its own place only, and tells nothing where it does not open."""

from __future__ import annotations

import pytest

from worker.errors import Permanent
from worker.vault import Vault

OLD, NEW = "the old key, long enough", "the new key, long enough"
HERE, THERE = "connections/shop/url", "connections/lake/url"


def test_what_is_sealed_opens_and_does_not_show() -> None:
    vault = Vault([NEW])
    sealed = vault.seal("postgres://u:geheim@h/d", context=HERE)
    assert "geheim" not in str(sealed)
    assert vault.open(sealed, context=HERE) == "postgres://u:geheim@h/d"


def test_the_same_secret_looks_different_each_time() -> None:
    vault = Vault([NEW])
    assert vault.seal("x", context=HERE) != vault.seal("x", context=HERE)


def test_swapped_ciphertexts_are_refused() -> None:
    vault = Vault([NEW])
    with pytest.raises(Permanent, match="was altered, or moved"):
        vault.open(vault.seal("x", context=HERE), context=THERE)


def test_an_altered_text_is_refused() -> None:
    vault = Vault([NEW])
    sealed = vault.seal("secret", context=HERE)
    other = vault.seal("public", context=HERE)
    with pytest.raises(Permanent):
        vault.open(sealed | {"text": other["text"]}, context=HERE)


def test_keys_rotate() -> None:
    sealed = Vault([OLD]).seal("x", context=HERE)
    both = Vault([NEW, OLD])
    assert both.open(sealed, context=HERE) == "x"
    again = both.reseal(sealed, context=HERE)
    assert Vault([NEW]).open(again, context=HERE) == "x"
    assert both.reseal(again, context=HERE) is again


def test_a_missing_key_is_named_as_such() -> None:
    sealed = Vault([OLD]).seal("x", context=HERE)
    with pytest.raises(Permanent, match="sealed under another SECRET_KEY"):
        Vault([NEW]).open(sealed, context=HERE)
