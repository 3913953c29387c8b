"""The service of chart entries with a content in the object store. A declaration describes each kind (`UploadKind`).

No transaction is open while the object store is asked. A client sends the content to a place for uploads. Good content
is cleaned and written to another place. No upload link leads there, so a link that is used late or twice changes
nothing.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from app.core.audit.actions import AuditAction
from app.core.audit.disclosures import Disclosure, disclose
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.errors import NotFound
from app.core.idempotency.creation import Creation
from app.core.ids import TenantId, new_random_uuid
from app.core.lifecycle import Lifecycle
from app.core.outbound.outside import call_outside
from app.core.pagination import Page, PagingWithDeleted
from app.core.permissions import Principal
from app.core.pools import CONTENTS
from app.core.repository import Repository, require_version
from app.core.schemas import CreateModel, RequestModel
from app.core.storage.gateway import ObjectStore, object_key
from app.core.storage.leftovers import forget
from app.core.storage.links import ObjectTerms
from app.core.storage.schemas import UploadRead
from app.ems.amendments.models import AmendmentChange
from app.ems.amendments.service import record_amendment
from app.ems.chart.gate import reason_metadata, require_editable, require_sight_of_deleted
from app.ems.entries.checks import made_before, of_incident, patient_of, require_room
from app.ems.entries.repeats import find_undeleted, get_live
from app.ems.events import INCIDENT_UPDATED
from app.ems.incidents.models import Incident
from app.ems.incidents.repository import IncidentRepository
from app.ems.media.inspection import EXTENSIONS, Refusal, RefusedContent, stored_as
from app.ems.media.judging import judge, place_to_judge
from app.ems.permissions import CHART_ENTRY_RESTORE
from app.ems.uploads.columns import UploadedEntry
from app.ems.uploads.lifecycle import INSPECTED, UploadFacts, UploadTransition
from app.ems.uploads.names import saved_as
from app.ems.uploads.schemas import ContentLinkRead, UploadedRead

E = TypeVar("E", bound=UploadedEntry)
R = TypeVar("R", bound=UploadedRead)


@dataclass(frozen=True)
class UploadActions:
    """The audit actions of a kind that are not in its lifecycle. `moved`: it was given to another patient."""

    created: AuditAction
    deleted: AuditAction
    restored: AuditAction
    moved: AuditAction | None = None


class TransitionAsked(Protocol):
    @property
    def action(self) -> StrEnum: ...

    @property
    def version(self) -> int: ...


@dataclass(frozen=True)
class UploadKind(Generic[E, R]):
    """A kind of upload. `key_column` holds the key of the content. `link` is the disclosure of a link to it.

    `require_open` raises when the chart takes no new entry of this kind.

    `prepare` fills and checks a new entry from the request (raises ValidationFailed). `present` makes answers from
    entries of one chart.
    """

    noun: str
    path: str
    about: str
    repository: type[Repository[E]]
    create: type[CreateModel]
    transition: type[RequestModel]
    read: type[R]
    lifecycle: Lifecycle[Any, UploadFacts]
    key_column: str
    link: Disclosure
    actions: UploadActions
    require_open: Callable[[Incident, Principal], None]
    prepare: Callable[[UnitOfWork, Incident, E, Any], Awaitable[None]]
    present: Callable[[ReadUnitOfWork, Incident, Sequence[E]], Awaitable[list[R]]]

    def key_of(self, entry: E) -> str | None:
        key: str | None = getattr(entry, self.key_column)
        return key


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The outcome of an upload: the transition with its columns, and the key of the content if it was stored."""

    action: UploadTransition
    columns: dict[str, Any]
    key: str | None = None
    sent: bool = True


class UploadReader(Generic[E, R]):
    def __init__(self, uow: ReadUnitOfWork, kind: UploadKind[E, R]) -> None:
        self._uow = uow
        self._kind = kind
        self._incidents = IncidentRepository(uow)
        self._entries = kind.repository(uow)

    async def get(self, incident_id: uuid.UUID, child_id: uuid.UUID) -> R:
        """Raises NotFound, also for a missing or deleted incident and for an entry of another incident."""
        incident = await self._incidents.get(self._uow.tenant_id, incident_id)
        entry = of_incident(await self._entries.find(self._uow.tenant_id, child_id), incident_id)
        [read] = await self._kind.present(self._uow, incident, [entry])
        return read

    async def list_page(self, incident_id: uuid.UUID, paging: PagingWithDeleted) -> Page[R]:
        """Raises NotFound for the incident; Forbidden for deleted ones, to who may not restore them."""
        incident = await self._incidents.get(self._uow.tenant_id, incident_id)
        listed = self._entries.list_page
        if paging.include_deleted:
            require_sight_of_deleted(incident, self._uow.principal)
            listed = self._entries.list_including_deleted
        page = await listed(self._uow.tenant_id, paging, incident_id=incident_id, **paging.filters())
        return Page(items=await self._kind.present(self._uow, incident, page.items), next_cursor=page.next_cursor)


