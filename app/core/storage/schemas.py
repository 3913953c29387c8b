"""Objects and links as they leave the service."""

from __future__ import annotations

import datetime as dt
from typing import Literal, NamedTuple

from pydantic import Field

from app.core.schemas import ReadModel


class FetchedObject(NamedTuple):
    content: bytes
    content_type: str
    disposition: str


class UploadRead(ReadModel):
    """Where to send the content, once, before `expires_at`. Needs no access token."""

    method: Literal["POST"]
    url: str = Field(description="Relative to this service's own address when it has no scheme")
    headers: dict[str, str] = Field(description="Send exactly these with the content as the body")
    fields: dict[str, str] = Field(
        description="If there are any: send multipart/form-data instead, these fields first, the content last as `file`"
    )
    expires_at: dt.datetime


class DownloadRead(ReadModel):
    """Where to fetch the content before `expires_at`. Needs no access token."""

    url: str = Field(description="Relative to this service's own address when it has no scheme")
    expires_at: dt.datetime
