"""The text of a refresh token: tenant, session and generation under a seal. The database holds no part of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from app.core.ids import TenantId
from app.core.keys import Keyring
from app.core.sealed import SealedTokens

_KEY_PURPOSE = "refresh-idempotency-key"


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """`generation` counts the refreshes of the session. Each has exactly one token, which can be derived again."""

    tenant_id: TenantId
    session_id: uuid.UUID
    generation: int

    def text(self, keys: Keyring) -> str:
        """About 210 characters of URL-safe text. The text does not expire; the session does."""
        return _TOKENS.write(keys, self)

    @classmethod
    def read(cls, keys: Keyring, text: str) -> RefreshToken | None:
        """The token of a text with a good seal, in the exact spelling of `text`; otherwise None."""
        return _TOKENS.read(keys, text)


_TOKENS = SealedTokens("refresh-token", RefreshToken)


def rotation_key(keys: Keyring, session_id: uuid.UUID, idempotency_key: str | None) -> str | None:
    """The digest under which a session remembers the Idempotency-Key of its last refresh."""
    if idempotency_key is None:
        return None
    return keys.seal(_KEY_PURPOSE, session_id.bytes + idempotency_key.encode()).hex()
