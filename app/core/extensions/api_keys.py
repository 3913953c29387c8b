"""Makes an external API key: 256 random bits. The database holds only a digest."""

from __future__ import annotations

import hashlib
import secrets

from app.core.reference.kinds import Issued

_MARK = "fqk_"  # scanners of leaked secrets recognise a key by it
_SHOWN = len(_MARK) + 8


def issue_key() -> Issued:
    """A key: `fqk_` and 43 characters of URL-safe base64. Its first 12 characters and its SHA-256 in hex are stored."""
    key = _MARK + secrets.token_urlsafe(32)
    return Issued({"prefix": key[:_SHOWN], "secret_hash": key_hash(key)}, {"secret": key})


def key_hash(key: str) -> str:
    """The digest of a key. A fast one is enough, because nobody guesses 256 bits."""
    return hashlib.sha256(key.encode()).hexdigest()
