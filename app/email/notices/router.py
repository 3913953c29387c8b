"""POST webhooks/ses."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from app.core.bodies import BodyRule
from app.core.dependencies import public_route
from app.core.inbox.providers import Delivery
from app.core.openapi import BINARY, errors
from app.core.paths import API_PREFIX
from app.email.notices.service import Notices

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

SNS_MEDIA_TYPE = "text/plain"
"""SNS sends JSON under this name."""
BODY = BodyRule(f"{API_PREFIX}/webhooks/ses", frozenset({"application/json", SNS_MEDIA_TYPE}))


@router.post(
    "/ses",
    status_code=204,
    responses=errors(403),
    dependencies=[Depends(public_route)],
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "An SNS message (JSON)",
            "content": {SNS_MEDIA_TYPE: BINARY},
        }
    },
)
async def take_ses_notice(request: Request, notices: Notices) -> None:
    """Notices of SES through SNS: sent, delivered, bounced, complained of. The signature is the credential.

    Only the configured topic's are taken, and only for an hour after they were made; every other answer is 403.
    """
    await notices.take(Delivery(await request.body(), request.headers))
