"""One port for objects, with a filesystem adapter for development and an S3 adapter for production."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from app.core.errors import NotFound, ServiceUnavailable
from app.core.ids import TenantId

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


def object_key(tenant_id: TenantId, *segments: str) -> str:
    """`tenant/<tenant id>/…`: the prefix that bucket policies and lifecycle rules are written for.

    Raises ValueError for a segment that could leave the prefix.
    """
    if not segments or any(_SEGMENT.fullmatch(segment) is None for segment in segments):
        raise ValueError("object keys consist of plain segments")
    return "/".join(("tenant", str(tenant_id), *segments))


class ObjectStore(Protocol):
    async def put(self, key: str, content: bytes, content_type: str) -> None:
        """Store or replace. Raises ServiceUnavailable."""

    async def get(self, key: str) -> bytes:
        """Raises NotFound, ServiceUnavailable."""

    async def exists(self, key: str) -> bool:
        """Raises ServiceUnavailable."""


class FilesystemStore:
    """Objects as files below `root`; a file appears whole or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        path = self._path(key)
        try:
            await asyncio.to_thread(self._write, path, content)
        except OSError as error:
            raise ServiceUnavailable("The object store is away.") from error

    async def get(self, key: str) -> bytes:
        path = self._path(key)
        try:
            return await asyncio.to_thread(path.read_bytes)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NotFound from error
        except OSError as error:
            raise ServiceUnavailable("The object store is away.") from error

    async def exists(self, key: str) -> bool:
        return await asyncio.to_thread(self._path(key).is_file)

    def _path(self, key: str) -> Path:
        path = (self._root / key).resolve()
        if not path.is_relative_to(self._root) or path == self._root:
            raise ValueError("object key leaves the store")
        return path

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


class S3Store:
    """Objects in one bucket, encrypted by the bucket's KMS key; boto3 blocks, so every call runs in a thread."""

    def __init__(self, bucket: str, client: S3Client | None = None) -> None:
        self._bucket = bucket
        self._client: S3Client = client or boto3.client(
            "s3",
            config=Config(connect_timeout=3, read_timeout=15, retries={"max_attempts": 3, "mode": "standard"}),
        )

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        try:
            await asyncio.to_thread(
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
        return await asyncio.to_thread(self._read, key)

    async def exists(self, key: str) -> bool:
        try:
            await asyncio.to_thread(self._client.head_object, Bucket=self._bucket, Key=key)
        except ClientError as error:
            if _is_missing(error):
                return False
            raise ServiceUnavailable("The object store is away.") from error
        except BotoCoreError as error:
            raise ServiceUnavailable("The object store is away.") from error
        return True

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
