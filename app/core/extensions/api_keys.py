"""Making an external API key: 256 random bits, of which the database holds a digest."""

from __future__ import annotations

import hashlib
import secrets

from app.core.reference.kinds import Issued

_MARK = "fqk_"  # lets scanners of leaked secrets recognise one
_SHOWN = len(_MARK) + 8


def issue_key() -> Issued:
    """`fqk_` and 43 characters of URL-safe base64; stored are its first twelve characters and its SHA-256 in hex."""
    key = _MARK + secrets.token_urlsafe(32)
    return Issued({"prefix": key[:_SHOWN], "secret_hash": key_hash(key)}, {"secret": key})


def key_hash(key: str) -> str:
    """A fast digest will do: nobody guesses 256 bits."""
    return hashlib.sha256(key.encode()).hexdigest()
