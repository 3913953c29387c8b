"""What claims ask of certifications."""

from __future__ import annotations

import datetime as dt
import uuid

from app.billing.certificates.repository import CertificateRepository
from app.billing.certificates.schemas import CertificateRead
from app.core.db.uow import ReadUnitOfWork


async def certificate_for(uow: ReadUnitOfWork, patient_id: uuid.UUID, on: dt.date) -> CertificateRead | None:
    """The certification for a patient's transport on a day: one statement.

    An order for repetitive transports serves every call of the same billing account while it is in force. Whether it
    was signed in time is for an edit of the claim to say.
    """
    found = await CertificateRepository(uow).find_serving(uow.tenant_id, patient_id, on)
    return None if found is None else CertificateRead.of(found)
