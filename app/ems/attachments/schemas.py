"""Attachments as clients declare, complete and read them."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from pydantic import Field

from app.core.schemas import CreateModel, RequestModel, Text, Version, length
from app.ems.attachments.lifecycle import AttachmentStatus
from app.ems.attachments.models import MAX_BYTES
from app.ems.media.inspection import MediaType
from app.ems.uploads.lifecycle import UploadTransition
from app.ems.uploads.schemas import Sha256, UploadedRead

AttachmentType = Literal[
    MediaType.JPEG, MediaType.PNG, MediaType.HEIC, MediaType.PDF, MediaType.XML, MediaType.WAV, MediaType.MP3
]


class AttachmentCreate(CreateModel):
    file_type: AttachmentType = Field(description="Media type; the content must be of it")
    size_bytes: int = Field(strict=True, ge=1, le=MAX_BYTES, description="Exactly; 50 MiB at most")
    sha256: Sha256
    file_name: Annotated[Text, length(255)] | None = Field(None, description="What the person calls it")
    description: Annotated[Text, length(500)] | None = None
    patient_id: uuid.UUID | None = None


class AttachmentTransitionRequest(RequestModel):
    action: Literal[UploadTransition.COMPLETE]
    version: Version


class AttachmentRead(UploadedRead):
    status: AttachmentStatus
    file_name: str | None
    description: str | None
