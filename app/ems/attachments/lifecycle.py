"""The state machine of an attachment."""

from __future__ import annotations

from enum import StrEnum

from app.core.audit.actions import AuditAction
from app.core.lifecycle import Lifecycle
from app.ems.uploads.lifecycle import UploadFacts, UploadTransition, upload_transitions


class AttachmentStatus(StrEnum):
    PENDING = "pending"
    STORED = "stored"
    REJECTED = "rejected"


class AttachmentAction(AuditAction):
    CREATED = "attachment.created"
    STORED = "attachment.stored"
    REJECTED = "attachment.rejected"
    DOWNLOAD_LINK_ISSUED = "attachment.download_link_issued"
    DELETED = "attachment.deleted"
    RESTORED = "attachment.restored"
    MOVED = "attachment.moved"


attachment_lifecycle: Lifecycle[AttachmentStatus, UploadFacts] = Lifecycle(
    name="attachment",
    states=AttachmentStatus,
    initial=AttachmentStatus.PENDING,
    transitions=upload_transitions(
        AttachmentStatus.PENDING,
        AttachmentStatus.STORED,
        AttachmentStatus.REJECTED,
        kept_as=AttachmentAction.STORED,
        rejected_as=AttachmentAction.REJECTED,
    ),
    internal=frozenset({UploadTransition.REJECT}),
)
