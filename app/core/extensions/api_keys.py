"""External API keys: 192 random bits under a seal. The database holds only a digest (docs/adr/0041-devices.md)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import uuid

from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.errors import Unauthenticated
from app.core.extensions.repository import ApiKeyRepository, get_cross_tenant_for_admin_only_by_key_hash
from app.core.ids import TenantId
from app.core.keys import Seal
from app.core.permissions import Principal, Role
from app.core.runtime import Runtime

_MARK = "fqk_"  # scanners of leaked secrets recognise a key by it
_SHOWN = len(_MARK) + 8
_FORM = re.compile("[A-Za-z0-9_-]{43}")
_PURPOSE = "external-api-key"
_RANDOM_BYTES, _SEAL_BYTES = 24, 8


class ApiKeyAction(AuditAction):
    USED = "external_api_key.used"


def new_key(seal: Seal) -> tuple[str, dict[str, str]]:
    """A key and its columns: `fqk_` and 43 characters of URL-safe base64, for 24 random bytes and 8 of their seal.

    The key's first 12 characters and its SHA-256 in hex are stored.
    """
    random = secrets.token_bytes(_RANDOM_BYTES)
    sealed = base64.urlsafe_b64encode(random + _sealed(seal, random)).decode().rstrip("=")
    key = _MARK + sealed
    return key, {"prefix": key[:_SHOWN], "secret_hash": key_hash(key)}


def key_hash(key: str) -> str:
    """The digest of a key. A fast one is enough, because nobody guesses 192 bits."""
    return hashlib.sha256(key.encode()).hexdigest()


def is_key(token: str) -> bool:
    """True if a bearer token is meant as an external API key, and not as an access token."""
    return token.startswith(_MARK)


async def authenticate(runtime: Runtime, key: str) -> Principal:
    """The principal of a key. Raises Unauthenticated, TenantSuspended.

    A key without our seal is refused without a question to the database. Any other is looked up at each request, so a
    revoked key is refused at once.
    """
    if not _is_ours(runtime.keys.seal, key):
        raise Unauthenticated
    async with runtime.system_unit_of_work() as system:
        found = await get_cross_tenant_for_admin_only_by_key_hash(system, key_hash(key))
    now = utcnow()
    if found is None or (found["expires_at"] is not None and found["expires_at"] <= now):
        raise Unauthenticated
    tenant_id, key_id = TenantId(found["tenant_id"]), found["id"]
    await runtime.gate.admit(tenant_id, None)
    principal = Principal(tenant_id, Role.KEY, key_id=key_id, scopes=frozenset(found["scopes"]))
    if found["last_used_on"] != now.date():
        await _note_use(runtime, principal, key_id)
    return principal


async def _note_use(runtime: Runtime, principal: Principal, key_id: uuid.UUID) -> None:
    """Records the first use of a day. Raises Unauthenticated if the key was revoked in the meantime."""
    async with runtime.unit_of_work(principal) as uow:
        key = await ApiKeyRepository(uow).find_for_update(uow.tenant_id, key_id)
        if key is None:
            raise Unauthenticated
        async with uow.change(key, ApiKeyAction.USED):
            key.last_used_on = utcnow().date()


def _is_ours(seal: Seal, key: str) -> bool:
    """True if this service made the key."""
    text = key.removeprefix(_MARK)
    if not _FORM.fullmatch(text):
        return False
    try:
        sealed = base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except binascii.Error:
        return False
    random, given = sealed[:_RANDOM_BYTES], sealed[_RANDOM_BYTES:]
    return hmac.compare_digest(_sealed(seal, random), given)


def _sealed(seal: Seal, random: bytes) -> bytes:
    return seal(_PURPOSE, random)[:_SEAL_BYTES]
