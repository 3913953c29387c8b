"""Fields that requests and answers about all uploads share."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from pydantic import Field

from app.core.schemas import EntityRead, Text
from app.core.storage.schemas import DownloadRead, UploadRead
from app.ems.media.inspection import MediaType, Refusal

Sha256 = Annotated[
    Text, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the content in lower-case hex", examples=["9f" * 32])
]


class UploadedRead(EntityRead):
    incident_id: uuid.UUID
    patient_id: uuid.UUID | None
    allowed_actions: list[str] = Field(description="Transitions that this user may fire now")
    file_type: MediaType = Field(description="As declared")
    size_bytes: int = Field(description="As declared")
    sha256: str = Field(description="As declared")
    stored_type: MediaType | None = Field(description="Of what a download gives: HEIC is stored as JPEG")
    stored_size_bytes: int | None = Field(description="Of what a download gives: contents are written anew")
    stored_sha256: str | None
    uploaded_at: dt.datetime | None = Field(description="When the content was found good and stored")
    rejection_code: Refusal | None = Field(description="Why the content was thrown away")
    upload: UploadRead | None = Field(
        None, description="Only in answers to the creation, while pending; sent again, it answers with a new link"
    )


class ContentLinkRead(DownloadRead):
    file_name: str = Field(
        description="Save the content under this name: the person's own, made safe, with the extension of what is"
        " stored. It is no part of the link, because links may not carry patients' names"
    )
