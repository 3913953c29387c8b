"""billing/remittances and billing/remittance-claims."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request

from app.billing.permissions import REMITTANCE_READ, REMITTANCE_WRITE
from app.billing.received.service import MAX_FILE_BYTES, uploaded
from app.billing.remittances.lifecycle import HoldReason, RemittanceClaimStatus
from app.billing.remittances.models import RemittanceSource
from app.billing.remittances.schemas import (
    RemittanceClaimRead,
    RemittanceClaimTransitionRequest,
    RemittanceCreate,
    RemittanceRead,
    RemittanceUploadRead,
)
from app.billing.remittances.service import RemittanceReads, Remittances, Uploads
from app.core.bodies import BodyRule
from app.core.dependencies import requires
from app.core.filters import FilterText, From, OneOf, To
from app.core.idempotency.creation import CreationDependency
from app.core.openapi import BINARY, errors
from app.core.pagination import OldestFirstQuery, Page, PagingQuery
from app.core.paths import API_PREFIX

router = APIRouter(prefix="/billing/remittances", tags=["billing"])
decisions = APIRouter(prefix="/billing/remittance-claims", tags=["billing"])
FILES = BodyRule(f"{API_PREFIX}/billing/remittances", media_types=None, max_bytes=MAX_FILE_BYTES)


@router.post(
    "",
    status_code=201,
    responses=errors(409),
    dependencies=[requires(REMITTANCE_WRITE)],
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": BINARY}}},
)
async def upload_remittances(request: Request, uploads: Uploads) -> RemittanceUploadRead:
    """Take in an 835 file, or a ZIP archive of them, as it came. Sent again, it changes nothing.

    Only payments to this agency's NPI and tax id are kept. Claims are posted right after, one by one.
    """
    return await uploads.take(await uploaded(request))


@router.post("/paper", status_code=201, responses=errors(409), dependencies=[requires(REMITTANCE_WRITE)])
async def create_paper_remittance(
    given: RemittanceCreate, remittances: Remittances, creation: CreationDependency
) -> RemittanceRead:
    """Type in a remittance that came on paper. It is posted by the same rules as an 835."""
    return await remittances.create(given, creation)


@router.get("", dependencies=[requires(REMITTANCE_READ)])
async def list_remittances(
    remittances: RemittanceReads,
    paging: PagingQuery,
    file_id: OneOf[uuid.UUID] = None,
    source: OneOf[RemittanceSource] = None,
    trace_number: OneOf[FilterText] = None,
    balanced: OneOf[bool] = None,
    created_at_from: From = None,
    created_at_to: To = None,
) -> Page[RemittanceRead]:
    """Remittances, newest first, with how many of their claims are posted and held."""
    return await remittances.list_page(
        paging,
        file_id=file_id,
        source=source,
        trace_number=trace_number,
        balanced=balanced,
        created_at_from=created_at_from,
        created_at_to=created_at_to,
    )


@router.get("/{remittance_id}", dependencies=[requires(REMITTANCE_READ)])
async def get_remittance(remittance_id: uuid.UUID, remittances: RemittanceReads) -> RemittanceRead:
    """One remittance. Its claims are listed by billing/remittance-claims."""
    return await remittances.get(remittance_id)


@decisions.get("", dependencies=[requires(REMITTANCE_READ)])
async def list_remittance_claims(
    remittances: RemittanceReads,
    paging: OldestFirstQuery,
    status: OneOf[RemittanceClaimStatus] = None,
    remittance_id: OneOf[uuid.UUID] = None,
    claim_id: OneOf[uuid.UUID] = None,
    claim_number: OneOf[FilterText] = None,
    hold_reason: OneOf[HoldReason] = None,
    created_at_from: From = None,
    created_at_to: To = None,
) -> Page[RemittanceClaimRead]:
    """What payers decided, oldest first. `status=held` is the queue of what waits for a person."""
    return await remittances.list_decisions(
        paging,
        status=status,
        remittance_id=remittance_id,
        claim_id=claim_id,
        claim_number=claim_number,
        hold_reason=hold_reason,
        created_at_from=created_at_from,
        created_at_to=created_at_to,
    )


@decisions.get("/{remittance_claim_id}", dependencies=[requires(REMITTANCE_READ)])
async def get_remittance_claim(remittance_claim_id: uuid.UUID, remittances: RemittanceReads) -> RemittanceClaimRead:
    """What a payer decided about one claim, as it said it."""
    return await remittances.get_decision(remittance_claim_id)


@decisions.post("/{remittance_claim_id}/transitions", responses=errors(409), dependencies=[requires(REMITTANCE_WRITE)])
async def transition_remittance_claim(
    remittance_claim_id: uuid.UUID, given: RemittanceClaimTransitionRequest, remittances: Remittances
) -> RemittanceClaimRead:
    """Resolve a held decision, by naming claim and lines where they were not found, or set it aside. Give a reason.

    What is resolved must balance like everything else.
    """
    return await remittances.transition(remittance_claim_id, given)