class UploadService(Generic[E, R]):
    """Every write holds the incident FOR SHARE. So nothing is added to a chart that is being locked."""

    def __init__(self, factory: Callable[[], UnitOfWork], objects: ObjectStore, kind: UploadKind[E, R]) -> None:
        self._factory = factory
        self._objects = objects
        self._kind = kind

    async def create(self, incident_id: uuid.UUID, given: Any, creation: Creation) -> R:
        """Declare an upload.

        Raises NotFound, ChartNotEditable, EntryDeleted (it was declared before), LimitReached, ValidationFailed.
        """
        async with self._factory() as uow:
            reservation = await creation.reserve(uow, given)
            entries, incidents = self._kind.repository(uow), IncidentRepository(uow)
            if reservation.repeated:
                entry = await made_before(entries, uow.tenant_id, reservation.entity_id)
                incident = await incidents.get(uow.tenant_id, entry.incident_id)
            else:
                incident = await incidents.get_for_share(uow.tenant_id, incident_id)
                self._kind.require_open(incident, uow.principal)
                await require_room(uow, entries.entity, incident_id)
                entry = entries.entity(
                    id=reservation.entity_id, tenant_id=uow.tenant_id, incident_id=incident_id, **given.values()
                )
                await patient_of(uow, entry)
                await self._kind.prepare(uow, incident, entry, given)
                await uow.create(entry, self._kind.actions.created, event=INCIDENT_UPDATED)
            [read] = await self._kind.present(uow, incident, [entry])
        if self._kind.lifecycle.find(entry.status, UploadTransition.COMPLETE) is None:
            return read
        terms = ObjectTerms(entry.file_type, entry.size_bytes, entry.sha256)
        link = await self._objects.sign_upload(_sent_to(entry), terms)
        return read.model_copy(update={"upload": UploadRead.model_validate(link)})

    async def transition(self, incident_id: uuid.UUID, child_id: uuid.UUID, given: TransitionAsked) -> R:
        """Move an upload to another state.

        Raises NotFound, Forbidden, ChartNotEditable, InvalidTransition, Conflict (stale or deleted), ValidationFailed.
        """
        if given.action == UploadTransition.COMPLETE:
            return await self._complete(incident_id, child_id, given.version)
        reason: str | None = getattr(given, "reason", None)
        async with self._factory() as uow:
            incident = await IncidentRepository(uow).get_for_share(uow.tenant_id, incident_id)
            entry = await get_live(uow, self._kind.repository(uow), incident_id, child_id, for_update=True)
            self._kind.lifecycle.require(entry, given.action, uow.principal, INSPECTED, reason=reason)
            require_editable(incident, uow.principal, reason)
            require_version(entry, given.version)
            await self._kind.lifecycle.fire(uow, entry, given.action, INSPECTED, reason=reason)
            [read] = await self._kind.present(uow, incident, [entry])
            return read

    async def _complete(self, incident_id: uuid.UUID, child_id: uuid.UUID, version: int) -> R:
        """Keep the sent content, or delete it and record why. Raises InvalidTransition while nothing has been sent."""

        async def read(uow: UnitOfWork) -> E:
            _, entry = await self._pending(uow, incident_id, child_id, version)
            return entry

        async def record(uow: UnitOfWork, entry: E, outcome: _Outcome) -> tuple[R, str | None]:
            incident, entry = await self._pending(uow, incident_id, child_id, version, uploaded=outcome.sent)
            await self._kind.lifecycle.fire(uow, entry, outcome.action, INSPECTED, **outcome.columns)
            [shown] = await self._kind.present(uow, incident, [entry])
            return shown, None if outcome.key is None else _sent_to(entry)

        async def undo(_: E, outcome: _Outcome) -> None:
            if outcome.key is not None:
                await forget(self._objects, outcome.key)

        shown, copied = await call_outside(self._factory, read, self._sift, record, undo)
        if copied is not None:
            await forget(self._objects, copied)
        return shown

    async def _pending(
        self, uow: UnitOfWork, incident_id: uuid.UUID, child_id: uuid.UUID, version: int, *, uploaded: bool = True
    ) -> tuple[Incident, E]:
        incident = await IncidentRepository(uow).get_for_share(uow.tenant_id, incident_id)
        entry = await get_live(uow, self._kind.repository(uow), incident_id, child_id, for_update=True)
        self._kind.require_open(incident, uow.principal)
        facts = UploadFacts(uploaded)
        self._kind.lifecycle.require(entry, UploadTransition.COMPLETE, uow.principal, facts)
        require_version(entry, version)
        return incident, entry

    async def _sift(self, entry: E) -> _Outcome:
        """Store the cleaned content, or delete what was sent."""
        size = await self._objects.find_size(_sent_to(entry))
        if size is None:
            return _Outcome(UploadTransition.COMPLETE, {}, sent=False)
        try:
            if size != entry.size_bytes:
                raise RefusedContent(Refusal.WRONG_SIZE)
            async with place_to_judge():
                content = await _judged(entry, await self._objects.get(_sent_to(entry)))
        except NotFound:  # another request judged it while this one waited
            return _Outcome(UploadTransition.COMPLETE, {}, sent=False)
        except RefusedContent as error:
            await self._objects.delete(_sent_to(entry))
            return _Outcome(UploadTransition.REJECT, {"rejection_code": error.refusal})
        name = f"{entry.id}-{new_random_uuid().hex}"
        key = object_key(TenantId(entry.tenant_id), self._kind.path, str(entry.incident_id), name)
        stored_type = stored_as(entry.file_type)
        await self._objects.put(key, content, stored_type)
        kept = {
            self._kind.key_column: key,
            "stored_type": stored_type,
            "stored_size_bytes": len(content),
            "stored_sha256": await CONTENTS.run(_digest, content),
            "uploaded_at": utcnow(),
        }
        return _Outcome(UploadTransition.COMPLETE, kept, key)

    async def issue_download(self, incident_id: uuid.UUID, child_id: uuid.UUID) -> ContentLinkRead:
        """A link to the content, recorded as a disclosure. Raises NotFound, also while no content is stored."""
        async with self._factory() as uow:
            await IncidentRepository(uow).get(uow.tenant_id, incident_id)
            entry = of_incident(await self._kind.repository(uow).find(uow.tenant_id, child_id), incident_id)
            key = self._kind.key_of(entry)
            if key is None:
                raise NotFound("Nothing is stored here yet.")
            await disclose(
                uow,
                self._kind.link,
                entity_type=entry.entity_type,
                entity_id=entry.id,
                incident_ids=[incident_id],
            )
        stored_type = entry.stored_type or entry.file_type  # contents older than the column have their declared type
        link = await self._objects.sign_download(key, stored_type, f"{entry.id}{EXTENSIONS[stored_type]}")
        file_name = saved_as(getattr(entry, "file_name", None), str(entry.id), stored_type)
        return ContentLinkRead(url=link.url, expires_at=link.expires_at, file_name=file_name)

    async def delete(
        self, incident_id: uuid.UUID, child_id: uuid.UUID, version: int, reason: str | None = None
    ) -> None:
        """Soft delete, once for a deletion that is sent again: the content stays.

        Raises NotFound, ChartNotEditable, Conflict (stale or deleted), ValidationFailed.
        """
        async with self._factory() as uow:
            incident = await IncidentRepository(uow).get_for_share(uow.tenant_id, incident_id)
            entry = await find_undeleted(uow, self._kind.repository(uow), incident_id, child_id, version)
            if entry is None:
                return
            require_editable(incident, uow.principal, reason)
            require_version(entry, version)
            metadata = reason_metadata(reason)
            async with uow.change(entry, self._kind.actions.deleted, event=INCIDENT_UPDATED, metadata=metadata):
                entry.deleted_at = utcnow()
            await record_amendment(uow, incident, entry, AmendmentChange.DELETED, version_before=version, reason=reason)

    async def restore(self, incident_id: uuid.UUID, child_id: uuid.UUID, version: int, reason: str | None = None) -> R:
        """Raises Forbidden, NotFound, ChartNotEditable, Conflict (stale), ValidationFailed (the patient is gone)."""
        async with self._factory() as uow:
            uow.principal.require(CHART_ENTRY_RESTORE)
            incident = await IncidentRepository(uow).get_for_share(uow.tenant_id, incident_id)
            require_editable(incident, uow.principal, reason)
            found = await self._kind.repository(uow).get_including_deleted(uow.tenant_id, child_id)
            entry = of_incident(found, incident_id)
            require_version(entry, version)
            metadata = reason_metadata(reason)
            async with uow.change(entry, self._kind.actions.restored, event=INCIDENT_UPDATED, metadata=metadata):
                entry.deleted_at = None
                await patient_of(uow, entry)
            await record_amendment(
                uow, incident, entry, AmendmentChange.RESTORED, version_before=version, reason=reason
            )
            [read] = await self._kind.present(uow, incident, [entry])
            return read


