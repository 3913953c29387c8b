"""Takes a file in: unpack, recognise, keep once. What it says is the business of its caller."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fastapi import Request

from app.billing.errors import UnreadableFile, WrongFile
from app.billing.received.models import ReceivedFile
from app.billing.received.repository import ReceivedFileRepository
from app.billing.x12.containers import FileKind, kind_of, members
from app.billing.x12.tokenizer import InterchangeFormatError
from app.core.audit.actions import AuditAction
from app.core.db.uow import UnitOfWork
from app.core.errors import UnsupportedMediaType
from app.core.ids import new_id
from app.core.outbound.outside import call_outside
from app.core.permissions import Permission
from app.core.pools import DOCUMENTS
from app.core.storage.gateway import ObjectStore, object_key
from app.core.storage.leftovers import forget

MEDIA_TYPE = "application/octet-stream"
MEDIA_TYPES = frozenset({MEDIA_TYPE, "application/edi-x12", "application/zip", "text/plain"})
"""What a file may be sent as. The service looks at its content, whatever its type says."""
MAX_FILE_BYTES = 20 * 1024 * 1024
S = TypeVar("S")


async def uploaded(request: Request) -> bytes:
    """The body as it came. Raises UnsupportedMediaType."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in MEDIA_TYPES:
        raise UnsupportedMediaType(f"Send the file as {' or '.join(sorted(MEDIA_TYPES))}.")
    return await request.body()


class ReceivedFileAction(AuditAction):
    RECEIVED = "received_file.received"
    SCREENED_AGAIN = "received_file.screened_again"
    DOWNLOADED = "received_file.downloaded"


@dataclass
class Incoming(Generic[S]):
    """One file on its way in. `said` is what the caller read in it. `kept` is what may be stored, or None."""

    content: bytes
    kind: FileKind
    sha256: str
    said: S
    kept: bytes | None = None
    foreign_payees: list[dict[str, object]] = field(default_factory=list)
    id: uuid.UUID = field(default_factory=new_id)
    artifact_key: str | None = None


@dataclass(frozen=True)
class Taken(Generic[S]):
    """The outcome: a new file, or the one that came before with the same bytes."""

    file: ReceivedFile
    incoming: Incoming[S] | None


class FileIntake(Generic[S]):
    """`read` reads a file of a known kind and raises InterchangeFormatError. `others` are the kinds sent elsewhere."""

    def __init__(
        self,
        units: Callable[[], UnitOfWork],
        objects: ObjectStore,
        *,
        permission: Permission,
        read: Callable[[FileKind, bytes], S],
        others: Collection[FileKind],
    ) -> None:
        self._units = units
        self._objects = objects
        self._permission = permission
        self._read = read
        self._others = others

    async def take(
        self,
        content: bytes,
        screen: Callable[[UnitOfWork, Incoming[S]], Awaitable[None]],
        effect: Callable[[UnitOfWork, Taken[S]], Awaitable[None]],
    ) -> list[Taken[S]]:
        """Store every new file of `content` and run `effect` for it, all in one unit of work.

        `screen` decides what of a file is kept. A file that came before is taken again if less of it is foreign by now:
        the agency's numbers may have been wrong. Raises Forbidden, UnreadableFile, WrongFile, ServiceUnavailable.
        """
        incoming = await self._unpack(content)

        async def survey(uow: UnitOfWork) -> list[Incoming[S]]:
            uow.principal.require(self._permission)
            known = await ReceivedFileRepository(uow).list_by_hash(uow.tenant_id, [one.sha256 for one in incoming])
            new = [one for one in incoming if one.sha256 not in known or known[one.sha256].foreign_payees]
            for one in new:
                await screen(uow, one)
            new = [one for one in new if one.sha256 not in known or _is_more_ours(one, known[one.sha256])]
            for one in new:
                if one.kept is not None:
                    one.artifact_key = object_key(uow.tenant_id, "billing", "received", f"{one.id}.bin")
            return new

        async def store(new: list[Incoming[S]]) -> None:
            for one in new:
                if one.artifact_key is not None and one.kept is not None:
                    await self._objects.put(one.artifact_key, one.kept, MEDIA_TYPE)

        async def keep(uow: UnitOfWork, new: list[Incoming[S]], _: None) -> list[Taken[S]]:
            fresh = {one.sha256: one for one in new}
            known = await ReceivedFileRepository(uow).list_by_hash(uow.tenant_id, list(fresh))
            for one in fresh.values():
                if one.sha256 in known:
                    await _screened_again(uow, known[one.sha256].id, one)
                else:
                    await uow.create(_file(uow, one), ReceivedFileAction.RECEIVED)
            files = await ReceivedFileRepository(uow).list_by_hash(uow.tenant_id, [one.sha256 for one in incoming])
            taken = [
                Taken(files[sha256], fresh.get(sha256)) for sha256 in dict.fromkeys(one.sha256 for one in incoming)
            ]
            for one_taken in taken:
                if one_taken.incoming is not None:
                    await effect(uow, one_taken)
            return taken

        async def undo(new: list[Incoming[S]], _: None) -> None:
            for one in new:
                if one.artifact_key is not None:
                    await forget(self._objects, one.artifact_key)

        return await call_outside(self._units, survey, store, keep, undo)

    async def _unpack(self, content: bytes) -> list[Incoming[S]]:
        try:
            return await DOCUMENTS.run(self._unpacked, content)
        except InterchangeFormatError as refusal:
            raise UnreadableFile.of(refusal) from None

    def _unpacked(self, content: bytes) -> list[Incoming[S]]:
        found: dict[str, Incoming[S]] = {}
        for member in members(content):
            kind = kind_of(member)
            if kind in self._others:
                raise WrongFile(kind=kind.value)
            sha256 = hashlib.sha256(member).hexdigest()
            found[sha256] = Incoming(member, kind, sha256, self._read(kind, member), kept=member)
        return list(found.values())


def _is_more_ours(incoming: Incoming[S], file: ReceivedFile) -> bool:
    """True if more of the file is kept than when it came first."""
    return incoming.kept is not None and incoming.foreign_payees != file.foreign_payees


async def _screened_again(uow: UnitOfWork, file_id: uuid.UUID, incoming: Incoming[S]) -> None:
    """The file that came before, with what is kept of it now."""
    file = await ReceivedFileRepository(uow).get_for_update(uow.tenant_id, file_id)
    incoming.id = file.id
    async with uow.change(file, ReceivedFileAction.SCREENED_AGAIN):
        file.artifact_key = incoming.artifact_key
        file.foreign_payees = incoming.foreign_payees


def _file(uow: UnitOfWork, incoming: Incoming[S]) -> ReceivedFile:
    return ReceivedFile(
        id=incoming.id,
        tenant_id=uow.tenant_id,
        kind=incoming.kind,
        sha256=incoming.sha256,
        size_bytes=len(incoming.content),
        artifact_key=incoming.artifact_key,
        foreign_payees=incoming.foreign_payees,
    )
