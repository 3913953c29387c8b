"""The service of every kind of reference record."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any, Generic

from app.core.clock import utcnow
from app.core.db.entity import E
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.errors import ValidationFailed
from app.core.idempotency.creation import Creation
from app.core.pagination import Page, Paging
from app.core.reference.kinds import Issued, ReferenceKind, Verb
from app.core.reference.repository import ReferenceRepository
from app.core.reference.schemas import TransitionRequest
from app.core.repository import require_version
from app.core.schemas import CreateModel, EntityRead, VersionedPatch

_NOTHING_ISSUED = Issued({}, {})


class ReferenceReader(Generic[E]):
    def __init__(self, uow: ReadUnitOfWork, kind: ReferenceKind[E]) -> None:
        self._uow = uow
        self._kind = kind
        self._records = ReferenceRepository(uow, kind.entity, tuple(kind.filters))

    async def get(self, record_id: uuid.UUID) -> EntityRead:
        """Raises NotFound."""
        return await self.present(await self._records.get(self._uow.tenant_id, record_id))

    async def list_page(self, paging: Paging, *, include_deleted: bool = False, **filters: Any) -> Page[EntityRead]:
        """Raises Forbidden if a principal without the right to write asks for deleted records."""
        listed = self._records.list_page
        if include_deleted:
            self._uow.principal.require(self._kind.may_write)
            listed = self._records.list_including_deleted
        page = await listed(self._uow.tenant_id, paging, **filters)
        derived = await self._derivation()
        shown = [self._kind.read.of(record, **derived(record)) for record in page.items]
        return Page(items=shown, next_cursor=page.next_cursor)

    async def present(self, record: E) -> EntityRead:
        derived = await self._derivation()
        return self._kind.read.of(record, **derived(record))

    async def present_created(self, record: E, shown: dict[str, Any]) -> EntityRead:
        derived = await self._derivation()
        return (self._kind.created or self._kind.read).of(record, **derived(record), **shown)

    async def _derivation(self) -> Callable[[E], dict[str, Any]]:
        """The fields of answers that are no columns: the allowed actions, and what the kind derives."""
        lifecycle, principal = self._kind.lifecycle, self._uow.principal
        own = None if self._kind.derive is None else await self._kind.derive(self._uow)

        def derived(record: E) -> dict[str, Any]:
            found = {} if own is None else own(record)
            if lifecycle is not None:
                found["allowed_actions"] = lifecycle.allowed_actions(record, principal)
            return found

        return derived


class ReferenceService(Generic[E]):
    """Only the database's unique key refuses a second record of one name; it becomes a Conflict."""

    def __init__(self, uow: UnitOfWork, kind: ReferenceKind[E]) -> None:
        self._uow = uow
        self._kind = kind
        self._records = ReferenceRepository(uow, kind.entity, tuple(kind.filters))
        self._reader = ReferenceReader(uow, kind)

    async def create(self, given: CreateModel, creation: Creation) -> EntityRead:
        """Raises Forbidden, ValidationFailed, Conflict (the name is taken)."""
        self._uow.principal.require(self._kind.may_write)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return await self._reader.present_created(
                await self._records.get(self._uow.tenant_id, reservation.entity_id), shown={}
            )
        values = given.values()
        await self._require_references(values, values)
        issued = _NOTHING_ISSUED if self._kind.issue is None else self._kind.issue(self._uow.seal)
        record = self._kind.entity(id=reservation.entity_id, tenant_id=self._uow.tenant_id, **values, **issued.columns)
        self._judge(record)
        await self._uow.create(record, self._kind.actions[Verb.CREATE])
        return await self._reader.present_created(record, issued.shown)

    async def revise(self, record_id: uuid.UUID, patch: VersionedPatch) -> EntityRead:
        """Raises Forbidden, NotFound, Conflict (stale, or the name is taken), ValidationFailed."""
        self._uow.principal.require(self._kind.may_write)
        record = await self._records.get(self._uow.tenant_id, record_id)
        require_version(record, patch.version)
        changes = patch.changes()
        await self._require_references(changes, (name for name in changes if changes[name] != getattr(record, name)))
        async with self._uow.change(record, self._kind.actions[Verb.REVISE]):
            for name, value in changes.items():
                setattr(record, name, value)
            self._judge(record)
        return await self._reader.present(record)

    async def transition(self, record_id: uuid.UUID, given: TransitionRequest) -> EntityRead:
        """Raises Forbidden, NotFound, InvalidTransition, Conflict (stale)."""
        lifecycle = self._kind.lifecycle
        assert lifecycle is not None  # noqa: S101  # there is a route for kinds that have one
        record = await self._records.get_for_update(self._uow.tenant_id, record_id)
        lifecycle.require(record, given.action, self._uow.principal, None, reason=given.reason)
        require_version(record, given.version)
        await lifecycle.fire(self._uow, record, given.action, None, reason=given.reason)
        return await self._reader.present(record)

    async def delete(self, record_id: uuid.UUID, version: int) -> None:
        """Soft delete; the name is free again. Raises Forbidden, NotFound, Conflict (stale)."""
        self._uow.principal.require(self._kind.may_write)
        record = await self._records.get(self._uow.tenant_id, record_id)
        require_version(record, version)
        async with self._uow.change(record, self._kind.actions[Verb.DELETE]):
            record.deleted_at = utcnow()

    async def restore(self, record_id: uuid.UUID, version: int) -> EntityRead:
        """Raises Forbidden, NotFound, Conflict (stale, or the name is taken), ValidationFailed (reference)."""
        self._uow.principal.require(self._kind.may_write)
        record = await self._records.get_including_deleted(self._uow.tenant_id, record_id)
        require_version(record, version)
        await self._require_references(record.__dict__, self._kind.references)
        async with self._uow.change(record, self._kind.actions[Verb.RESTORE]):
            record.deleted_at = None
        return await self._reader.present(record)

    async def _require_references(self, values: dict[str, Any], changed: Iterable[str]) -> None:
        """Raises ValidationFailed if a record is missing, deleted (foreign keys accept that) or another tenant's."""
        for name in set(changed) & self._kind.references.keys():
            if values[name] is None:
                continue
            referred: ReferenceRepository[Any] = ReferenceRepository(self._uow, self._kind.references[name])
            if await referred.find_for_share(self._uow.tenant_id, values[name]) is None:
                raise ValidationFailed.of(name, "unknown_reference", "This refers to nothing here.")

    def _judge(self, record: E) -> None:
        if self._kind.check is not None:
            self._kind.check(record)
