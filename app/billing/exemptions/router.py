"""billing/exemptions."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.billing.exemptions.models import ExemptionOrigin, ExemptionReason
from app.billing.exemptions.schemas import ExemptionCreate, ExemptionRead
from app.billing.exemptions.service import ExemptionReads, Exemptions
from app.billing.permissions import CLAIM_CLINICAL, CLAIM_WRITE
from app.core.dependencies import requires
from app.core.filters import From, OneOf, To
from app.core.idempotency.creation import CreationDependency
from app.core.pagination import Page, PagingQuery
from app.core.schemas import VersionQuery

router = APIRouter(prefix="/billing/exemptions", tags=["billing"])


@router.post("", status_code=201, dependencies=[requires(CLAIM_WRITE)])
async def create_exemption(
    given: ExemptionCreate, exemptions: Exemptions, creation: CreationDependency
) -> ExemptionRead:
    """Say why a locked chart, or one patient of it, is not billed."""
    return await exemptions.create(given, creation)


@router.get("", dependencies=[requires(CLAIM_CLINICAL)])
async def list_exemptions(
    exemptions: ExemptionReads,
    paging: PagingQuery,
    incident_id: OneOf[uuid.UUID] = None,
    patient_id: OneOf[uuid.UUID] = None,
    reason: OneOf[ExemptionReason] = None,
    origin: OneOf[ExemptionOrigin] = None,
    created_at_from: From = None,
    created_at_to: To = None,
) -> Page[ExemptionRead]:
    """Reasons why charts have no claim, newest first: those that the charts tell, and those of billers."""
    return await exemptions.list_page(
        paging,
        incident_id=incident_id,
        patient_id=patient_id,
        reason=reason,
        origin=origin,
        created_at_from=created_at_from,
        created_at_to=created_at_to,
    )


@router.get("/{exemption_id}", dependencies=[requires(CLAIM_CLINICAL)])
async def get_exemption(exemption_id: uuid.UUID, exemptions: ExemptionReads) -> ExemptionRead:
    """One reason."""
    return await exemptions.get(exemption_id)


@router.delete("/{exemption_id}", status_code=204, dependencies=[requires(CLAIM_WRITE)])
async def delete_exemption(exemption_id: uuid.UUID, version: VersionQuery, exemptions: Exemptions) -> None:
    """Take a reason back. The chart then wants a claim, or another reason."""
    await exemptions.delete(exemption_id, version)
