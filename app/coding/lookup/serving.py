"""Lookups over HTTP: conditional requests, and the parameters that all code sets share."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Query, Response

from app.coding.lookup.shipped import shipped_edition
from app.coding.releases.schemas import ReleaseRead

QueryText = Annotated[
    str, Query(max_length=300, description="A code, or words as they are said: `sob`, `fx l wrist`, `I21.3`")
]
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The client has this answer already"}}
LookupLimit = Annotated[int, Query(ge=1, le=100, description="At most so many codes, the best first")]
IfNoneMatch = Annotated[
    str | None, Header(max_length=1000, description="The ETag of an earlier answer: 304 while it is still right")
]


def detail_edition(release: ReleaseRead) -> str:
    """The edition of an answer about a single code, the same for all agencies; it changes with each release."""
    return f"{release.imported_at.timestamp():.6f}.{release.sha256[:12]}.{shipped_edition()}"


def not_modified(response: Response, edition: str, if_none_match: str | None) -> Response | None:
    """The 304 to send when the client has this edition already; otherwise the ETag is set on `response`."""
    tag = f'"{edition}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    given = [] if if_none_match is None else [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    if tag in given or "*" in given:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return None
