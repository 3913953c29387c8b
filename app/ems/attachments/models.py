"""The table attachments (directive 5.1)."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, phi, plain
from app.ems.attachments.lifecycle import AttachmentStatus, attachment_lifecycle
from app.ems.uploads.columns import UploadedEntry, upload_constraints

MAX_BYTES = 50 * 1024 * 1024


class Attachment(UploadedEntry):
    """A file of a chart. Its name and description are protected: people put patients' names into both."""

    __tablename__ = "attachments"
    entity_type: ClassVar[str] = "attachment"

    status: Mapped[AttachmentStatus] = plain(EnumText(AttachmentStatus), default=AttachmentStatus.PENDING)
    s3_key: Mapped[str | None] = plain(default=None, init=False)
    file_name: Mapped[str | None] = phi(default=None)
    description: Mapped[str | None] = phi(default=None)

    __table_args__ = (*upload_constraints("attachments", max_bytes=MAX_BYTES), attachment_lifecycle.check())
