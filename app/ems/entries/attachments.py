"""Attachments as a kind of upload."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.ems.attachments.lifecycle import AttachmentAction, attachment_lifecycle
from app.ems.attachments.models import Attachment
from app.ems.attachments.repository import AttachmentRepository
from app.ems.attachments.schemas import AttachmentCreate, AttachmentRead, AttachmentTransitionRequest
from app.ems.chart.gate import require_editable
from app.ems.entries.uploads import UploadActions, UploadKind
from app.ems.incidents.models import Incident


async def _prepare(uow: UnitOfWork, incident: Incident, attachment: Attachment) -> None:
    """What is declared says everything."""


async def present_attachments(
    uow: ReadUnitOfWork, incident: Incident, attachments: Sequence[Attachment]
) -> list[AttachmentRead]:
    return [
        AttachmentRead.of(attachment, allowed_actions=attachment_lifecycle.allowed_actions(attachment, uow.principal))
        for attachment in attachments
    ]


ATTACHMENTS = UploadKind(
    noun="attachment",
    path="attachments",
    about="Declare a photo, document or recording of an open chart, and get the link to send it to.",
    repository=AttachmentRepository,
    create=AttachmentCreate,
    transition=AttachmentTransitionRequest,
    read=AttachmentRead,
    lifecycle=attachment_lifecycle,
    key_column="s3_key",
    actions=UploadActions(
        AttachmentAction.CREATED,
        AttachmentAction.DOWNLOAD_LINK_ISSUED,
        AttachmentAction.DELETED,
        AttachmentAction.RESTORED,
    ),
    require_open=require_editable,
    prepare=_prepare,
    present=present_attachments,
)
