"""The port for objects, with a filesystem adapter for development and an S3 adapter for production."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import re
from collections.abc import AsyncIterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from app.core.clock import utcnow
from app.core.errors import NotFound, PayloadTooLarge, ServiceUnavailable, UnsupportedMediaType, ValidationFailed
from app.core.files import beside, create, write_atomically
from app.core.gateways import Gateway
from app.core.ids import TenantId
from app.core.pools import FILES
from app.core.storage.errors import LinkUsed
from app.core.storage.links import (
    DOWNLOAD_SECONDS,
    UPLOAD_SECONDS,
    DownloadLink,
    DownloadPermission,
    LinkSigner,
    ObjectTerms,
    UploadLink,
    UploadPermission,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from app.core.runtime import Runtime

_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


def object_key(tenant_id: TenantId, *segments: str) -> str:
    """`tenant/<tenant id>/…`: the prefix that bucket policies and lifecycle rules are written for.

    Raises ValueError for a segment that could leave the prefix.
    """
    if not segments or any(_SEGMENT.fullmatch(segment) is None for segment in segments):
        raise ValueError("object keys consist of plain segments")
    return "/".join(("tenant", str(tenant_id), *segments))


def attachment_disposition(file_name: str) -> str:
    """Content-Disposition that makes browsers save the object instead of showing it. Raises ValueError."""
    return f'attachment; filename="{_plain(file_name)}"'


def _plain(segment: str) -> str:
    if _SEGMENT.fullmatch(segment) is None:
        raise ValueError("file names in links are plain segments")
    return segment


class ObjectStore(Protocol):
    async def put(self, key: str, content: bytes, content_type: str) -> None:
        """Store the object; it replaces one of the same key. Raises ServiceUnavailable."""

    async def get(self, key: str) -> bytes:
        """The content. Raises NotFound, ServiceUnavailable."""

    async def exists(self, key: str) -> bool:
        """True if there is an object of this key. Raises ServiceUnavailable."""

    async def find_size(self, key: str) -> int | None:
        """The size in bytes, or None where there is no object. Raises ServiceUnavailable."""

    async def delete(self, key: str) -> None:
        """Delete the object. It is no error if there is none. Raises ServiceUnavailable."""

    async def sign_upload(self, key: str, terms: ObjectTerms) -> UploadLink:
        """A link for sending exactly this object, good for ten minutes. Raises ServiceUnavailable."""

    async def sign_download(self, key: str, content_type: str, file_name: str) -> DownloadLink:
        """A link for fetching the object, as a file to save, good for five minutes. Raises ServiceUnavailable.

        `file_name` is part of the link: plain segments (see object_key), never a name that a person chose.
        """


class FilesystemStore:
    """Objects as files below `root`; a file appears whole or not at all. Its links lead to the service's own routes."""

    def __init__(self, root: Path, signer: LinkSigner) -> None:
        self._root = root.resolve()
        self._signer = signer

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        path = self._path(key)
        try:
            await FILES.run(self._write, path, content)
        except OSError as error:
            raise ServiceUnavailable("The object store is away.") from error

    async def get(self, key: str) -> bytes:
        path = self._path(key)
        try:
            return await FILES.run(path.read_bytes)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NotFound from error
        except OSError as error:
            raise ServiceUnavailable("The object store is away.") from error

    async def exists(self, key: str) -> bool:
        return await FILES.run(self._path(key).is_file)

    async def find_size(self, key: str) -> int | None:
        path = self._path(key)
        return await FILES.run(lambda: path.stat().st_size if path.is_file() else None)

    async def delete(self, key: str) -> None:
        path = self._path(key)
        if await FILES.run(path.is_file):
            await FILES.run(path.unlink, missing_ok=True)

    async def sign_upload(self, key: str, terms: ObjectTerms) -> UploadLink:
        return self._signer.sign_upload(key, terms)

    async def sign_download(self, key: str, content_type: str, file_name: str) -> DownloadLink:
        return self._signer.sign_download(key, content_type, _plain(file_name))

    async def receive(self, token: str, content_type: str, chunks: AsyncIterable[bytes]) -> None:
        """Stream the object that a link of `sign_upload` permits to a temporary file.

        A refused object leaves no trace.

        Raises LinkRefused, LinkUsed, UnsupportedMediaType, PayloadTooLarge, ValidationFailed (too short, altered).
        """
        permission = self._signer.read_upload(token)
        if content_type != permission.content_type:
            raise UnsupportedMediaType("Send the body as the media type that the link was made for.")
        used = self._mark_of(token, permission.expires)
        if await FILES.run(used.exists):
            raise LinkUsed
        path = self._path(permission.key)
        temporary = beside(path)
        try:
            await FILES.run(path.parent.mkdir, parents=True, exist_ok=True)
            await _receive(temporary, permission, chunks)
            await FILES.run(self._use_once, used)
            await FILES.run(temporary.replace, path)
        except OSError as error:
            raise ServiceUnavailable("The object store is away.") from error
        finally:
            await FILES.run(temporary.unlink, missing_ok=True)

    async def fetch(self, token: str) -> tuple[bytes, DownloadPermission]:
        """The object that a link of `sign_download` permits. Raises LinkRefused, NotFound, ServiceUnavailable."""
        permission = self._signer.read_download(token)
        return await self.get(permission.key), permission

    def _mark_of(self, token: str, expires: int) -> Path:
        return self._root / ".used" / f"{expires}-{hashlib.sha256(token.encode()).hexdigest()}"

    def _use_once(self, mark: Path) -> None:
        """Mark the link as used. Raises LinkUsed. Marks of expired links are removed."""
        mark.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError as error:
            raise LinkUsed from error
        now = utcnow().timestamp()
        for other in mark.parent.iterdir():
            if int(other.name.partition("-")[0]) < now:
                other.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        path = (self._root / key).resolve()
        if not path.is_relative_to(self._root) or path == self._root:
            raise ValueError("object key leaves the store")
        return path

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)


