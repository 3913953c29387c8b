"""coding/vocabulary."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.coding.permissions import VOCABULARY_WRITE
from app.coding.vocabulary.schemas import VocabularyTermCreate, VocabularyTermPatch, VocabularyTermRead
from app.coding.vocabulary.service import VocabularyReads, VocabularyWrites
from app.core.dependencies import requires
from app.core.idempotency.creation import CreationDependency
from app.core.pagination import Page, PagingWithDeletedQuery
from app.core.schemas import RestoreRequest, VersionQuery

router = APIRouter(prefix="/coding/vocabulary", tags=["coding"], dependencies=[requires(VOCABULARY_WRITE)])


@router.post("", status_code=201)
async def add_vocabulary_term(
    given: VocabularyTermCreate, terms: VocabularyWrites, creation: CreationDependency
) -> VocabularyTermRead:
    """Add a term to the agency's own vocabulary; it replaces a shipped term of the same words."""
    return await terms.add(given, creation)


@router.get("")
async def list_vocabulary_terms(
    terms: VocabularyReads,
    paging: PagingWithDeletedQuery,
) -> Page[VocabularyTermRead]:
    """The agency's own terms, newest first. The shipped ones are not among them."""
    return await terms.list_page(paging)


@router.get("/{term_id}")
async def get_vocabulary_term(term_id: uuid.UUID, terms: VocabularyReads) -> VocabularyTermRead:
    """One of the agency's own terms."""
    return await terms.get(term_id)


@router.patch("/{term_id}")
async def revise_vocabulary_term(
    term_id: uuid.UUID, patch: VocabularyTermPatch, terms: VocabularyWrites
) -> VocabularyTermRead:
    """Change a term. Lookups follow it at once."""
    return await terms.revise(term_id, patch)


@router.delete("/{term_id}", status_code=204)
async def delete_vocabulary_term(term_id: uuid.UUID, version: VersionQuery, terms: VocabularyWrites) -> None:
    """Soft-delete a term; a shipped term of the same words is in use again."""
    await terms.delete(term_id, version)


@router.post("/{term_id}/restore")
async def restore_vocabulary_term(
    term_id: uuid.UUID, given: RestoreRequest, terms: VocabularyWrites
) -> VocabularyTermRead:
    """Bring a deleted term back."""
    return await terms.restore(term_id, given.version)
