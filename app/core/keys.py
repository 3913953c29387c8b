"""Keys derived from the installation's one secret: for digests in the audit log, refresh tokens and one-time links."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import Any

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES = 32
_DIGEST_BYTES = 12


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

    def seal(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA256 of `message` under the purpose's key: 32 bytes."""
        return hmac.digest(self.key(purpose), message, "sha256")

    def verify(self, purpose: str, message: bytes, seal: bytes) -> bool:
        return hmac.compare_digest(self.seal(purpose, message), seal)

    def _derive(self, purpose: str, context: bytes) -> bytes:
        info = purpose.encode() + b"\0" + context
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._secret)


class ValueDigest:
    """Keyed digests of one tenant's values: equal values show as equal, and nothing else about them can be told."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, field: str, value: Any) -> str:
        """`digest:` and 24 hex digits. The field's name is part of it: the same text in two fields differs."""
        content = orjson.dumps([field, value], str, orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
        return "digest:" + hashlib.blake2b(content, key=self._key, digest_size=_DIGEST_BYTES).hexdigest()