async def _receive(path: Path, permission: UploadPermission, chunks: AsyncIterable[bytes]) -> None:
    """Write the chunks to `path`, at most the declared size. Raises PayloadTooLarge, ValidationFailed."""
    received, digest = 0, hashlib.sha256()
    file = await FILES.run(create, path)
    try:
        async for chunk in chunks:
            received += len(chunk)
            if received > permission.size:
                raise PayloadTooLarge
            digest.update(chunk)
            await FILES.run(file.write, chunk)
        if received < permission.size:
            raise ValidationFailed.of("body", "too_short", "The body is shorter than declared.")
        if digest.hexdigest() != permission.sha256:
            raise ValidationFailed.of("body", "checksum", "The body is not the declared one: its SHA-256 differs.")
        await FILES.run(file.flush)
        await FILES.run(os.fsync, file.fileno())
    finally:
        await FILES.run(file.close)


class S3Store:
    """Objects in one bucket, encrypted by the bucket's KMS key; boto3 blocks, so every call runs in a thread."""

    def __init__(self, bucket: str, client: S3Client | None = None) -> None:
        self._bucket = bucket
        self._client: S3Client = client or boto3.client(
            "s3",
            config=Config(
                signature_version="s3v4",  # objects under KMS keys refuse boto3's default signature
                connect_timeout=3,
                read_timeout=15,
                retries={"max_attempts": 3, "mode": "standard"},
            ),
        )

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        try:
            await FILES.run(
                self._client.put_object,
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType=content_type,
                ServerSideEncryption="aws:kms",
            )
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailable("The object store is away.") from error

    async def get(self, key: str) -> bytes:
        return await FILES.run(self._read, key)

    async def exists(self, key: str) -> bool:
        return await self.find_size(key) is not None

    async def find_size(self, key: str) -> int | None:
        try:
            head = await FILES.run(self._client.head_object, Bucket=self._bucket, Key=key)
        except ClientError as error:
            if _is_missing(error):
                return None
            raise ServiceUnavailable("The object store is away.") from error
        except BotoCoreError as error:
            raise ServiceUnavailable("The object store is away.") from error
        return head["ContentLength"]

    async def delete(self, key: str) -> None:
        try:
            await FILES.run(self._client.delete_object, Bucket=self._bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailable("The object store is away.") from error

    async def sign_upload(self, key: str, terms: ObjectTerms) -> UploadLink:
        """A POST policy: S3 itself refuses another key, type, length or checksum. A repetition stores the same."""
        fields = {
            "Content-Type": terms.content_type,
            "x-amz-checksum-algorithm": "SHA256",
            "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(terms.sha256)).decode(),
            "x-amz-server-side-encryption": "aws:kms",
        }
        conditions: list[Any] = [{name: value} for name, value in fields.items()]
        conditions.append(["content-length-range", terms.size, terms.size])
        expires_at = utcnow() + dt.timedelta(seconds=UPLOAD_SECONDS)
        try:
            signed = await FILES.run(
                self._client.generate_presigned_post,
                Bucket=self._bucket,
                Key=key,
                Fields=fields,
                Conditions=conditions,
                ExpiresIn=UPLOAD_SECONDS,
            )
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailable("The object store is away.") from error
        return UploadLink(signed["url"], expires_at, fields=signed["fields"])

    async def sign_download(self, key: str, content_type: str, file_name: str) -> DownloadLink:
        expires_at = utcnow() + dt.timedelta(seconds=DOWNLOAD_SECONDS)
        try:
            url = await FILES.run(
                self._client.generate_presigned_url,
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": key,
                    "ResponseContentType": content_type,
                    "ResponseContentDisposition": attachment_disposition(file_name),
                },
                ExpiresIn=DOWNLOAD_SECONDS,
            )
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailable("The object store is away.") from error
        return DownloadLink(url, expires_at)

    def _read(self, key: str) -> bytes:
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if _is_missing(error):
                raise NotFound from error
            raise ServiceUnavailable("The object store is away.") from error
        except BotoCoreError as error:
            raise ServiceUnavailable("The object store is away.") from error


def _is_missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in ("NoSuchKey", "404", "NotFound")


def _open_store(runtime: Runtime) -> ObjectStore:
    settings = runtime.settings
    if settings.s3_bucket is not None:
        return S3Store(settings.s3_bucket)
    return FilesystemStore(settings.data_dir / "objects", LinkSigner(runtime.keys))


OBJECT_STORE: Gateway[ObjectStore] = Gateway("object store", _open_store)
