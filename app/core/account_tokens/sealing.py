"""The text of an account token: tenant, token id and a seal over both, so that the text need not be stored."""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid

from app.core.ids import TenantId
from app.core.keys import Keyring

_PURPOSE = "account-token"
_SEALED_BYTES = 64


def token_text(keys: Keyring, tenant_id: uuid.UUID, token_id: uuid.UUID) -> str:
    """86 characters of URL-safe base64: 16 bytes tenant, 16 bytes token id, 32 bytes seal."""
    named = tenant_id.bytes + token_id.bytes
    return base64.urlsafe_b64encode(named + keys.seal(_PURPOSE, named)).decode().rstrip("=")


def token_hash(text: str) -> str:
    """What the database holds of it: SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_token(keys: Keyring, text: str) -> tuple[TenantId, uuid.UUID] | None:
    """The tenant and the token id that the seal vouches for, or None."""
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    named, seal = sealed[:32], sealed[32:]
    if len(sealed) != _SEALED_BYTES or not keys.verify(_PURPOSE, named, seal):
        return None
    return TenantId(uuid.UUID(bytes=named[:16])), uuid.UUID(bytes=named[16:])
