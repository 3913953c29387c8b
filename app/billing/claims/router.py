"""billing/claims and billing/claims/{claim_id}/lines."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.billing.claims.lifecycle import ClaimStatus
from app.billing.claims.line_service import LineReads, Lines
from app.billing.claims.schemas import (
    ClaimCreate,
    ClaimPatch,
    ClaimRead,
    ClaimTransitionRequest,
    LineCreate,
    LinePatch,
    LineRead,
)
from app.billing.claims.service import ClaimReads, Claims
from app.billing.permissions import CLAIM_READ, CLAIM_RESTORE, CLAIM_WRITE
from app.core.dependencies import requires
from app.core.filters import FilterText, From, OneOf, To
from app.core.idempotency.creation import CreationDependency
from app.core.pagination import OldestFirstQuery, Page, PagingWithDeletedQuery
from app.core.schemas import RestoreRequest, VersionQuery

router = APIRouter(prefix="/billing/claims", tags=["billing"])


@router.post("", status_code=201, dependencies=[requires(CLAIM_WRITE)])
async def create_claim(given: ClaimCreate, claims: Claims, creation: CreationDependency) -> ClaimRead:
    """Make a claim of a locked chart, in `pending_review`. One per patient and payer sequence."""
    return await claims.create(given, creation)


@router.get("", dependencies=[requires(CLAIM_READ)])
async def list_claims(
    claims: ClaimReads,
    paging: PagingWithDeletedQuery,
    status: OneOf[ClaimStatus] = None,
    incident_id: OneOf[uuid.UUID] = None,
    patient_id: OneOf[uuid.UUID] = None,
    payer_id: OneOf[FilterText] = None,
    created_at_from: From = None,
    created_at_to: To = None,
) -> Page[ClaimRead]:
    """Claims with their lines, newest first. `include_deleted` is for admins."""
    return await claims.list_page(
        paging,
        status=status,
        incident_id=incident_id,
        patient_id=patient_id,
        payer_id=payer_id,
        created_at_from=created_at_from,
        created_at_to=created_at_to,
    )


@router.get("/{claim_id}", dependencies=[requires(CLAIM_READ)])
async def get_claim(claim_id: uuid.UUID, claims: ClaimReads) -> ClaimRead:
    """One claim with its lines. The founder sees neither diagnoses nor anything else about the patient."""
    return await claims.get(claim_id)


@router.patch("/{claim_id}", dependencies=[requires(CLAIM_WRITE)])
async def revise_claim(claim_id: uuid.UUID, patch: ClaimPatch, claims: Claims) -> ClaimRead:
    """Change a claim that is pending review: `version` and the fields that changed."""
    return await claims.revise(claim_id, patch)


@router.post("/{claim_id}/transitions", dependencies=[requires(CLAIM_WRITE)])
async def transition_claim(claim_id: uuid.UUID, given: ClaimTransitionRequest, claims: Claims) -> ClaimRead:
    """Move the claim along. `approve` says everything that an 837P still lacks; export is POST billing/exports."""
    return await claims.transition(claim_id, given)


@router.delete("/{claim_id}", status_code=204, dependencies=[requires(CLAIM_RESTORE)])
async def delete_claim(claim_id: uuid.UUID, version: VersionQuery, claims: Claims) -> None:
    """Soft-delete a claim that is pending review."""
    await claims.delete(claim_id, version)


@router.post("/{claim_id}/restore", dependencies=[requires(CLAIM_RESTORE)])
async def restore_claim(claim_id: uuid.UUID, given: RestoreRequest, claims: Claims) -> ClaimRead:
    """Bring a deleted claim back, unless another one took its place."""
    return await claims.restore(claim_id, given.version)


@router.post("/{claim_id}/lines", status_code=201, dependencies=[requires(CLAIM_WRITE)])
async def create_claim_line(
    claim_id: uuid.UUID, given: LineCreate, lines: Lines, creation: CreationDependency
) -> LineRead:
    """Add a service line to a claim that is pending review. The claim's charge and version follow."""
    return await lines.create(claim_id, given, creation)


@router.get("/{claim_id}/lines", dependencies=[requires(CLAIM_READ)])
async def list_claim_lines(claim_id: uuid.UUID, lines: LineReads, paging: OldestFirstQuery) -> Page[LineRead]:
    """The service lines of one claim, oldest first."""
    return await lines.list_page(claim_id, paging)


@router.get("/{claim_id}/lines/{line_id}", dependencies=[requires(CLAIM_READ)])
async def get_claim_line(claim_id: uuid.UUID, line_id: uuid.UUID, lines: LineReads) -> LineRead:
    """One service line."""
    return await lines.get(claim_id, line_id)


@router.patch("/{claim_id}/lines/{line_id}", dependencies=[requires(CLAIM_WRITE)])
async def revise_claim_line(claim_id: uuid.UUID, line_id: uuid.UUID, patch: LinePatch, lines: Lines) -> LineRead:
    """Change a service line of a claim that is pending review. The claim's charge and version follow."""
    return await lines.revise(claim_id, line_id, patch)


@router.delete("/{claim_id}/lines/{line_id}", status_code=204, dependencies=[requires(CLAIM_WRITE)])
async def delete_claim_line(claim_id: uuid.UUID, line_id: uuid.UUID, version: VersionQuery, lines: Lines) -> None:
    """Take a service line off a claim that is pending review. Its number is not used again."""
    await lines.delete(claim_id, line_id, version)
