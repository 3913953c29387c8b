"""Showing a Social Security number whole. Whoever is shown it stands in the audit log, and in the log of access."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import Depends

from app.core.audit import writer as audit
from app.core.audit.actions import AuditAction
from app.core.db.uow import UnitOfWork
from app.core.dependencies import Uow
from app.core.errors import NotFound
from app.ems.entries.checks import of_incident
from app.ems.identifiers.schemas import SocialSecurityNumber
from app.ems.incidents.repository import IncidentRepository
from app.ems.patients.identifiers import find_number
from app.ems.patients.repository import PatientRepository
from app.ems.permissions import PATIENT_IDENTIFIERS_READ


class IdentifierAction(AuditAction):
    SOCIAL_SECURITY_NUMBER_SHOWN = "patient.social_security_number_shown"


class IdentifierReader:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def social_security_number(self, incident_id: uuid.UUID, patient_id: uuid.UUID) -> SocialSecurityNumber:
        """The number of one patient. Raises Forbidden, and NotFound, also where none is charted."""
        uow = self._uow
        uow.principal.require(PATIENT_IDENTIFIERS_READ)
        await IncidentRepository(uow).get(uow.tenant_id, incident_id)
        patient = of_incident(await PatientRepository(uow).find(uow.tenant_id, patient_id), incident_id)
        number = find_number(patient.elements)
        if number is None:
            raise NotFound("No Social Security number is charted.")
        action = IdentifierAction.SOCIAL_SECURITY_NUMBER_SHOWN
        await audit.record(uow, action, entity_type=patient.entity_type, entity_id=patient.id)
        return SocialSecurityNumber(social_security_number=number)


async def identifier_reader(uow: Uow) -> IdentifierReader:
    return IdentifierReader(uow)


IdentifierReads = Annotated[IdentifierReader, Depends(identifier_reader)]
