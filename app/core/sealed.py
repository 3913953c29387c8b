"""Sealed tokens. A token is a small payload as URL-safe text that only this service can write.

The text is `1.<payload>.<seal>`: a version, the payload as JSON, and 32 bytes of HMAC-SHA256 over everything before
them, the last two in base64 (RFC 4648 section 5, without padding). The payload can be read by anybody who holds the
text, so it names ids and never PHI.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.core.clock import utcnow
from app.core.keys import Keyring

MAX_TOKEN = 2048
_VERSION = "1."

P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """The base of payloads that expire. `expires` is in Unix seconds; from then on the token is refused."""

    expires: int


class SealedTokens(Generic[P]):
    """The tokens of one purpose. Each purpose has its own key, so a token of one purpose is invalid for another.

    `payload` is a frozen dataclass. The same payload always has the same text, so the text can be derived again
    and need not be stored.
    """

    def __init__(self, purpose: str, payload: type[P]) -> None:
        self._purpose = purpose
        self._payload: TypeAdapter[P] = TypeAdapter(payload)

    def write(self, keys: Keyring, payload: P) -> str:
        """Raises ValueError for a payload whose text would be longer than MAX_TOKEN."""
        signed = _VERSION + _encoded(self._payload.dump_json(payload))
        text = f"{signed}.{self._seal(keys, signed)}"
        if len(text) > MAX_TOKEN:
            raise ValueError(f"a token of {len(text)} characters is longer than {MAX_TOKEN}")
        return text

    def read(self, keys: Keyring, text: str) -> P | None:
        """The payload of a text with a good seal that has not expired; None for every other text.

        The seal is checked before anything is decoded. It is compared as text, in constant time. Several base64
        spellings stand for the same bytes; only the one that `write` makes is accepted.
        """
        if len(text) > MAX_TOKEN or not text.isascii() or not text.startswith(_VERSION):
            return None
        signed, _, seal = text.rpartition(".")
        if not hmac.compare_digest(self._seal(keys, signed), seal):
            return None
        content = signed.removeprefix(_VERSION)
        try:
            payload = self._payload.validate_json(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
        except ValidationError:  # sealed by a release of the service whose payload had other fields
            return None
        return None if isinstance(payload, Expiring) and utcnow().timestamp() >= payload.expires else payload

    def _seal(self, keys: Keyring, signed: str) -> str:
        return _encoded(keys.seal(self._purpose, signed.encode()))


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
