"""billing/acknowledgements and billing/claim-acknowledgements."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request

from app.billing.acknowledgements.models import Effect
from app.billing.acknowledgements.schemas import AcknowledgementUploadRead, ClaimAcknowledgementRead
from app.billing.acknowledgements.service import AcknowledgementReads, Uploads
from app.billing.permissions import REMITTANCE_READ, REMITTANCE_WRITE
from app.billing.received.schemas import ReceivedFileRead
from app.billing.received.service import MAX_FILE_BYTES, uploaded
from app.billing.x12.acknowledgement_records import Verdict
from app.billing.x12.containers import FileKind
from app.core.bodies import BodyRule
from app.core.dependencies import requires
from app.core.filters import OneOf
from app.core.openapi import BINARY, errors
from app.core.pagination import Page, PagingQuery
from app.core.paths import API_PREFIX

router = APIRouter(prefix="/billing/acknowledgements", tags=["billing"])
claims = APIRouter(prefix="/billing/claim-acknowledgements", tags=["billing"])
FILES = BodyRule(f"{API_PREFIX}/billing/acknowledgements", media_types=None, max_bytes=MAX_FILE_BYTES)


@router.post(
    "",
    status_code=201,
    responses=errors(409),
    dependencies=[requires(REMITTANCE_WRITE)],
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": BINARY}}},
)
async def upload_acknowledgements(request: Request, uploads: Uploads) -> AcknowledgementUploadRead:
    """Take in a TA1, 999, 277CA or Office Ally status file, or a ZIP archive of them, as it came.

    Exactly the claims that it names are moved: to `submitted`, or back to `pending_review`. Sent again, it changes
    nothing. A file of another layout is kept for a person.
    """
    return await uploads.take(await uploaded(request))


@router.get("", dependencies=[requires(REMITTANCE_READ)])
async def list_acknowledgement_files(
    acknowledgements: AcknowledgementReads, paging: PagingQuery, kind: OneOf[FileKind] = None
) -> Page[ReceivedFileRead]:
    """Files that came in beside remittances, newest first. `kind=unknown` is what nobody could read."""
    return await acknowledgements.list_files(paging, kind)


@router.get("/{file_id}", dependencies=[requires(REMITTANCE_READ)])
async def get_acknowledgement_file(file_id: uuid.UUID, acknowledgements: AcknowledgementReads) -> ReceivedFileRead:
    """One file. What it says about each claim is listed by billing/claim-acknowledgements."""
    return await acknowledgements.get_file(file_id)


@claims.get("", dependencies=[requires(REMITTANCE_READ)])
async def list_claim_acknowledgements(
    acknowledgements: AcknowledgementReads,
    paging: PagingQuery,
    file_id: OneOf[uuid.UUID] = None,
    claim_id: OneOf[uuid.UUID] = None,
    verdict: OneOf[Verdict] = None,
    effect: OneOf[Effect] = None,
) -> Page[ClaimAcknowledgementRead]:
    """Answers of receivers, clearinghouses and payers about claims, newest first. Words say what to mend."""
    return await acknowledgements.list_claims(
        paging, file_id=file_id, claim_id=claim_id, verdict=verdict, effect=effect
    )
