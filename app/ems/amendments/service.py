"""Records amendments in the unit of work of the change."""

from __future__ import annotations

from app.core.audit.actions import AuditAction
from app.core.db.uow import UnitOfWork
from app.ems.amendments.models import AmendmentChange, ChartAmendment
from app.ems.amendments.repository import AmendmentRepository
from app.ems.chart.columns import ChartEntry
from app.ems.chart.gate import ChartHead
from app.ems.events import INCIDENT_AMENDED
from app.ems.lifecycle import IncidentStatus


class AmendmentAction(AuditAction):
    RECORDED = "chart_amendment.recorded"


async def record_amendment(
    uow: UnitOfWork,
    incident: ChartHead,
    entry: ChartEntry,
    change: AmendmentChange,
    *,
    version_before: int,
    reason: str | None,
) -> None:
    """Keep a write of a completed chart as an amendment. An open chart, and a write without effect, have none.

    `version_before` is 0 for an entry that was just made. The gate has let the write pass: it is an admin's, and it has
    a reason.
    """
    if incident.status is not IncidentStatus.COMPLETED or entry.version == version_before:
        return
    completed_at, amended_by = incident.completed_at, uow.principal.user_id
    if reason is None or completed_at is None or amended_by is None:
        raise AssertionError("an amendment that did not pass the gate")
    base = await AmendmentRepository(uow).find_base_version(uow.tenant_id, incident.id, entry.id, completed_at)
    amendment = ChartAmendment(
        tenant_id=uow.tenant_id,
        incident_id=incident.id,
        entity=entry.entity_type,
        entity_id=entry.id,
        change=change,
        base_version=version_before if base is None else base,
        entity_version=entry.version,
        completed_at=completed_at,
        reason=reason,
        amended_by=amended_by,
    )
    await uow.create(amendment, AmendmentAction.RECORDED, event=INCIDENT_AMENDED)
