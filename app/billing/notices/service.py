"""What claims ask of notices."""

from __future__ import annotations

import uuid

from app.billing.notices.repository import NoticeRepository
from app.billing.notices.schemas import NoticeRead
from app.core.db.uow import ReadUnitOfWork


async def notice_for(uow: ReadUnitOfWork, patient_id: uuid.UUID) -> NoticeRead | None:
    """The notice that a patient of a call signed last: one statement."""
    found = await NoticeRepository(uow).find_latest(uow.tenant_id, patient_id)
    return None if found is None else NoticeRead.of(found)
