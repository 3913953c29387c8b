"""The route …/patients/{child_id}/social-security-number."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.core.dependencies import requires
from app.ems.identifiers.schemas import SocialSecurityNumber
from app.ems.identifiers.service import IdentifierReads
from app.ems.permissions import PATIENT_IDENTIFIERS_READ

router = APIRouter(prefix="/ems/incidents/{incident_id}/patients/{child_id}", tags=["ems"])


@router.get("/social-security-number", dependencies=[requires(PATIENT_IDENTIFIERS_READ)])
async def get_social_security_number(
    incident_id: uuid.UUID, child_id: uuid.UUID, identifiers: IdentifierReads
) -> SocialSecurityNumber:
    """The whole number, of which every other answer shows the last four digits. Each look at it is audited."""
    return await identifiers.social_security_number(incident_id, child_id)
