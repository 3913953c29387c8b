"""The routes that links of the local object store lead to. Those of S3 lead to S3."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from app.core.bodies import BodyRule
from app.core.dependencies import public_route
from app.core.openapi import BINARY, errors
from app.core.sealed import MAX_TOKEN
from app.core.storage.links import LOCAL_UPLOADS
from app.core.storage.service import Objects
from app.core.tags import Tag

MAX_OBJECT_BYTES = 50 * 1024 * 1024
UPLOADS = BodyRule(LOCAL_UPLOADS, media_types=None, max_bytes=MAX_OBJECT_BYTES)
"""Each link names the one media type and the exact size that it takes."""

TAG = Tag("objects", "Contents sent and fetched with signed links.")
router = APIRouter(prefix="/objects", tags=["objects"])
Token = Annotated[str, Path(min_length=1, max_length=MAX_TOKEN, description="From an upload or download link")]


@router.post(
    "/uploads/{token}",
    status_code=204,
    responses=errors(403, 409),
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": BINARY}}},
    dependencies=[Depends(public_route)],
)
async def upload_object(token: Token, request: Request, objects: Objects) -> None:
    """Send the content that the link was made for, as it is. The link is the credential, and works once."""
    await objects.receive(token, request.headers.get("content-type", ""), request.stream())


@router.get(
    "/downloads/{token}",
    response_class=Response,
    responses={**errors(403, 404), 200: {"content": {"application/octet-stream": BINARY}, "description": "The object"}},
    dependencies=[Depends(public_route)],
)
async def download_object(token: Token, objects: Objects) -> Response:
    """Fetch the object that the link was made for. The link is the credential."""
    found = await objects.fetch(token)
    return Response(found.content, media_type=found.content_type, headers={"Content-Disposition": found.disposition})
