"""billing/received-files."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Response

from app.billing.originals.service import ORIGINAL, Originals
from app.billing.permissions import REMITTANCE_READ
from app.billing.received.service import MEDIA_TYPE
from app.core.dependencies import discloses, requires
from app.core.openapi import BINARY

router = APIRouter(prefix="/billing/received-files", tags=["billing"])


@router.get(
    "/{file_id}/content",
    dependencies=[requires(REMITTANCE_READ), discloses(ORIGINAL)],
    response_class=Response,
    responses={200: {"description": "The file as it is kept", "content": {MEDIA_TYPE: BINARY}}},
)
async def get_received_file_content(file_id: uuid.UUID, originals: Originals) -> Response:
    """A file that came in, byte for byte, without payments to other agencies. Both logs keep who was given it."""
    headers = {"Content-Disposition": f'attachment; filename="{file_id}.txt"'}
    return Response(await originals.content(file_id), media_type=MEDIA_TYPE, headers=headers)
