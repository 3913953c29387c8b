"""The text of a refresh token: tenant, session, generation and a seal over them; the database holds no part of it."""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid
from dataclasses import dataclass

from app.core.ids import TenantId
from app.core.keys import Keyring

_PURPOSE = "refresh-token"
_KEY_PURPOSE = "refresh-idempotency-key"
_NAMED_BYTES, _SEALED_BYTES = 36, 68


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """`generation` counts the refreshes of the session: each has exactly one token, which can be derived again."""

    tenant_id: TenantId
    session_id: uuid.UUID
    generation: int

    def text(self, keys: Keyring) -> str:
        """91 characters of URL-safe base64: 16 bytes tenant, 16 bytes session, 4 bytes generation, 32 bytes seal."""
        named = self.tenant_id.bytes + self.session_id.bytes + self.generation.to_bytes(4)
        return base64.urlsafe_b64encode(named + keys.seal(_PURPOSE, named)).decode().rstrip("=")

    @classmethod
    def read(cls, keys: Keyring, text: str) -> RefreshToken | None:
        """What the seal vouches for, in the one spelling that we give it; or None."""
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        if len(sealed) != _SEALED_BYTES:
            return None
        tenant, session, generation = sealed[:16], sealed[16:32], sealed[32:_NAMED_BYTES]
        token = cls(TenantId(uuid.UUID(bytes=tenant)), uuid.UUID(bytes=session), int.from_bytes(generation))
        return token if hmac.compare_digest(token.text(keys).encode(), text.encode()) else None


def rotation_key(keys: Keyring, session_id: uuid.UUID, idempotency_key: str | None) -> str | None:
    """The digest under which a session remembers the Idempotency-Key of its last refresh."""
    if idempotency_key is None:
        return None
    return keys.seal(_KEY_PURPOSE, session_id.bytes + idempotency_key.encode()).hex()
