"""Stores an agency's own terms."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import Depends

from app.coding.permissions import VOCABULARY_WRITE
from app.coding.search.words import words
from app.coding.vocabulary.models import VocabularyTerm
from app.coding.vocabulary.repository import VocabularyRepository
from app.coding.vocabulary.schemas import VocabularyTermCreate, VocabularyTermPatch, VocabularyTermRead
from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import LimitReached
from app.core.idempotency.creation import Creation
from app.core.pagination import Page, PagingWithDeleted
from app.core.repository import require_version

MOST_TERMS = 2000
"""The limit of one agency, because each process reads all terms with the first lookup after a change."""


class VocabularyAction(AuditAction):
    ADDED = "vocabulary_term.added"
    REVISED = "vocabulary_term.revised"
    DELETED = "vocabulary_term.deleted"
    RESTORED = "vocabulary_term.restored"


class VocabularyReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._terms = VocabularyRepository(uow)

    async def get(self, term_id: uuid.UUID) -> VocabularyTermRead:
        """Raises NotFound."""
        return VocabularyTermRead.of(await self._terms.get(self._uow.tenant_id, term_id))

    async def list_page(self, paging: PagingWithDeleted, **filters: Any) -> Page[VocabularyTermRead]:
        """The terms, newest first."""
        listed = self._terms.list_including_deleted if paging.include_deleted else self._terms.list_page
        page = await listed(self._uow.tenant_id, paging, **filters)
        return Page(items=[VocabularyTermRead.of(term) for term in page.items], next_cursor=page.next_cursor)


class VocabularyService:
    """Every verb raises Forbidden for anyone but an admin."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._terms = VocabularyRepository(uow)

    async def add(self, given: VocabularyTermCreate, creation: Creation) -> VocabularyTermRead:
        """Raises AlreadyExists (a term of the same words), LimitReached (the agency has MOST_TERMS already)."""
        self._uow.principal.require(VOCABULARY_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return VocabularyTermRead.of(await self._terms.get(self._uow.tenant_id, reservation.entity_id))
        await self._require_room()
        term = VocabularyTerm(
            id=reservation.entity_id, tenant_id=self._uow.tenant_id, spoken=_spoken(given.say), **given.values()
        )
        await self._uow.create(term, VocabularyAction.ADDED)
        return VocabularyTermRead.of(term)

    async def revise(self, term_id: uuid.UUID, patch: VocabularyTermPatch) -> VocabularyTermRead:
        """Raises NotFound, Conflict (stale), AlreadyExists (another term of the same words)."""
        self._uow.principal.require(VOCABULARY_WRITE)
        term = await self._terms.get(self._uow.tenant_id, term_id)
        require_version(term, patch.version)
        async with self._uow.change(term, VocabularyAction.REVISED):
            for name, value in patch.changes().items():
                setattr(term, name, value)
            term.spoken = _spoken(term.say)
        return VocabularyTermRead.of(term)

    async def delete(self, term_id: uuid.UUID, version: int) -> None:
        """Soft delete. Raises NotFound, Conflict (stale)."""
        self._uow.principal.require(VOCABULARY_WRITE)
        term = await self._terms.get(self._uow.tenant_id, term_id)
        require_version(term, version)
        async with self._uow.change(term, VocabularyAction.DELETED):
            term.deleted_at = utcnow()

    async def restore(self, term_id: uuid.UUID, version: int) -> VocabularyTermRead:
        """Raises NotFound, Conflict (stale), AlreadyExists (another term took its words), LimitReached."""
        self._uow.principal.require(VOCABULARY_WRITE)
        term = await self._terms.get_including_deleted(self._uow.tenant_id, term_id)
        require_version(term, version)
        if term.deleted_at is not None:
            await self._require_room()
        async with self._uow.change(term, VocabularyAction.RESTORED):
            term.deleted_at = None
        return VocabularyTermRead.of(term)

    async def _require_room(self) -> None:
        """Raises LimitReached. The limit is not exact: two additions at once may exceed it by one."""
        if await self._terms.count_live(self._uow.tenant_id) >= MOST_TERMS:
            raise LimitReached(f"An agency has {MOST_TERMS:,} terms of its own at most. Delete some first.")


def _spoken(say: str) -> str:
    return " ".join(words(say))


async def vocabulary_service(uow: Uow) -> VocabularyService:
    return VocabularyService(uow)


async def vocabulary_reader(uow: ReadUow) -> VocabularyReader:
    return VocabularyReader(uow)


VocabularyWrites = Annotated[VocabularyService, Depends(vocabulary_service)]
VocabularyReads = Annotated[VocabularyReader, Depends(vocabulary_reader)]