async def move_upload(
    uow: UnitOfWork,
    kind: UploadKind[E, R],
    incident: Incident,
    entry: E,
    patient_id: uuid.UUID,
    reason: str | None,
) -> None:
    """Give an upload to another patient of the incident, as `ChildService.move` does. Raises ValidationFailed."""
    action, before = kind.actions.moved, entry.version
    if action is None:
        raise AssertionError(f"{entry.entity_type} is never moved")
    async with uow.change(entry, action, event=INCIDENT_UPDATED, metadata=reason_metadata(reason)):
        entry.patient_id = patient_id
        await patient_of(uow, entry)
    await record_amendment(uow, incident, entry, AmendmentChange.REVISED, version_before=before, reason=reason)


def _sent_to(entry: UploadedEntry) -> str:
    """The key to which clients send the content. A rule of the bucket deletes leftovers under its prefix in a day."""
    return object_key(TenantId(entry.tenant_id), "uploads", str(entry.id))


async def _judged(entry: UploadedEntry, content: bytes) -> bytes:
    """The cleaned content. Raises RefusedContent, ServiceUnavailable."""
    if await CONTENTS.run(_digest, content) != entry.sha256:
        raise RefusedContent(Refusal.WRONG_HASH)
    return await judge(entry.file_type, content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
