"""Advance beneficiary notices as a kind of paper."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from app.billing.notices.models import AdvanceNotice
from app.billing.notices.schemas import NoticeCreate, NoticePatch, NoticeRead
from app.billing.paperwork.kinds import PaperKind, PaperVerb
from app.core.audit.actions import AuditAction
from app.core.errors import Problem


class NoticeAction(AuditAction):
    CREATED = "advance_notice.created"
    REVISED = "advance_notice.revised"
    DELETED = "advance_notice.deleted"


def notice_problems(notice: AdvanceNotice, served_on: dt.date | None) -> Iterator[Problem]:
    """A notice that was signed after the service told nothing in advance (42 CFR 411.404, 411.408)."""
    if served_on is not None and notice.signed_on is not None and notice.signed_on > served_on:
        yield Problem("signed_on", "after_transport", "The notice is signed before the transport.")


NOTICES = PaperKind(
    noun="advance notice",
    plural="advance notices",
    path="billing/notices",
    about="Advance beneficiary notices: the patient knew that Medicare might not pay.",
    entity=AdvanceNotice,
    create=NoticeCreate,
    patch=NoticePatch,
    read=NoticeRead,
    actions={
        PaperVerb.CREATE: NoticeAction.CREATED,
        PaperVerb.REVISE: NoticeAction.REVISED,
        PaperVerb.DELETE: NoticeAction.DELETED,
    },
    check=notice_problems,
)
