"""The text of an account token. It is derived from the token's id, so it is not stored."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass

from app.core.ids import TenantId
from app.core.keys import Keyring
from app.core.sealed import SealedTokens


@dataclass(frozen=True, slots=True)
class _Named:
    tenant_id: TenantId
    token_id: uuid.UUID


_TOKENS = SealedTokens("account-token", _Named)


def token_text(keys: Keyring, tenant_id: uuid.UUID, token_id: uuid.UUID) -> str:
    """182 characters of URL-safe text. The text does not expire; the stored token does."""
    return _TOKENS.write(keys, _Named(TenantId(tenant_id), token_id))


def token_hash(text: str) -> str:
    """SHA-256 of the text in hex. The database holds only this hash."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_token(keys: Keyring, text: str) -> tuple[TenantId, uuid.UUID] | None:
    """The tenant and the token id of a text with a good seal, or None."""
    named = _TOKENS.read(keys, text)
    return None if named is None else (named.tenant_id, named.token_id)
