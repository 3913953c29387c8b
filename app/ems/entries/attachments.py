"""How attachments are written: as a kind of upload."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.audit.disclosures import Disclosure, Means
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.permissions import Principal
from app.ems.attachments.lifecycle import AttachmentAction, attachment_lifecycle
from app.ems.attachments.models import Attachment
from app.ems.attachments.schemas import AttachmentCreate, AttachmentRead, AttachmentTransitionRequest
from app.ems.entries.uploads import UploadActions, UploadKind
from app.ems.errors import ChartNotEditable
from app.ems.incidents.models import Incident
from app.ems.lifecycle import EDITABLE
from app.ems.parts import ATTACHMENT
from app.ems.permissions import CHART_WRITE


def _require_open(incident: Incident, principal: Principal) -> None:
    """Require an open chart. Nobody adds an attachment to a completed one: no request here carries a reason for it."""
    principal.require(CHART_WRITE)
    if incident.status not in EDITABLE:
        raise ChartNotEditable(status=incident.status.value)


async def _prepare(uow: UnitOfWork, incident: Incident, attachment: Attachment, given: AttachmentCreate) -> None:
    """A new attachment needs nothing beside what the client declared."""


async def present_attachments(
    uow: ReadUnitOfWork, incident: Incident, attachments: Sequence[Attachment]
) -> list[AttachmentRead]:
    return [
        AttachmentRead.of(attachment, allowed_actions=attachment_lifecycle.allowed_actions(attachment, uow.principal))
        for attachment in attachments
    ]


ATTACHMENT_LINK = Disclosure(AttachmentAction.DOWNLOAD_LINK_ISSUED, Means.LINK, "attachment_content")
ATTACHMENTS = UploadKind(
    noun=ATTACHMENT.noun,
    path=ATTACHMENT.collection,
    about="Declare a photo, document or recording of an open chart, and get the link to send it to.",
    repository=ATTACHMENT.repository,
    create=ATTACHMENT.create,
    transition=AttachmentTransitionRequest,
    read=ATTACHMENT.read,
    lifecycle=attachment_lifecycle,
    key_column="s3_key",
    link=ATTACHMENT_LINK,
    actions=UploadActions(
        AttachmentAction.CREATED,
        AttachmentAction.DELETED,
        AttachmentAction.RESTORED,
        AttachmentAction.MOVED,
    ),
    require_open=_require_open,
    prepare=_prepare,
    present=present_attachments,
)
