"""Conditional requests: a client keeps an answer of reference data and later asks whether it has changed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Response

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The client has this answer already"}}
IfNoneMatch = Annotated[
    str | None, Header(max_length=1000, description="The ETag of an earlier answer: 304 while it is still right")
]


def not_modified(response: Response, edition: str, if_none_match: str | None) -> Response | None:
    """The 304 answer if the client already has this edition. Otherwise sets the ETag on `response` and returns None."""
    tag = f'"{edition}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    given = [] if if_none_match is None else [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    if tag in given or "*" in given:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return None
