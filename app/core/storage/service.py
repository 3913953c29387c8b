"""Serves signed links where the local store replaces S3."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import Depends

from app.core.dependencies import RuntimeDependency
from app.core.errors import NotFound
from app.core.storage.gateway import FilesystemStore, attachment_disposition
from app.core.storage.schemas import FetchedObject


class LinkedObjects:
    """Operations that need only a link. Where objects live in S3, links lead to S3 and none leads here."""

    def __init__(self, store: FilesystemStore | None) -> None:
        self._store = store

    async def receive(self, token: str, content_type: str, chunks: AsyncIterable[bytes]) -> None:
        """Raises NotFound, LinkRefused, LinkUsed, UnsupportedMediaType, PayloadTooLarge, ValidationFailed."""
        await self._local().receive(token, content_type, chunks)

    async def fetch(self, token: str) -> FetchedObject:
        """Raises NotFound, LinkRefused."""
        content, permission = await self._local().fetch(token)
        return FetchedObject(content, permission.content_type, attachment_disposition(permission.file_name))

    def _local(self) -> FilesystemStore:
        if self._store is None:
            raise NotFound
        return self._store


async def linked_objects(runtime: RuntimeDependency) -> LinkedObjects:
    return LinkedObjects(runtime.objects if isinstance(runtime.objects, FilesystemStore) else None)


Objects = Annotated[LinkedObjects, Depends(linked_objects)]
