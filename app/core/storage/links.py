"""A signed link permits its holder to send or fetch one object, for minutes, without any other credential."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from dataclasses import dataclass, field
from typing import TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from app.core.clock import utcnow
from app.core.ids import new_random_uuid
from app.core.keys import Keyring
from app.core.paths import API_PREFIX
from app.core.storage.errors import LinkRefused

UPLOAD_SECONDS = 600
DOWNLOAD_SECONDS = 300
LOCAL_UPLOADS = f"{API_PREFIX}/objects/uploads/"
LOCAL_DOWNLOADS = f"{API_PREFIX}/objects/downloads/"
MAX_TOKEN = 2048


@dataclass(frozen=True, slots=True)
class ObjectTerms:
    """The terms that an upload has to meet; nothing else is taken. `sha256` is in lower-case hex."""

    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class UploadLink:
    """This link says how to send the object: with `fields` as multipart/form-data, these first and the `file` last;
    without them as it is.

    `url` may be relative to the service's own address.
    """

    url: str
    expires_at: dt.datetime
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DownloadLink:
    """`url` may be relative to the service's own address."""

    url: str
    expires_at: dt.datetime


class _Permission(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    key: str
    expires: int

    @property
    def expired(self) -> bool:
        return utcnow().timestamp() >= self.expires


class UploadPermission(_Permission):
    """A token of the local store permits one object under `key`, of these terms. Its `nonce` makes it unique."""

    content_type: str
    size: int
    sha256: str
    nonce: str


class DownloadPermission(_Permission):
    content_type: str
    file_name: str


P = TypeVar("P", bound=_Permission)


class LinkSigner:
    """The signer makes and reads tokens for the local store's own routes. Uploads and downloads have a key each."""

    def __init__(self, keys: Keyring) -> None:
        self._keys = keys

    def sign_upload(self, key: str, terms: ObjectTerms) -> UploadLink:
        expires_at = _in(UPLOAD_SECONDS)
        permission = UploadPermission(
            key=key,
            expires=int(expires_at.timestamp()),
            content_type=terms.content_type,
            size=terms.size,
            sha256=terms.sha256,
            nonce=new_random_uuid().hex,
        )
        url = LOCAL_UPLOADS + self._sign("object-upload", permission)
        return UploadLink(url, expires_at, headers={"Content-Type": terms.content_type})

    def sign_download(self, key: str, content_type: str, file_name: str) -> DownloadLink:
        expires_at = _in(DOWNLOAD_SECONDS)
        permission = DownloadPermission(
            key=key, expires=int(expires_at.timestamp()), content_type=content_type, file_name=file_name
        )
        return DownloadLink(LOCAL_DOWNLOADS + self._sign("object-download", permission), expires_at)

    def read_upload(self, token: str) -> UploadPermission:
        """Raises LinkRefused."""
        return self._read("object-upload", UploadPermission, token)

    def read_download(self, token: str) -> DownloadPermission:
        """Raises LinkRefused."""
        return self._read("object-download", DownloadPermission, token)

    def _sign(self, purpose: str, permission: _Permission) -> str:
        message = orjson.dumps(permission.model_dump())
        return f"{_encoded(message)}.{_encoded(self._keys.seal(purpose, message))}"

    def _read(self, purpose: str, kind: type[P], token: str) -> P:
        message, seal = (_decoded(part) for part in _parts(token))
        if not self._keys.verify(purpose, message, seal):
            raise LinkRefused
        try:
            permission = kind.model_validate_json(message)
        except ValidationError as error:  # sealed by a version of the service that signed other permissions
            raise LinkRefused from error
        if permission.expired:
            raise LinkRefused
        return permission


def _in(seconds: int) -> dt.datetime:
    return (utcnow() + dt.timedelta(seconds=seconds)).replace(microsecond=0)


def _parts(token: str) -> list[str]:
    parts = token.split(".")
    if len(parts) != 2 or len(token) > MAX_TOKEN:
        raise LinkRefused
    return parts


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    """The bytes of the one spelling that `_encoded` makes: a second spelling of them would be a second link."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise LinkRefused from error
    if _encoded(content) != text:
        raise LinkRefused
    return content
