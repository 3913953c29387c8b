"""billing/appeals."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Response

from app.billing.appeals.lifecycle import AppealStatus
from app.billing.appeals.packets import APPEAL_PACKET, Packets
from app.billing.appeals.schemas import AppealCreate, AppealPatch, AppealRead, AppealTransitionRequest
from app.billing.appeals.service import AppealReads, Appeals
from app.billing.permissions import CLAIM_EXPORT, CLAIM_READ, CLAIM_WRITE
from app.core.dependencies import discloses, requires
from app.core.filters import From, OneOf, To
from app.core.idempotency.creation import CreationDependency
from app.core.openapi import BINARY
from app.core.pagination import Page, PagingQuery

router = APIRouter(prefix="/billing/appeals", tags=["billing"])
_PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": BINARY}, "description": "The packet of the appeal"}
}


@router.post("", status_code=201, dependencies=[requires(CLAIM_WRITE)])
async def create_appeal(given: AppealCreate, appeals: Appeals, creation: CreationDependency) -> AppealRead:
    """Begin the next level of appeal against a refusal. The letter is proposed from claim and decision; go over it."""
    return await appeals.create(given, creation)


@router.get("", dependencies=[requires(CLAIM_READ)])
async def list_appeals(
    appeals: AppealReads,
    paging: PagingQuery,
    status: OneOf[AppealStatus] = None,
    claim_id: OneOf[uuid.UUID] = None,
    denial_id: OneOf[uuid.UUID] = None,
    created_at_from: From = None,
    created_at_to: To = None,
) -> Page[AppealRead]:
    """Appeals, newest first. The founder sees them without letters."""
    return await appeals.list_page(
        paging,
        status=status,
        claim_id=claim_id,
        denial_id=denial_id,
        created_at_from=created_at_from,
        created_at_to=created_at_to,
    )


@router.get("/{appeal_id}", dependencies=[requires(CLAIM_READ)])
async def get_appeal(appeal_id: uuid.UUID, appeals: AppealReads) -> AppealRead:
    """One appeal."""
    return await appeals.get(appeal_id)


@router.patch("/{appeal_id}", dependencies=[requires(CLAIM_WRITE)])
async def revise_appeal(appeal_id: uuid.UUID, patch: AppealPatch, appeals: Appeals) -> AppealRead:
    """Change the letter, the amount or the last day of a draft."""
    return await appeals.revise(appeal_id, patch)


@router.post("/{appeal_id}/transitions", dependencies=[requires(CLAIM_WRITE)])
async def transition_appeal(appeal_id: uuid.UUID, given: AppealTransitionRequest, appeals: Appeals) -> AppealRead:
    """File an appeal, record the payer's answer, or withdraw it. Money that was won comes by a remittance."""
    return await appeals.transition(appeal_id, given)


@router.get(
    "/{appeal_id}/packet.pdf",
    response_class=Response,
    responses=_PDF,
    dependencies=[requires(CLAIM_EXPORT), discloses(APPEAL_PACKET)],
)
async def get_appeal_packet(appeal_id: uuid.UUID, packets: Packets) -> Response:
    """Letter, claim, certification and patient care report as one PDF: DRAFT until filed. An audited disclosure.

    Records that did not change answer with the same bytes.
    """
    packet = await packets.make(appeal_id)
    headers = {"Content-Disposition": f'attachment; filename="{packet.file_name}"'}
    return Response(packet.pdf, media_type="application/pdf", headers=headers)
