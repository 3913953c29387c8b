"""Derived keys: one per purpose and context; digests that tell of change and of nothing else."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest

from app.core.keys import Keyring

KEYS = Keyring(b"one secret of thirty-two bytes...")


def test_purposes_and_contexts_have_keys_of_their_own() -> None:
    derived = {KEYS.key("a"), KEYS.key("b"), KEYS.key("a", b"1"), KEYS.key("a", b"2"), KEYS.key("a1")}
    assert len(derived) == 5 and all(len(key) == 32 for key in derived)
    assert KEYS.key("a") == Keyring(b"one secret of thirty-two bytes...").key("a")
    assert KEYS.key("a") != Keyring(b"another secret of thirty-two....").key("a")


def test_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring(b"short")


def test_seal_vouches_for_its_message_and_purpose_only() -> None:
    seal = KEYS.seal("link", b"message")
    others = [
        KEYS.seal("link", b"another"),
        KEYS.seal("other", b"message"),
        Keyring(bytes(32)).seal("link", b"message"),
    ]
    assert len(seal) == 32 and seal == KEYS.seal("link", b"message") and seal not in others


def test_digest_is_equal_for_the_same_value_of_the_same_entity_only() -> None:
    tenant, entity = uuid.uuid4(), uuid.uuid4()
    digest = KEYS.value_digest(tenant, entity)
    assert digest("name", "Quill") == KEYS.value_digest(tenant, entity)("name", "Quill")
    others = [
        digest("name", "Quilt"),
        digest("street", "Quill"),
        KEYS.value_digest(tenant, uuid.uuid4())("name", "Quill"),
        KEYS.value_digest(uuid.uuid4(), entity)("name", "Quill"),
    ]
    assert digest("name", "Quill") not in others and len(set(others)) == 4
    assert digest("name", None) is None
    assert digest("dose", Decimal("1.50")) == digest("dose", Decimal("1.50"))
    assert digest("json", {"a": 1, "b": 2}) == digest("json", {"b": 2, "a": 1})
