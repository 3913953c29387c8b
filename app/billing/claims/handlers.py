"""Handlers of the chart's events. A claim is dated by its chart, and dated again when the chart was corrected."""

from __future__ import annotations

from app.billing.claims.repository import ClaimLineRepository, ClaimRepository
from app.billing.claims.service import ClaimAction
from app.billing.claims.submission import Served, service_date
from app.billing.events import CLAIM_UPDATED
from app.core.db.uow import UnitOfWork
from app.core.outbox.subscriptions import Event, Subscription
from app.core.tenants.public import current_tenant
from app.ems.public import INCIDENT_STATUS_CHANGED, IncidentStatus, hold_incident, list_patients


async def date_claims(uow: UnitOfWork, event: Event) -> None:
    """Gives each claim of a locked chart the day of service that the chart says now."""
    ids = [claim.id for claim in await ClaimRepository(uow).list_all(uow.tenant_id, incident_id=event.aggregate_id)]
    if not ids:
        return
    incident = await hold_incident(uow, event.aggregate_id)
    if incident.status is not IncidentStatus.LOCKED:
        return
    patients = {patient.id: patient for patient in await list_patients(uow, incident.id)}
    profile = await current_tenant(uow)
    claims = await ClaimRepository(uow).list_for_update(uow.tenant_id, ids)
    lines = await ClaimLineRepository(uow).list_of_claims(uow.tenant_id, ids)
    for claim in claims:
        patient = patients.get(claim.patient_id)
        if patient is not None:
            served = Served(incident, patient, alone=len(patients) == 1)
            async with uow.change(claim, ClaimAction.DATED, event=CLAIM_UPDATED):
                claim.service_date = service_date(profile, served, lines[claim.id])


SUBSCRIPTIONS = (Subscription("billing.date_claims", (INCIDENT_STATUS_CHANGED,), date_claims),)
