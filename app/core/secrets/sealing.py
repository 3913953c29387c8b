"""The envelope of a secret in the database: AES-256-GCM under a data key, which a key elsewhere encrypts."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Base64Bytes, BaseModel, ConfigDict, ValidationError

from app.core.ids import TenantId
from app.core.secrets.errors import SecretUnreadable
from app.core.secrets.gateway import KeyEncryption, bound

_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Place:
    """The place of an envelope. It opens there and nowhere else."""

    tenant_id: TenantId
    secret_id: uuid.UUID
    name: str
    number: int

    def context(self) -> Mapping[str, str]:
        """The data that the key is bound to (KMS: encryption context). KMS logs it, and it holds no secret."""
        return {
            "tenant": str(self.tenant_id),
            "secret_id": str(self.secret_id),
            "secret": self.name,
            "version": str(self.number),
        }

    def associated_data(self) -> bytes:
        return bound(self.context())


class _Envelope(BaseModel):
    """`keeper` and `key` name the key that encrypts the data key."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    keeper: str
    key: str
    data_key: Base64Bytes
    nonce: Base64Bytes
    ciphertext: Base64Bytes


async def seal(keys: KeyEncryption, place: Place, value: str) -> str:
    """The envelope of `value`, as text. Raises ServiceUnavailable while the key is out of reach."""
    made = await keys.new_data_key(place.context())
    nonce = os.urandom(_NONCE_BYTES)
    ciphertext = AESGCM(made.plain).encrypt(nonce, value.encode(), place.associated_data())
    return _Envelope.model_construct(
        keeper=made.keeper, key=made.key, data_key=made.wrapped, nonce=nonce, ciphertext=ciphertext
    ).model_dump_json()


async def unseal(keys: KeyEncryption, place: Place, sealed: str) -> str:
    """Raises SecretUnreadable, and ServiceUnavailable while the key is out of reach."""
    envelope = _read(sealed)
    data_key = await keys.open_data_key(envelope.keeper, envelope.key, envelope.data_key, place.context())
    try:
        return AESGCM(data_key).decrypt(envelope.nonce, envelope.ciphertext, place.associated_data()).decode()
    except (InvalidTag, ValueError):
        raise SecretUnreadable from None


def is_under_active_key(keys: KeyEncryption, sealed: str) -> bool:
    """Raises SecretUnreadable for a text that is no envelope."""
    envelope = _read(sealed)
    return keys.is_active(envelope.keeper, envelope.key)


def _read(sealed: str) -> _Envelope:
    try:
        return _Envelope.model_validate_json(sealed)
    except ValidationError:
        raise SecretUnreadable from None
