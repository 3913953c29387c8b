"""A signed link lets its holder send or fetch one object for some minutes, without any other credential."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TypeVar

from app.core.clock import utcnow
from app.core.ids import new_random_uuid
from app.core.keys import Keyring
from app.core.paths import API_PREFIX
from app.core.sealed import Expiring, SealedTokens
from app.core.storage.errors import LinkRefused

UPLOAD_SECONDS = 600
DOWNLOAD_SECONDS = 300
LOCAL_UPLOADS = f"{API_PREFIX}/objects/uploads/"
LOCAL_DOWNLOADS = f"{API_PREFIX}/objects/downloads/"

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class ObjectTerms:
    """The terms that an upload must meet. `sha256` is in lower-case hex."""

    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class UploadLink:
    """A link to send the object. With `fields`, send multipart/form-data: the fields first, `file` last. Without
    `fields`, send the content unchanged.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPermission(Expiring):
    """A token of the local store for one object under `key` with these terms. Its `nonce` makes it unique."""

    key: str
    content_type: str
    size: int
    sha256: str
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadPermission(Expiring):
    key: str
    content_type: str
    file_name: str


_UPLOADS = SealedTokens("object-upload", UploadPermission)
_DOWNLOADS = SealedTokens("object-download", DownloadPermission)


class LinkSigner:
    """The signer makes and reads tokens for the local store's own routes. Upload tokens permit no download."""

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
        url = LOCAL_UPLOADS + _UPLOADS.write(self._keys, permission)
        return UploadLink(url, expires_at, headers={"Content-Type": terms.content_type})

    def sign_download(self, key: str, content_type: str, file_name: str) -> DownloadLink:
        expires_at = _in(DOWNLOAD_SECONDS)
        permission = DownloadPermission(
            key=key, expires=int(expires_at.timestamp()), content_type=content_type, file_name=file_name
        )
        return DownloadLink(LOCAL_DOWNLOADS + _DOWNLOADS.write(self._keys, permission), expires_at)

    def read_upload(self, token: str) -> UploadPermission:
        """Raises LinkRefused."""
        return _permitted(_UPLOADS.read(self._keys, token))

    def read_download(self, token: str) -> DownloadPermission:
        """Raises LinkRefused."""
        return _permitted(_DOWNLOADS.read(self._keys, token))


def _permitted(permission: P | None) -> P:
    if permission is None:
        raise LinkRefused
    return permission


def _in(seconds: int) -> dt.datetime:
    return (utcnow() + dt.timedelta(seconds=seconds)).replace(microsecond=0)
