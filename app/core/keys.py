"""Keys derived from the installation's one secret, for sealed tokens and for the digests of the audit log."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES = 32
_DIGEST_BYTES = 12


Seal = Callable[[str, bytes], bytes]
"""`Keyring.seal`, as those have it who need nothing else of the keys."""


class Keyring:
    """Each purpose has a key of its own (HKDF-SHA256), so that one cannot be used for another."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_BYTES:
            raise ValueError(f"the secret key needs at least {SECRET_BYTES} bytes")
        self._secret = secret
        self._derived = lru_cache(maxsize=4096)(self._derive)

    def key(self, purpose: str, context: bytes = b"") -> bytes:
        """32 bytes for `purpose` (a constant such as "refresh-token") and `context` (such as a tenant's id)."""
        return self._derived(purpose, context)

    def value_digest(self, tenant_id: uuid.UUID, entity_id: uuid.UUID) -> ValueDigest:
        return ValueDigest(self.key("audit-digest", tenant_id.bytes), entity_id)

    def seal(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA256 of `message` under the purpose's key: 32 bytes."""
        return hmac.digest(self.key(purpose), message, "sha256")

    def _derive(self, purpose: str, context: bytes) -> bytes:
        info = purpose.encode() + b"\0" + context
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._secret)


class ValueDigest:
    """Digests of one entity's protected values. In the audit log they show that a value changed, or changed back.

    The key is the tenant's. The digest differs for every entity and field, so it does not show which patients share a
    date of birth.
    """

    __slots__ = ("_key", "_person")

    def __init__(self, tenant_key: bytes, entity_id: uuid.UUID) -> None:
        self._key = tenant_key
        self._person = entity_id.bytes

    def __call__(self, field: str, value: Any) -> str | None:
        """`digest:` and 24 hex digits (BLAKE2b of field and value); None for None."""
        if value is None:
            return None
        content = orjson.dumps([field, value], str, orjson.OPT_SORT_KEYS)
        digest = hashlib.blake2b(content, digest_size=_DIGEST_BYTES, key=self._key, person=self._person)
        return "digest:" + digest.hexdigest()
