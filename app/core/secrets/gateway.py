"""The keys that encrypt data keys: in AWS KMS where SECRETS_KMS_KEY_ID is set, in a file otherwise."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import boto3.session
import orjson
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, model_validator

from app.core.errors import ServiceUnavailable
from app.core.gateways import Gateway
from app.core.logging import get_logger
from app.core.pools import OUTSIDE
from app.core.runtime import Runtime, development_secret
from app.core.secrets.errors import SecretUnreadable

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

KEY_BYTES = 32
_NONCE_BYTES = 12
_FOREIGN = frozenset({"InvalidCiphertextException", "IncorrectKeyException", "NotFoundException"})
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key of 32 bytes, in clear and encrypted. `keeper` and `key` name the key that encrypted it."""

    keeper: str
    key: str
    plain: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)


class KeyKeeper(Protocol):
    """A place that keeps keys."""

    name: str

    async def new_data_key(self, context: Mapping[str, str]) -> DataKey:
        """A new data key, encrypted under the active key and bound to `context`. Raises ServiceUnavailable."""

    async def open_data_key(self, key: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """The data key in clear. Raises SecretUnreadable (another key or context), ServiceUnavailable."""

    def is_active(self, key: str) -> bool:
        """True if new data keys are encrypted under `key`."""


class KeyFile(BaseModel):
    """`keys` maps a key id to 32 bytes in base64. `active` encrypts; all decrypt, so that a key can be replaced."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    active: str
    keys: dict[str, str]

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.active not in self.keys:
            raise ValueError("the active key is not among the keys")
        for name in self.keys:
            try:
                decoded = self.decoded(name)
            except (binascii.Error, ValueError):
                raise ValueError(f"key {name} is no base64") from None
            if len(decoded) != KEY_BYTES:
                raise ValueError(f"key {name} needs exactly {KEY_BYTES} bytes")
        return self

    def decoded(self, name: str) -> bytes:
        return base64.b64decode(self.keys[name], validate=True)

    @classmethod
    def generate(cls) -> KeyFile:
        return cls(active="k1", keys={"k1": base64.b64encode(AESGCM.generate_key(256)).decode()})

    @classmethod
    def load(cls, file: Path) -> KeyFile:
        """Raises OSError, pydantic.ValidationError; neither quotes a key."""
        return cls.model_validate(orjson.loads(file.read_bytes()))


class FileKeys:
    """The keys of a file. A wrapped data key is a nonce and the ciphertext of AES-256-GCM."""

    name = "file"

    def __init__(self, file: KeyFile) -> None:
        self._active = file.active
        self._keys = {name: AESGCM(file.decoded(name)) for name in file.keys}

    async def new_data_key(self, context: Mapping[str, str]) -> DataKey:
        plain, nonce = AESGCM.generate_key(256), os.urandom(_NONCE_BYTES)
        wrapped = nonce + self._keys[self._active].encrypt(nonce, plain, bound(context))
        return DataKey(self.name, self._active, plain, wrapped)

    async def open_data_key(self, key: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        held = self._keys.get(key)
        if held is None:
            _log.error("key is not in the key file")
            raise SecretUnreadable
        try:
            return held.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], bound(context))
        except (InvalidTag, ValueError):
            raise SecretUnreadable from None

    def is_active(self, key: str) -> bool:
        return key == self._active


class KmsKeys:
    """One key of AWS KMS, which never leaves it. boto3 blocks, so every call runs in a thread."""

    name = "kms"

    def __init__(self, client: KMSClient, key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    async def new_data_key(self, context: Mapping[str, str]) -> DataKey:
        try:
            made = await OUTSIDE.run(
                self._client.generate_data_key,
                KeyId=self._key_id,
                KeySpec="AES_256",
                EncryptionContext=dict(context),
            )
        except (BotoCoreError, ClientError) as error:
            raise _away(error) from None
        return DataKey(self.name, self._key_id, made["Plaintext"], made["CiphertextBlob"])

    async def open_data_key(self, key: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        try:
            opened = await OUTSIDE.run(
                self._client.decrypt, KeyId=key, CiphertextBlob=wrapped, EncryptionContext=dict(context)
            )
        except ClientError as error:
            if error.response["Error"].get("Code") in _FOREIGN:
                raise SecretUnreadable from None
            raise _away(error) from None
        except BotoCoreError as error:
            raise _away(error) from None
        plain: bytes = opened["Plaintext"]
        return plain

    def is_active(self, key: str) -> bool:
        return key == self._key_id


def _away(error: BotoCoreError | ClientError) -> ServiceUnavailable:
    code = error.response["Error"].get("Code") if isinstance(error, ClientError) else None
    _log.warning("kms not reached", error_code=code, exc_info=error)
    return ServiceUnavailable("The key of the secrets cannot be had now; try again.")


class KeyEncryption:
    """The keepers of one installation. The first one encrypts; all decrypt, so that KMS can replace a key file."""

    def __init__(self, *keepers: KeyKeeper) -> None:
        self._active = keepers[0]
        self._keepers = {keeper.name: keeper for keeper in keepers}

    async def new_data_key(self, context: Mapping[str, str]) -> DataKey:
        """Raises ServiceUnavailable."""
        return await self._active.new_data_key(context)

    async def open_data_key(self, keeper: str, key: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """Raises SecretUnreadable, ServiceUnavailable."""
        found = self._keepers.get(keeper)
        if found is None:
            _log.error("keeper of keys is not configured")
            raise SecretUnreadable
        return await found.open_data_key(key, wrapped, context)

    def is_active(self, keeper: str, key: str) -> bool:
        return keeper == self._active.name and self._active.is_active(key)


def bound(context: Mapping[str, str]) -> bytes:
    """The only encoding of `context` as bytes. Names and values stay separate in it."""
    return b"".join(
        len(part).to_bytes(4, "big") + part
        for name, value in sorted(context.items())
        for part in (name.encode(), value.encode())
    )


def _open_keys(runtime: Runtime) -> KeyEncryption:
    settings = runtime.settings
    keepers: list[KeyKeeper] = []
    if settings.secrets_kms_key_id is not None:
        client = boto3.session.Session().client(
            "kms",
            config=Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 3, "mode": "standard"}),
        )
        keepers.append(KmsKeys(client, settings.secrets_kms_key_id))
    if settings.secrets_key_file is not None:
        keepers.append(FileKeys(KeyFile.load(settings.secrets_key_file)))
    elif not keepers:
        made = development_secret(settings.data_dir, "secrets_keys", lambda: KeyFile.generate().model_dump())
        keepers.append(FileKeys(KeyFile.model_validate(made)))
    return KeyEncryption(*keepers)


SECRET_KEYS: Gateway[KeyEncryption] = Gateway("keys of the secrets", _open_keys)
